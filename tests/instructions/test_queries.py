"""Do readers see the loop as it stands, at a constant number of queries?"""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from coordination.events.refused import NotFound
from coordination.instructions import queries
from tests.instructions.world import World, minutes

pytestmark = pytest.mark.django_db


def names(row: dict) -> set[str]:
    """Actions a row offers."""
    return {one["action"] for one in row["allowed_actions"]}


def count(call) -> int:
    """SQL statements of one call."""
    with CaptureQueriesContext(
        connection,
    ) as found:
        call()
    return len(found)


def busy(world: World) -> None:
    """One more instruction with all that can hang on its parts."""
    order = world.issued(read_back=False)
    row = world.acknowledged(order, "fire")
    world.act("feedback", row, "fire", version=1, percent=20, text="Begun")
    world.act("ask", world.acknowledged(order, "police"), "police", kind="clarify", reason="Which gate?")


def test_instruction_carries_parts_versions_and_actions(world: World) -> None:
    order = world.issued()
    row = world.acknowledged(order, "fire")
    shown = queries.instruction(actor=world.who("centre"), instruction_id=order.pk, now=world.now)
    assert shown["state"] == "issued"
    assert [part["state"] for part in shown["assignments"]] == ["acknowledged", "issued"]
    assert {"amend", "assign", "cancel"} <= names(shown)
    assert shown["who_acts_on_which"][0]["n"] == 1
    assert shown["who_acts_on_which"][1]["n"] is None
    assert shown["as_of"]["stream"] == f"incident:{world.incident.pk}"
    assert "voice_code" not in shown
    mine = queries.assignment(actor=world.who("fire"), assignment_id=row.pk, now=world.now)
    assert {"start", "feedback", "decline", "ask", "delegate"} == names(mine)
    assert [one for one in mine["allowed_actions"] if one["action"] == "start"] == [
        {
            "action": "start",
            "href": f"/api/v1/assignments/{row.pk}/start",
            "if_match": False,
            "fields": [
                {"name": "who_goes", "type": "text", "required": True},
                {"name": "eta", "type": "datetime", "required": False},
            ],
        }
    ]
    assert {clock["kind"] for clock in mine["deadlines"]} == {"start", "complete"}
    assert mine["ball"]["id"] == world.id("fire")
    assert len(mine["voice_code"]) == 4


def test_hidden_is_absent(world: World) -> None:
    order = world.issued()
    said = set()
    for call in (
        lambda: queries.instruction(actor=world.who("stranger"), instruction_id=order.pk, now=world.now),
        lambda: queries.instruction(actor=world.who("centre"), instruction_id=2**62, now=world.now),
        lambda: queries.instruction(actor=world.who("centre"), instruction_id="x", now=world.now),
        lambda: queries.ledger(actor=world.who("stranger"), assignment_id=world.on(order, "fire").pk, now=world.now),
    ):
        with pytest.raises(NotFound) as refused:
            call()
        said.add(str(refused.value.message))
    assert len(said) == 1


def test_desk_shows_what_waits_for_whom(world: World) -> None:
    order = world.draft()
    world.act("submit", order, "centre")

    def why(who: str) -> list[str]:
        return [need["why"] for need in queries.desk(actor=world.who(who), now=world.now)["needs"]]

    assert why("centre.approver") == ["approve"]
    assert why("centre") == []
    world.act("approve", order, "centre.approver")
    assert why("centre") == ["approved"]
    world.act("issue", order, "centre")
    assert why("centre") == []
    assert why("fire") == ["acknowledge"]
    row = world.acknowledged(order, "fire")
    assert why("fire") == ["start"]
    world.act("ask", row, "fire", kind="clarify", reason="Which tank?")
    assert why("centre") == ["ask"]
    police = world.handed_in(order, "police")
    assert sorted(why("centre")) == ["ask", "evaluate"]
    assert why("police") == []
    world.act("evaluate", police, "centre", accepted=False, reason="More")
    assert [part["id"] for part in queries.desk(actor=world.who("police"), now=world.now)["in_progress"]] == [police.pk]
    world.act("decline", row, "fire", reason="Not ours")
    assert "declined" in why("centre")


def test_lists_filter_and_page(world: World) -> None:
    orders = [world.issued() for _ in range(5)]
    first, following = queries.instructions(actor=world.who("centre"), now=world.now, size=3)
    assert [row["id"] for row in first] == [order.pk for order in orders[:1:-1]]
    second, end = queries.instructions(actor=world.who("centre"), now=world.now, size=3, after=following)
    assert [row["id"] for row in second] == [orders[1].pk, orders[0].pk]
    assert end is None
    world.act("cancel", orders[0], "centre", reason="No")
    rows, _ = queries.instructions(actor=world.who("centre"), now=world.now, state="open")
    assert len(rows) == 4
    assert queries.instructions(actor=world.who("fire"), now=world.now, mine=True)[0] == []
    assert len(queries.assignments(actor=world.who("fire"), now=world.now, mine=True, state="open")[0]) == 4
    assert len(queries.instructions(actor=world.who("centre"), now=world.now, stale=True)[0]) == 4
    assert queries.instructions(actor=world.who("centre"), now=world.now, overdue=True)[0] == []


@pytest.mark.parametrize("name", ["board", "desk", "instructions", "assignments"])
def test_query_count_does_not_grow(world: World, name: str) -> None:
    calls = {
        "board": lambda: queries.board(actor=world.who("centre"), incident_id=world.incident.pk, now=world.now),
        "desk": lambda: queries.desk(actor=world.who("centre"), now=world.now),
        "instructions": lambda: queries.instructions(actor=world.who("centre"), now=world.now),
        "assignments": lambda: queries.assignments(actor=world.who("centre"), now=world.now),
    }
    busy(world)
    small = count(calls[name])
    for _ in range(3):
        busy(world)
    assert count(calls[name]) == small


def test_one_instruction_at_two_sizes(world: World) -> None:
    few = world.issued(targets=world.targets("fire"))
    many = world.issued(targets=world.targets("fire", "police", "health", "district"))
    for order in (few, many):
        world.acknowledged(order, "fire")
    sizes = {
        count(
            lambda order=order: queries.instruction(actor=world.who("centre"), instruction_id=order.pk, now=world.now)
        )
        for order in (few, many)
    }
    assert len(sizes) == 1
    preview = {
        count(lambda order=order: queries.ladder_of(actor=world.who("centre"), instruction_id=order.pk, now=world.now))
        for order in (few, many)
    }
    assert len(preview) == 1
    ledgers = {
        count(lambda order=order: queries.ledgers(actor=world.who("centre"), instruction_id=order.pk, now=world.now))
        for order in (few, many)
    }
    assert len(ledgers) == 1


def test_preview_says_who_is_on_duty_and_who_hears_when(world: World) -> None:
    order = world.issued()
    rows = queries.burden_of(actor=world.who("centre"), instruction_id=order.pk, now=world.now)
    assert [(row["department"]["id"], row["role"], row["open_assignments"]) for row in rows] == [
        (world.id("fire"), "lead", 1),
        (world.id("police"), "support", 1),
    ]
    assert rows[0]["on_duty"][0]["name"] == "fire duty_officer"
    rungs = [
        rung
        for rung in queries.ladder_of(actor=world.who("centre"), instruction_id=order.pk, now=world.now)
        if rung["department"]["id"] == world.id("fire")
    ]
    assert [rung["step"] for rung in rungs][:5] == [
        "remind_duty",
        "next_on_duty",
        "head",
        "department_above",
        "supervise",
    ]
    assert [rung["seconds"] for rung in rungs][:3] == [600, 900, 1200]
    assert rungs[0]["at"] == order.issued_at + minutes(10)
    assert rungs[2]["people"][0]["name"] == "fire head"


def test_transitions_name_actor_and_department(world: World) -> None:
    order = world.issued()
    row = world.acknowledged(order, "fire")
    moves = queries.transitions(actor=world.who("centre"), instruction_id=order.pk, now=world.now)
    assert [move["move"] for move in moves if move["subject_type"] == "instruction"] == [
        "draft",
        "submit",
        "approve",
        "issue",
    ]
    last = queries.assignment_transitions(actor=world.who("fire"), assignment_id=row.pk, now=world.now)[-1]
    assert (last["move"], last["actor"]["name"], last["department"]["id"]) == (
        "acknowledge",
        "fire duty_officer",
        world.id("fire"),
    )


def test_closing_an_incident_asks_for_open_work(world: World) -> None:
    order = world.issued()
    assert {row["department_id"] for row in queries.open_assignments_of(world.incident.pk)} == {
        world.id("fire"),
        world.id("police"),
    }
    world.act("cancel", order, "centre", reason="No need")
    assert queries.open_assignments_of(world.incident.pk) == []


def test_search_finds_what_the_reader_may_see(world: World) -> None:
    order = world.issued(what="冷却乙二醇储罐", place="Unit 3")
    for text in ("乙二醇", "unit", "罐"):
        found = queries.search(actor=world.who("centre"), text=text, now=world.now)
        assert [row["id"] for row in found] == [order.pk], text
    assert queries.search(actor=world.who("centre"), text="nothing", now=world.now) == []
    assert queries.search(actor=world.who("centre"), text="  !", now=world.now) == []
    assert queries.search(actor=world.who("stranger"), text="unit", now=world.now) == []
    world.act("amend", order, "centre", change_note="Elsewhere", place="Pier 9", what="Leave")
    assert queries.search(actor=world.who("centre"), text="pier", now=world.now) == []
    world.act("approve", order, "centre.approver")
    world.act("issue", order, "centre")
    assert [row["id"] for row in queries.search(actor=world.who("centre"), text="pier", now=world.now)] == [order.pk]


def test_a_version_on_its_way_is_not_for_those_who_will_get_it(world: World) -> None:
    order = world.issued()
    world.act("amend", order, "centre", change_note="Secret until issued", place="Pier 9")

    def seen(who: str) -> list[int]:
        rows = queries.versions(actor=world.who(who), instruction_id=order.pk, now=world.now)
        shown = queries.instruction(actor=world.who(who), instruction_id=order.pk, now=world.now)
        assert [row["n"] for row in rows] == [row["n"] for row in shown["versions"]]
        assert shown["place"] == "Unit 3"
        return [row["n"] for row in rows]

    assert seen("fire") == [1]
    assert seen("centre.commander") == [1, 2]
