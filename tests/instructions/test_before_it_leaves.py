"""Contradictions, rules as data and holes in the ladder: is trouble seen before an order leaves?"""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from coordination.events.refused import Conflict
from coordination.instructions import queries
from coordination.instructions.models import Approval, ApprovalRule, ConflictRule
from tests.instructions.world import World

pytestmark = pytest.mark.django_db
ROAD = [{"kind": "road", "code": "G15"}]


def test_contradictions_are_signed_one_by_one(world: World) -> None:
    call_command("load_rules", stdout=io.StringIO())
    first = world.issued(verb="close", objects_named=ROAD)
    order = world.draft(verb="use", objects_named=ROAD)
    world.act("submit", order, "centre")
    with pytest.raises(Conflict) as refused:
        world.act("approve", order, "centre.approver")
    assert refused.value.code == "conflicts_unsigned"
    found = queries.conflicts_of(actor=world.who("centre"), instruction_id=order.pk, now=world.now)
    assert [(row["rule"], row["other"]["id"], row["signed_by"]) for row in found] == [
        ("close-and-use-road", first.pk, None)
    ]
    signed = [{"key": found[0]["key"], "reason": "Fire engines only"}]
    world.act("approve", order, "centre.approver", signed_conflicts=signed)
    assert Approval.everything.get(version__instruction=order).signed_conflicts == signed
    shown = queries.conflicts(actor=world.who("centre"), instruction_id=order.pk, now=world.now, n=1)
    assert shown[0]["signed_by"] == "Fire engines only"


def test_no_contradiction_outside_the_window_or_after_the_end(world: World) -> None:
    call_command("load_rules", stdout=io.StringIO())
    first = world.issued(verb="close", objects_named=ROAD)
    later = world.draft(
        verb="use", objects_named=ROAD, starts_at=world.now + timedelta(hours=3), due_at=world.now + timedelta(hours=4)
    )
    world.act("submit", later, "centre")
    assert world.act("approve", later, "centre.approver").state == "approved"
    world.act("cancel", first, "centre", reason="Open again")
    world.act("cancel", later, "centre", reason="Open again")
    order = world.draft(verb="use", objects_named=ROAD)
    world.act("submit", order, "centre")
    assert world.act("approve", order, "centre.approver").state == "approved"


def test_due_before_what_it_builds_on(world: World) -> None:
    first = world.issued()
    order = world.draft(linked_id=first.pk, due_at=world.now + timedelta(hours=1))
    found = queries.conflicts_of(actor=world.who("centre"), instruction_id=order.pk, now=world.now)
    assert [row["rule"] for row in found] == ["due_before_prerequisite"]


def test_issue_first_shows_and_never_blocks(world: World) -> None:
    call_command("load_rules", stdout=io.StringIO())
    world.issued(verb="close", objects_named=ROAD)
    order = world.draft(verb="use", objects_named=ROAD, urgency="immediate")
    assert len(queries.conflicts_of(actor=world.who("centre"), instruction_id=order.pk, now=world.now)) == 1
    assert world.act("issue_first", order, "centre.commander", reason="Now").state == "issued"


def test_rules_load_twice_and_bad_files_are_refused(tmp_path: Path) -> None:
    for _ in range(2):
        call_command("load_rules", stdout=io.StringIO())
    assert ApprovalRule.objects.get().approvals == 1
    assert ConflictRule.objects.count() == 11
    for text in (
        "approvals: [{approvals: 9}]",
        "approvals: [{basis: royal, approvals: 1}]",
        "conflicts: [{code: x}]",
        "- 1",
    ):
        bad = tmp_path / "bad.yaml"
        bad.write_text(text)
        with pytest.raises(CommandError):
            call_command("load_rules", str(bad), stdout=io.StringIO())
