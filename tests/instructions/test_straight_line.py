"""Does an order go from draft to closed, with every step on the record?"""

from __future__ import annotations

from uuid import uuid4

import pytest

from coordination.deadlines.models import Deadline
from coordination.events.models import Event, StreamEntry
from coordination.events.refused import Forbidden, Invalid, MoveNotAllowed, NotFound, VersionConflict
from coordination.instructions import actions as do
from coordination.instructions.models import ApprovalRule, Transition
from tests.instructions.world import World, minutes

pytestmark = pytest.mark.django_db


def live(row) -> set[str]:
    """Kinds of a subject's live deadlines."""
    rows = Deadline.objects.filter(subject_type=row._meta.label_lower, subject_id=row.pk, state="armed")
    return set(rows.values_list("kind", flat=True))


def test_from_draft_to_closed(world: World) -> None:
    order = world.draft()
    assert (order.state, order.basis, order.number) == ("draft", "command", 1)
    order = world.act("submit", order, "centre")
    assert order.state == "in_approval"
    assert live(order) == {"approve"}
    order = world.act("approve", order, "centre.approver")
    assert order.state == "approved"
    assert live(order) == {"start"}
    order = world.act("issue", order, "centre")
    assert order.state == "issued"
    assert live(order) == set()
    for code in ("fire", "police"):
        row = world.on(order, code)
        assert (row.state, row.ball) == ("issued", "platform")
        assert live(row) == {"acknowledge", "complete"}
        world.later(minutes(1))
        world.act("receive", row, f"{code}.observer", version=1)
        row = world.act("acknowledge", row, code, version=1)
        assert (row.state, row.acknowledged_version, row.evidence_grade) == ("acknowledged", 1, "system")
        assert live(row) == {"start", "complete"}
        row = world.act("start", row, code, who_goes="Team 1")
        assert live(row) == {"progress", "complete"}
        row = world.act("feedback", row, code, version=1, percent=40, text="Half way")
        assert (row.state, row.percent) == ("in_progress", 40)
    police = world.act("feedback", world.on(order, "police"), "police", version=1, percent=100, text="Done", final=True)
    assert live(police) == {"evaluate"}
    assert police.ball == str(world.id("centre"))
    police = world.act("evaluate", police, "centre", accepted=True, outcome="good", timeliness="")
    assert police.state == "closed"
    assert world.fresh(order).state == "issued"
    fire = world.act("feedback", world.on(order, "fire"), "fire", version=1, percent=100, text="Done", final=True)
    fire = world.act("evaluate", fire, "centre", accepted=False, reason="One tank is still hot")
    assert (fire.state, fire.returns) == ("in_progress", 1)
    assert live(fire) == {"complete", "progress"}
    fire = world.act("feedback", fire, "fire", version=1, percent=100, text="Cold", final=True)
    fire = world.act("evaluate", fire, "centre", accepted=True, outcome="excellent")
    order = world.fresh(order)
    assert (fire.state, order.state, order.percent, order.ball) == ("closed", "closed", 100, "")
    assert not Deadline.objects.filter(state="armed", subject_type__startswith="instructions").exists()
    moves = list(
        Transition.everything.filter(subject_type="instruction").order_by("version").values_list("move", flat=True)
    )
    assert moves == ["draft", "submit", "approve", "issue", "close"]


def test_every_move_is_recorded_once_for_its_audiences(world: World) -> None:
    order = world.issued()
    row = world.acknowledged(order, "fire")
    event = Event.objects.get(type="assignment.acknowledge")
    assert event.object_id == row.pk
    assert event.version == row.version
    assert event.tell == [{"department": world.id("centre"), "post": "duty_officer"}]
    named = set(StreamEntry.objects.filter(event=event).values_list("stream", flat=True))
    assert named == {
        f"incident:{world.incident.pk}",
        f"department:{world.id('centre')}",
        f"department:{world.id('fire')}",
    }
    told = Event.objects.filter(type="assignment.issue").values_list("tell", flat=True)
    assert {entry["department"] for tell in told for entry in tell} == {world.id("fire"), world.id("police")}


@pytest.mark.parametrize("needed", [0, 1, 2])
def test_approval_rule_is_data(world: World, needed: int) -> None:
    ApprovalRule.objects.create(type="accident", response_level=2, basis="command", approvals=needed)
    ApprovalRule.objects.create(approvals=1)
    order = world.draft(type="accident.chemical")
    order = world.act("submit", order, "centre")
    for index, who in enumerate(("centre.approver", "centre.head")[:needed]):
        assert order.state == "in_approval"
        order = world.act("approve", order, who)
        assert order.state == ("approved" if index + 1 == needed else "in_approval")
    assert order.state == "approved"
    assert live(order) == {"start"}


def test_four_eyes(world: World) -> None:
    """S7: four eyes."""
    order = do.draft(actor=world.who("centre.head"), now=world.now, incident_id=world.incident.pk, **world.content())
    world.act("edit", order, "centre", place="Unit 4")
    world.act("submit", order, "centre.commander")
    for author in ("centre.head", "centre.commander"):
        with pytest.raises(Forbidden) as refused:
            world.act("approve", order, author)
        assert refused.value.code == "same_person"
    with pytest.raises(Forbidden):
        world.act("approve", order, "centre")
    assert world.act("approve", order, "centre.approver").state == "approved"


def test_refusals_name_state_and_what_is_allowed(world: World) -> None:
    order = world.issued()
    row = world.on(order, "fire")
    with pytest.raises(MoveNotAllowed) as refused:
        world.act("start", row, "fire", who_goes="Team 1")
    assert refused.value.extra["state"] == "issued"
    assert "acknowledge" in refused.value.extra["allowed"]
    with pytest.raises(NotFound):
        world.act("acknowledge", row, "stranger", version=1)
    with pytest.raises(Forbidden):
        world.act("acknowledge", row, "police", version=1)
    with pytest.raises(VersionConflict):
        world.act("cancel", order, "centre", reason="No", if_version=1)


def test_an_order_must_say_what_by_when_and_who_leads(world: World) -> None:
    order = do.draft(actor=world.who("centre"), now=world.now, incident_id=world.incident.pk, text="")
    with pytest.raises(Invalid) as refused:
        world.act("submit", order, "centre")
    assert {error["pointer"] for error in refused.value.errors} == {"/what", "/due_at", "/targets"}
    twice = [*world.targets("fire"), *world.targets("fire")]
    with pytest.raises(Invalid):
        world.act("edit", order, "centre", targets=twice)
    with pytest.raises(Invalid):
        world.act("edit", order, "centre", what="nul \x00")
    with pytest.raises(Invalid):
        world.act("edit", order, "centre", nonsense=1)


def test_clients_draft_and_report_but_never_decide(world: World) -> None:
    """S7: clients draft and report but never decide."""
    order = world.draft("centre.client")
    with pytest.raises(Forbidden):
        world.act("submit", order, "centre.client")
    world.act("submit", order, "centre")
    with pytest.raises(Forbidden):
        world.act("approve", order, "centre.client")
    with pytest.raises(Forbidden):
        world.act("approve", order, "centre")
    world.act("approve", order, "centre.approver")
    world.act("issue", order, "centre")
    row = world.on(order, "fire")
    assert world.act("acknowledge", row, "fire.client", version=1).state == "delivered"
    row = world.act("acknowledge", row, "fire.client", version=1, reader="Li Lei")
    assert (row.state, row.evidence_grade) == ("acknowledged", "api")
    assert world.act("feedback", row, "fire.client", version=1, percent=10, text="On site").state == "in_progress"


def test_command_id_has_its_effect_once(world: World) -> None:

    key = uuid4()
    first = do.draft(
        actor=world.who("centre"), now=world.now, incident_id=world.incident.pk, command_id=key, what="Once"
    )
    again = do.draft(
        actor=world.who("centre"), now=world.now, incident_id=world.incident.pk, command_id=key, what="Once"
    )
    assert first.pk == again.pk
