"""Does one steward alone open what was restricted by lowering its class first?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from coordination.events.models import Event
from sharing.access.models import Grant
from sharing.catalogue import actions, deciders, queries
from sharing.catalogue.deciders import FourEyes
from sharing.catalogue.models import Agreement, Dataset, ShareRequest
from tests.catalogue.ground import SCHEMA, T0, Ground
from tests.catalogue.requesting import DAY, add, asked, conditional

pytestmark = pytest.mark.django_db
FIELDS = ["id", "beds"]
MONTH = deciders.LOWERED_FOR


def lowered(ground: Ground, by: str, **more: Any) -> Dataset:
    """An entry whose class, or whose field's, was 3 and is no longer."""
    if by == "entry":
        row = conditional(ground, classification=3)
        return actions.change(actor=ground.actor("health"), now=T0, dataset_id=row.pk, classification=2, **more)
    row = conditional(ground, "wards")
    fields = [{**field, "classification": 1} for field in SCHEMA["fields"]]
    actions.add_schema(actor=ground.actor("health"), now=T0, dataset_id=row.pk, schema=SCHEMA | {"fields": fields})
    row.refresh_from_db()
    return row


def given(ground: Ground, row: Dataset, now: Any = T0) -> ShareRequest:
    return actions.give(
        actor=ground.actor("health"), now=now, dataset_id=row.pk, department_id=ground.departments["fire"].pk,
        fields=FIELDS, purpose="Plan", valid_to=now + 30 * DAY,
    )  # fmt: skip


@pytest.mark.parametrize("by", ["entry", "field"])
def test_what_is_given_after_lowering_still_takes_two_persons_and_two_signatures(ground: Ground, by: str) -> None:
    row = lowered(ground, by)
    request = given(ground, row)
    assert (request.state, Grant.objects.filter(source="agreement").count()) == ("screened", 0)
    with pytest.raises(FourEyes):
        actions.grant_request(actor=ground.actor("health"), now=T0, request_id=request.pk)
    actions.grant_request(actor=add(ground, "health", "data_steward", "second"), now=T0, request_id=request.pk)
    assert Agreement.objects.get().to_be_signed
    assert not Grant.objects.filter(source="agreement").exists()


def test_a_request_screened_by_one_is_not_granted_by_the_same(ground: Ground) -> None:
    row = lowered(ground, "entry")
    request = asked(ground, row)
    actions.screen_request(actor=ground.actor("health"), now=T0, request_id=request.pk)
    seen = queries.request(actor=ground.actor("health"), now=T0, request_id=request.pk)
    assert "grant" not in [one["action"] for one in seen["allowed_actions"]]
    with pytest.raises(FourEyes):
        actions.grant_request(actor=ground.actor("health"), now=T0, request_id=request.pk)


def test_nothing_is_given_by_a_rule_alone(ground: Ground) -> None:
    """Neither unconditionally, nor by a standing offer, nor to whoever takes part, before a second person agrees."""
    row = lowered(ground, "entry", sharing="unconditional")
    assert asked(ground, row).state == "submitted"
    rule = actions.make_rule(
        actor=ground.actor("health"), now=T0, dataset_id=row.pk, role="lead", shown=dict.fromkeys(FIELDS, "full")
    )
    assert rule.needs_second
    other = lowered(ground, "field")
    with pytest.raises(FourEyes):
        actions.set_offer(
            actor=ground.actor("health"), now=T0, dataset_id=other.pk, fields=FIELDS, longest_days=30
        )


def test_after_a_month_it_is_as_its_class_says_and_the_head_has_heard(ground: Ground) -> None:
    row = lowered(ground, "entry")
    entry = queries.dataset(actor=ground.actor("health"), now=T0, dataset_id=row.pk)
    assert entry["guarded_until"] == T0 + MONTH
    assert queries.dataset(actor=ground.actor("fire"), now=T0, dataset_id=row.pk)["guarded_until"] is None
    event = Event.objects.get(type="dataset.lowered")
    assert event.tell == [{"department": row.department_id, "post": "head"}]
    assert (event.payload["number"], event.payload["headline_en"]) == (row.code, row.title_en)
    assert given(ground, row, T0 + MONTH - timedelta(seconds=1)).state == "screened"
    assert given(ground, row, T0 + MONTH).state == "granted"


@pytest.mark.parametrize("terms", [{"classification": 1}, {"contact": "Room 7"}])
def test_what_never_was_restricted_is_given_by_one(ground: Ground, terms: dict[str, Any]) -> None:
    row = conditional(ground)
    actions.change(actor=ground.actor("health"), now=T0, dataset_id=row.pk, **terms)
    assert not Event.objects.filter(type="dataset.lowered").exists()
    assert given(ground, row).state == "granted"


def test_a_draft_may_be_lowered_as_nobody_was_promised_anything(ground: Ground) -> None:
    row = ground.draft(
        "new", classification=3, sharing="conditional", legal_basis_id=ground.basis().pk, conditions_en="Ask."
    )
    row = actions.change(actor=ground.actor("health"), now=T0, dataset_id=row.pk, classification=2)
    assert row.lowered_at is None


def test_what_was_given_unconditionally_ends_when_it_is_shared_with_nobody_any_more(ground: Ground) -> None:
    row = conditional(ground)
    actions.change(actor=ground.actor("health"), now=T0, dataset_id=row.pk, sharing="unconditional")
    assert asked(ground, row).state == "granted"
    assert Grant.objects.get(source="unconditional").revoked_at is None
    later = T0 + DAY
    actions.change(actor=ground.actor("health"), now=later, dataset_id=row.pk, sharing="none")
    ended = Grant.objects.get(source="unconditional")
    assert (ended.revoked_at, ended.revoked_by) == (later, ground.actor("health").key)
    assert Event.objects.filter(type="access.changed", object_id=row.pk).exists()
