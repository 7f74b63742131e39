"""Do moves of what is not issued stay with those who may read it: in the timeline, in streams, on the record?"""

from __future__ import annotations

import pytest

from coordination.events import streams
from coordination.events.models import Event, StreamEntry
from coordination.instructions import queries
from coordination.instructions.deadlines import InstructionHandler
from incidents import queries as incidents
from tests.instructions.world import World

pytestmark = pytest.mark.django_db

BEFORE = {"instruction.draft", "instruction.submit", "instruction.approve"}


def told(world: World, who: str) -> set[str]:
    rows, _more = incidents.timeline(actor=world.who(who), incident_id=world.incident.pk, now=world.now, size=200)
    return {row["kind"] for row in rows}


def test_a_draft_is_told_to_its_issuer_and_command_alone_until_it_is_issued(world: World) -> None:
    world.issued()  # fire and police take part, and see all of the incident
    seen = Event.objects.order_by("-pk").values_list("pk", flat=True)[0]
    draft = world.draft("centre")
    events = Event.objects.filter(pk__gt=seen, object_id=draft.pk)
    assert {one.type for one in events} & BEFORE
    told = set(StreamEntry.objects.filter(event__in=events).values_list("stream", flat=True))
    assert told == {streams.department(world.id(code)) for code in ("centre", "city")}


def test_the_timeline_tells_of_a_draft_where_it_may_be_read(world: World) -> None:
    world.draft("fire")
    assert "instruction.draft" in told(world, "fire")
    assert "instruction.draft" in told(world, "centre")
    assert "instruction.draft" not in told(world, "police")


def test_the_record_of_a_version_not_in_force_is_its_readers_own(world: World) -> None:
    order = world.issued()
    world.act("amend", order, "centre", headline_en="Not yet", change_note="the secret reason")

    def record(who: str) -> list[str]:
        rows = queries.transitions(actor=world.who(who), instruction_id=order.pk, now=world.now)
        return [row["move"] for row in rows if (row["data"] or {}).get("n") == 2]

    assert "amend" in record("centre")
    assert record("police") == []
    amended = Event.objects.get(type="instruction.amend", object_id=order.pk)
    told_to = StreamEntry.objects.filter(event=amended).values_list("stream", flat=True)
    assert streams.incident(world.incident.pk) not in told_to
    world.act("approve", world.fresh(order), "centre.approver")
    world.act("issue", world.fresh(order), "centre")
    assert "amend" in record("police")


def test_a_clock_of_a_draft_is_not_told_in_the_incident(world: World) -> None:
    draft, order, handler = world.draft("fire"), world.issued(), InstructionHandler()
    parties = handler.parties(handler.lock([draft.pk])[draft.pk])
    assert parties.streams[0] == streams.department(draft.issuer_id)
    assert streams.incident(world.incident.pk) not in parties.streams
    assert handler.parties(handler.lock([order.pk])[order.pk]).streams == ()
