"""Does the checker see each fault that is planted in otherwise sound records, and nothing in sound ones?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil
import pytest

from tests.faults.checker import check
from tests.faults.history import History
from tests.faults.nemesis import decoy
from tests.faults.records import QUERIES, Records, Row

NOW = datetime(2026, 6, 18, 4, 30, tzinfo=UTC)
OK, INFO, FAIL = (f"00000000-0000-4000-8000-00000000000{n}" for n in range(3))
LONG_AGO = NOW - timedelta(minutes=2)


def history() -> History:
    """One order drafted, one log line of which nobody knows, one submit refused."""
    found = History()
    for key, outcome, subject, action, about in (
        (OK, "ok", "instruction", "draft", None), (INFO, "info", "log", "log", None),
        (FAIL, "fail", "instruction", "submit", 1),
    ):  # fmt: skip
        body = {"what": f"tank {key}"} if action != "submit" else {}
        command = found.invoke(
            client="c", who="city", key=key, subject=subject, action=action, about=about, url="/", body=body
        )
        command.made = 1 if outcome == "ok" else None
        found.end(command, outcome)
    return found


def records() -> Records:
    """What a sound database holds after that, with a deadline that has fired once and climbs on."""
    rows: dict[str, list[Row]] = {name: [] for name in QUERIES}
    what = "instructions.instruction"
    key = f"{what}:1:approve:1:0:p5:in_app"
    rows["commands"] = [(OK,)]
    rows["transitions"] = [("instruction", 1, 1, "draft", "", "draft", OK, LONG_AGO, LONG_AGO, 1)]
    rows["instructions"] = [(1, "draft", 1, None)]
    rows["drafts"] = [(1, f"tank {OK}")]
    rows["deadlines"] = [
        (7, what, 1, "approve", 1, 0, "fired", LONG_AGO, LONG_AGO, LONG_AGO, 2, ""),
        (8, what, 1, "approve", 1, 1, "armed", NOW, None, LONG_AGO, 2, ""),
    ]
    rows["fired"] = [(21, LONG_AGO, what, 1, 7, "approve", 1, 0, [5])]
    rows["tells"] = [(22, "instruction.submit", LONG_AGO, what, 1, [{"department": 3, "post": "approver"}])]
    told = f"{what}:1:instruction.submit:22:0:p5:in_app"
    rows["deliveries"] = [
        (key, None, 5, "in_app", "sent", LONG_AGO, what, 1, "deadline.remind_duty", LONG_AGO),
        (told, 22, 5, "in_app", "sent", LONG_AGO, what, 1, "instruction.submit", LONG_AGO),
    ]
    rows["notices"] = [
        (31, 5, None, "deadline.remind_duty", what, 1, LONG_AGO),
        (32, 5, 22, "instruction.submit", what, 1, LONG_AGO),
    ]
    rows["noticed"] = [(31, 1), (32, 1)]
    rows["streams"] = [("incident:1", 9, 9, 1, 9), ("user:5", 0, 0, None, None)]
    return Records(NOW, rows)


def replaced(name: str, index: int, **at: Any) -> Callable[[Records], None]:
    """Change columns (``c3=...``) of one row."""

    def plant(found: Records) -> None:
        row = list(found[name][index])
        for column, value in at.items():
            row[int(column[1:])] = value
        found[name][index] = tuple(row)

    return plant


def more(name: str, row: Row) -> Callable[[Records], None]:
    """One row more."""
    return lambda found: found[name].append(row)


def less(name: str, index: int = 0) -> Callable[[Records], None]:
    """One row less."""
    return lambda found: found[name].__delitem__(index)


def test_sound_records_have_no_breach() -> None:
    assert check(history(), records()) == []


def test_what_nobody_knows_may_have_been_done_once() -> None:
    found = records()
    found["commands"].append((INFO,))
    found["log"].append((1, f"Seen. {INFO}"))
    assert check(history(), found) == []


@pytest.mark.parametrize(
    ("what", "plant"),
    [
        ("a command's effect is not there once", less("commands")),
        ("a command's effect is not there once", less("drafts")),
        ("a command's effect is not there once", more("drafts", (2, f"tank {OK}"))),
        ("a command's effect is not there once", more("commands", (FAIL,))),
        ("an illegal path", replaced("instructions", 0, c1="approved")),
        ("an illegal path", replaced("instructions", 0, c2=2)),
        (
            "an illegal path",
            more("transitions", ("instruction", 1, 2, "issue", "draft", "issued", None, LONG_AGO, LONG_AGO, 1)),
        ),
        (
            "an illegal path",
            more("transitions", ("instruction", 1, 3, "submit", "draft", "in_approval", None, LONG_AGO, LONG_AGO, 1)),
        ),
        ("a deadline fired twice", lambda found: found["fired"].append(found["fired"][0])),
        ("a firing and its event differ", less("fired")),
        ("a deadline fired early", replaced("deadlines", 0, c7=LONG_AGO + timedelta(microseconds=1))),
        ("a deadline was missed", replaced("deadlines", 1, c7=NOW - timedelta(seconds=11))),
        ("a deadline was held as poison", replaced("deadlines", 1, c6="held", c11="poison: KeyError")),
        ("the next step is missing", less("deadlines", 1)),
        ("a message is there twice", lambda found: found["deliveries"].append(found["deliveries"][0])),
        ("notices and messages differ", less("notices")),
        ("notices and messages differ", lambda found: found["notices"].append(found["notices"][0])),
        ("a notice without its one event", replaced("noticed", 1, c1=2)),
        ("a message lies unsent", replaced("deliveries", 0, c4="sending")),
        ("nobody was told", less("deliveries", 1)),
        ("a step told nobody", less("deliveries", 0)),
        ("a gap in a stream", replaced("streams", 0, c2=8)),
        ("a gap in a stream", replaced("streams", 0, c3=2)),
        ("an event without its one home", more("homes", (40, "instruction.issue", 2, 2))),
        ("a subscriber is behind", more("behind", ("notify", "incident:1", 9, 8))),
        ("an alarm", more("alarms", ("poison", "deadline:8", "{}", LONG_AGO, None))),
        ("an alarm", more("alarms", ("no_deadline", "instructions.assignment", "{}", LONG_AGO, NOW))),
    ],
)
def test_each_planted_fault_is_seen(what: str, plant: Callable[[Records], None]) -> None:
    found = records()
    plant(found)
    assert what in {one.what for one in check(history(), found)}


def test_the_story_of_one_object_leaves_out_the_others() -> None:
    found = history()
    found.fault("SIGKILL web")
    lines = found.shortest("instruction", 1)
    assert [OK in line for line in lines] == [True, False, False]
    assert FAIL in lines[1]
    assert "SIGKILL web" in lines[2]


def test_a_decoy_that_dies_is_a_breach() -> None:
    """F1: whoever kills by name hits it, and that is seen; it is ended when the fault is over."""
    found = History()
    with decoy(found):
        named = [one for one in psutil.Process().children() if one.cmdline()[:1] == ["postgres: x"]]
    assert found.broken == []
    with decoy(found):
        (living,) = [one for one in psutil.Process().children() if one.cmdline()[:1] == ["postgres: x"]]
        living.kill()
        living.wait(10)
    assert [what for what, _said in found.broken] == ["the decoy died"]
    assert [one.is_running() for one in (*named, living)] == [False, False]
