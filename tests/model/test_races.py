"""When several make the same move, or moves that exclude each other, at the same instant: one winner, no fault?

The moves come from the table itself: each is raced in the first of the stages below that offers it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from coordination.events import clock
from coordination.instructions import states
from coordination.instructions.models import Assignment, Instruction, InstructionVersion, Transition
from tests.instructions.test_races import consistent
from tests.instructions.world import World
from tests.model.ground import PLENTY, Ground, Voice, build

PEOPLE = (
    "district.duty_officer", "district.approver", "district.head", "centre.duty_officer", "centre.commander",
    "dfire.duty_officer", "dpolice.duty_officer", "town.duty_officer",
)  # fmt: skip
AT_ONCE = 3
RACED = [move for move in states.MOVES if not move.system_only]
LOST = {409, 412, 429, 503}


@pytest.fixture(scope="module")
def ground(django_db_setup: None, django_db_blocker: Any) -> Iterator[Ground]:
    """The city, committed, so that threads see it; all tables are emptied afterwards."""
    with django_db_blocker.unblock():
        try:
            yield build(PEOPLE, ("dfire",))
        finally:
            clock.travel(None)
            call_command("flush", verbosity=0, interactive=False, inhibit_post_migrate=True)


@pytest.fixture(autouse=True)
def reach(ground: Ground, django_db_blocker: Any, settings: Any) -> Iterator[None]:
    """The database, without limits and with sessions that stay awake; the world's own time goes with the clock."""
    settings.MUSTER_API_LIMITS = PLENTY
    settings.MUSTER_SESSION_IDLE = timedelta(days=1)
    with django_db_blocker.unblock():
        ground.world.now = clock.now()
        yield


# ---- stages -------------------------------------------------------------------------------------------------------

Made = dict[str, Any]


def _order(world: World, **more: Any) -> Any:
    due = world.now + timedelta(days=1)
    more.setdefault("targets", world.targets("dfire", "dpolice"))
    return world.draft("district", due_at=due, **more)


def drafted(world: World, **more: Any) -> Made:
    """A draft."""
    return {"instruction": _order(world, **more)}


def handed_in(world: World, **more: Any) -> Made:
    """In approval."""
    made = drafted(world, **more)
    world.act("submit", made["instruction"], "district")
    return made


def approved(world: World, **more: Any) -> Made:
    """Approved."""
    made = handed_in(world, **more)
    world.act("approve", made["instruction"], "district.approver")
    return made


def issued(world: World, **more: Any) -> Made:
    """Issued; ``assignment`` is the lead's."""
    made = approved(world, **more)
    order = made["instruction"]
    world.act("issue", order, "district")
    return {**made, "assignment": world.on(order, "dfire")}


def pressing(world: World) -> Made:
    """A draft that cannot wait."""
    return drafted(world, urgency="immediate")


def emergency(world: World) -> Made:
    """Issued first, not confirmed."""
    made = pressing(world)
    world.act("issue_first", made["instruction"], "centre.commander", reason="Gas")
    return made


def taken(world: World, **more: Any) -> Made:
    """Acknowledged."""
    made = issued(world, **more)
    world.act("acknowledge", made["assignment"], "dfire", version=1)
    return made


def spoken_for(world: World) -> Made:
    """Acknowledged by telephone."""
    made = issued(world)
    code = InstructionVersion.everything.get(instruction=made["instruction"], n=1).voice_code
    world.act(
        "acknowledge_for", made["assignment"], "centre", version=1, speaker="Wang", number="+861380000",
        spoken_at=world.now, voice_code=code,
    )  # fmt: skip
    return made


def worked(world: World, **more: Any) -> Made:
    """The lead's work is handed in."""
    made = taken(world, **more)
    world.act(
        "feedback", made["assignment"], "dfire", version=1, percent=100, text="Done", final=True, early_reason="Whole"
    )
    return made


def worked_alone(world: World) -> Made:
    """As `worked`, and nobody else has a part."""
    return worked(world, targets=world.targets("dfire"))


def accepted(world: World) -> Made:
    """Accepted, to be looked at again."""
    made = worked(world, recheck=True)
    world.act("evaluate", made["assignment"], "district", accepted=True, outcome="good")
    return made


def declined(world: World) -> Made:
    """Declined."""
    made = issued(world)
    world.act("decline", made["assignment"], "dfire", reason="Not ours")
    return made


def disputed(world: World) -> Made:
    """Declined a second time."""
    made = declined(world)
    world.act("overrule", made["assignment"], "centre.commander", reason="Yours")
    world.act("decline", made["assignment"], "dfire", reason="Still not")
    return made


def ruled(world: World) -> Made:
    """The commander has ruled whose work it is."""
    made, fields = disputed(world), {"owner": world.id("dfire"), "reason": "By duty"}
    return {**made, "assignment": world.act("arbitrate", made["assignment"], "centre.commander", **fields)}


def asked(world: World) -> Made:
    """A question is open."""
    made = issued(world)
    until = world.now + timedelta(minutes=30)
    made["ask"] = world.act("ask", made["assignment"], "dfire", kind="hold", reason="Storm", wanted_until=until)
    return made


def held(world: World) -> Made:
    """On hold."""
    made = asked(world)
    world.act("grant", made["ask"], "district")
    return made


def watched(world: World) -> Made:
    """Under supervision."""
    made = issued(world)
    world.act("supervise", made["assignment"], "centre", note="Look")
    return made


def changed_above(world: World) -> Made:
    """The order above was amended; ``instruction`` is the one handed down."""
    made = taken(world)
    child = world.act("delegate", made["assignment"], "dfire", targets=world.targets("town"))
    world.act("approve", child, "dfire.approver")
    world.act("issue", child, "dfire")
    world.act("amend", made["instruction"], "district", change_note="Wind")
    world.act("approve", made["instruction"], "district.approver")
    world.act("issue", made["instruction"], "district")
    return {"instruction": child}


STAGES: tuple[Callable[..., Made], ...] = (
    drafted, handed_in, approved, issued, pressing, emergency, taken, spoken_for, worked, accepted, declined, disputed,
    ruled, asked, held, watched, changed_above,
)  # fmt: skip


# ---- one move -----------------------------------------------------------------------------------------------------


@dataclass
class Offer:
    """A move as a representation offers it to somebody."""

    voice: Voice
    href: str
    version: int
    if_match: bool
    body: dict[str, Any]


def rows_of(voice: Voice, made: Made) -> list[tuple[str, dict[str, Any]]]:
    """Subjects of a stage as somebody sees them."""
    answer = voice.get(f"/instructions/{made['instruction'].pk}")
    if answer.status_code != 200:
        return []
    shown = answer.json()
    parts = shown["assignments"]
    asks = [part["open_ask"] for part in parts if part["open_ask"]]
    return [("instruction", shown), *(("assignment", part) for part in parts), *(("ask", ask) for ask in asks)]


def offers(ground: Ground, voice: Voice, made: Made, move: tuple[str, str]) -> list[Offer]:
    """Where the stage offers the move to somebody."""
    return [
        Offer(
            voice, one["href"].removeprefix("/api/v1"), row["version"], one["if_match"],
            {name: value(ground) for name, value in _values(one["fields"]).items()},
        )
        for kind, row in rows_of(voice, made)
        for one in row["allowed_actions"]
        if (kind, one["action"]) == move
    ]  # fmt: skip


def _values(fields: list[dict[str, Any]]) -> dict[str, Callable[[Ground], Any]]:
    """Something fit for each field that must be given."""
    known: dict[str, Callable[[Ground], Any]] = {
        "version": lambda ground: 1, "percent": lambda ground: 30, "outcome": lambda ground: "good",
        "reader": lambda ground: "Li Lei", "kind": lambda ground: "clarify", "answer": lambda ground: "Gate 3",
        "spoken_at": lambda ground: clock.now().isoformat(), "successor": lambda ground: ground.id("dpolice"),
        "targets": lambda ground: [{"department": ground.id("town"), "role": "lead"}],
    }  # fmt: skip
    kinds: dict[str, Callable[[Ground], Any]] = {
        "text": lambda ground: "Said", "boolean": lambda ground: True, "department": lambda ground: ground.id("health"),
    }
    return {
        field["name"]: known.get(field["name"]) or kinds[field["type"]]
        for field in fields
        if (field["required"] or field["name"] in ("outcome", "reader", "successor", "targets"))
    }


@pytest.fixture(scope="module")
def catalogue(ground: Ground, django_db_blocker: Any) -> dict[tuple[str, str], tuple[Callable[..., Made], list[str]]]:
    """Each move with the first stage that offers it, and to whom."""
    found: dict[tuple[str, str], tuple[Callable[..., Made], list[str]]] = {}
    with django_db_blocker.unblock():
        for stage in STAGES:
            ground.world.now = clock.now()
            made = stage(ground.world)
            for name, voice in ground.voices.items():
                for kind, row in rows_of(voice, made):
                    for one in row["allowed_actions"]:
                        where, who = found.setdefault((kind, one["action"]), (stage, []))
                        if where is stage and name not in who:
                            who.append(name)
    return found


def together(tasks: list[Callable[[], Any]]) -> list[Any]:
    """All at one moment, each with a connection of its own."""
    barrier = threading.Barrier(len(tasks))

    def run(task: Callable[[], Any]) -> Any:
        try:
            barrier.wait(30)
            return task()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))


def call(offer: Offer, **other: Any) -> Callable[[], Any]:
    """The request of an offer, from a client of its own."""
    voice = offer.voice.again()
    body = offer.body | other
    method, path = "POST", offer.href
    if path.endswith("/edit"):
        method, path, body = "PATCH", path.removesuffix("/edit"), {"place": "Gate 3"}
    version = offer.version if offer.if_match else None
    return lambda: voice.send(method, path, body, version=version)


def sound(ground: Ground, made: Made) -> None:
    """Whatever came first: paths unbroken, clocks set, ledgers whole, here and below."""
    roots = {row.pk for name, row in made.items() if name == "instruction"}
    below = set(Instruction.everything.filter(parent__instruction__in=roots).values_list("pk", flat=True))
    ground.world.now = clock.now()
    for order in Instruction.everything.filter(pk__in=roots | below):
        consistent(ground.world, order)
        moves = list(Transition.everything.filter(subject_type="instruction", subject_id=order.pk).order_by("version"))
        assert [move.version for move in moves] == list(range(1, order.version + 1))
        assert moves[-1].after == order.state


@pytest.mark.parametrize("move", RACED, ids=lambda move: f"{move.subject}-{move.action}")
def test_the_same_move_by_several_at_once(ground: Ground, catalogue: Any, move: states.Move) -> None:
    if move.action == "draft":
        return drafts(ground)
    name = (move.subject, move.action)
    assert name in catalogue, "no stage offers this move to anybody"
    stage, who = catalogue[name]
    made = stage(ground.world)
    first = offers(ground, ground.voice(who[0]), made, name)[0]
    others = [one for one in offers(ground, ground.voice(who[-1]), made, name) if one.href == first.href]
    answers = together([call(first), call(first), call((others or [first])[0])])
    statuses = sorted(answer.status_code for answer in answers)
    said = [(answer.status_code, answer.content[:300]) for answer in answers]
    won = [status for status in statuses if status < 300]
    assert set(statuses) <= {200, 201} | LOST, said
    assert won, said
    # what neither decides nor uses itself up may be done again: another report, another part handed down
    again = any(one.href == first.href for one in offers(ground, first.voice, made, name))
    assert len(won) == 1 or (again and not move.deciding), said
    sound(ground, made)


def drafts(ground: Ground) -> None:
    """Drafts stand in nobody's way; each has a number of its own."""
    voice = ground.voice("district.duty_officer")
    body = {"incident_id": ground.world.incident.pk, "headline_en": "Clear the quay"}
    answers = together([partial(voice.again().post_to, "/instructions", body) for _ in range(AT_ONCE)])
    assert [answer.status_code for answer in answers] == [201] * AT_ONCE
    assert len({answer.json()["number"] for answer in answers}) == AT_ONCE


# ---- moves that exclude each other --------------------------------------------------------------------------------

Against = tuple[Callable[..., Made], tuple[str, str, str], tuple[str, str, str]]
PAIRS: dict[str, Against] = {
    "acknowledge or cancel": (
        issued, ("assignment", "acknowledge", "dfire.duty_officer"), ("instruction", "cancel", "centre.commander")
    ),
    "approve or return": (
        handed_in, ("instruction", "approve", "district.approver"), ("instruction", "return_draft", "district.head")
    ),
    "evaluate or cancel": (
        worked_alone, ("assignment", "evaluate", "district.duty_officer"), ("instruction", "cancel", "centre.commander")
    ),
    "issue or withdraw": (
        approved, ("instruction", "issue", "district.head"), ("instruction", "withdraw", "district.duty_officer")
    ),
    "decline or report": (
        taken, ("assignment", "decline", "dfire.duty_officer"), ("assignment", "feedback", "dfire.client")
    ),
    "grant or withdraw": (asked, ("ask", "grant", "district.duty_officer"), ("ask", "withdraw", "dfire.duty_officer")),
    "decline or cancel": (
        issued, ("assignment", "decline", "dfire.duty_officer"), ("instruction", "cancel", "centre.commander")
    ),
    "overrule or reassign": (
        declined, ("assignment", "overrule", "centre.commander"), ("assignment", "reassign", "district.duty_officer")
    ),
    "amend or cancel": (
        issued, ("instruction", "amend", "district.duty_officer"), ("instruction", "cancel", "centre.commander")
    ),
}  # fmt: skip
BOTH_MAY = {"acknowledge or cancel", "decline or report", "decline or cancel", "amend or cancel"}


@pytest.mark.parametrize("name", PAIRS)
def test_moves_that_exclude_each_other(ground: Ground, name: str) -> None:
    stage, *sides = PAIRS[name]
    made = stage(ground.world)
    calls = []
    for subject, action, who in sides:
        found = offers(ground, ground.voice(who), made, (subject, action))
        assert found, (who, action)
        calls.append(call(found[0]))
    answers = together(calls)
    said = [(answer.status_code, answer.content[:300]) for answer in answers]
    won = [answer for answer in answers if answer.status_code < 300]
    assert {answer.status_code for answer in answers} <= {200, 201} | LOST, said
    assert len(won) == 1 or (name in BOTH_MAY and len(won) == 2), said
    sound(ground, made)
    for row in Assignment.everything.filter(instruction=made["instruction"]):
        assert made["instruction"].refresh_from_db() is None
        ended = made["instruction"].state == "cancelled"
        assert not ended or row.cancel_owed or row.state in states.TERMINAL | {"feedback_submitted"}
