"""Who says what taking part opens of a dataset by itself, and what is refused?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from accounts import actions as accounts
from accounts.models import Department, Person
from coordination.events.actor import SYSTEM, Actor
from coordination.events.models import Event
from coordination.events.refused import Forbidden, Invalid, NotFound
from sharing import access
from sharing.access.queries.sight import Unseen
from sharing.catalogue import actions, queries
from sharing.catalogue.actions import ruling
from sharing.catalogue.models import Dataset
from tests.access.city import incident
from tests.catalogue.ground import T0, Ground

pytestmark = pytest.mark.django_db
BEDS = {"beds": "full"}
PHONE = {"phone": {"mask": "partial", "end": 2}}


def make(ground: Ground, dataset: Dataset, by: Actor | None = None, **given: Any) -> Any:
    said = {"role": "support", "shown": BEDS, **given}
    return actions.make_rule(actor=by or ground.actor("health"), now=ground.now, dataset_id=dataset.pk, **said)


def another_steward(ground: Ground, post: str = "data_steward") -> Actor:
    person = Person.objects.create(username=f"second-{post}")
    accounts.appoint(
        actor=SYSTEM, now=T0 - timedelta(days=1), department_id=ground.departments["health"].pk, person_id=person.pk,
        post=post,
    )
    return Actor("person", person.pk, ground.departments["health"].pk, frozenset({post}))


def joined(ground: Ground, code: str = "fire") -> Any:
    row = incident(ground.departments[code], T0)
    access.join(
        actor=SYSTEM, incident_id=row.pk, department_id=ground.departments[code].pk, role="support",
        response_level=None, opened_at=T0, now=T0,
    )
    return row


def has(ground: Ground, dataset: Dataset, code: str = "fire") -> bool:
    try:
        return bool(access.held(ground.actor(code), dataset.pk, ground.now).openings)
    except Unseen:
        return False


def told(type: str) -> list[Any]:
    return list(Event.objects.filter(type=type).order_by("pk").values_list("payload", flat=True))


def test_a_rule_opens_open_incidents_at_once_and_tells_who_gained_and_lost(ground: Ground) -> None:
    dataset = ground.published()
    joined(ground)
    rule = make(ground, dataset)
    assert has(ground, dataset)
    assert told("access.changed") == [{"class": 2, "dataset": dataset.pk}]
    actions.end_rule(actor=ground.actor("health"), now=T0, dataset_id=dataset.pk, rule_id=rule.pk, why="over")
    assert not has(ground, dataset)
    assert [len(told(f"share_rule.{name}")) for name in ("made", "ended")] == [1, 1]
    assert len(told("access.changed")) == 2
    with pytest.raises(ruling.RuleSettled):
        actions.end_rule(actor=ground.actor("health"), now=T0, dataset_id=dataset.pk, rule_id=rule.pk)


def test_stewards_alone_make_and_end_rules(ground: Ground) -> None:
    dataset = ground.published()
    rule = make(ground, dataset)
    for who in (ground.actor("fire"), ground.actor("health", "duty_officer")):
        with pytest.raises(Forbidden):
            make(ground, dataset, who)
        with pytest.raises(Forbidden):
            actions.end_rule(actor=who, now=T0, dataset_id=dataset.pk, rule_id=rule.pk)
    hidden = ground.draft("hidden")
    with pytest.raises(NotFound):
        make(ground, hidden, ground.actor("fire"))
    with pytest.raises(NotFound):
        actions.end_rule(
            actor=ground.actor("health"), now=T0, dataset_id=ground.published("other").pk, rule_id=rule.pk
        )


def test_the_rules_are_read_by_the_department_that_keeps_the_data(ground: Ground) -> None:
    dataset = ground.published()
    rule = make(ground, dataset, type="accident", lowest_level=2, grace=3600)
    for post in ("data_steward", "duty_officer"):
        (row,) = queries.rules(actor=ground.actor("health", post), now=T0, dataset_id=dataset.pk)
        assert (row["id"], row["state"], row["type"], row["lowest_level"]) == (rule.pk, "stands", "accident", 2)
    with pytest.raises(Forbidden):
        queries.rules(actor=ground.actor("fire"), now=T0, dataset_id=dataset.pk)


def test_class_three_waits_for_another_steward_or_the_head(ground: Ground) -> None:
    dataset = ground.published()
    joined(ground)
    rule = make(ground, dataset, shown=PHONE)
    assert (rule.needs_second, has(ground, dataset)) == (True, False)
    about = {"now": T0, "dataset_id": dataset.pk, "rule_id": rule.pk}
    with pytest.raises(ruling.NeedsAnother):
        actions.confirm_rule(actor=ground.actor("health"), **about)
    for who in (ground.actor("fire"), ground.actor("health", "duty_officer")):
        with pytest.raises(Forbidden):
            actions.confirm_rule(actor=who, **about)
    actions.confirm_rule(actor=another_steward(ground), **about)
    assert has(ground, dataset)
    with pytest.raises(ruling.RuleSettled):
        actions.confirm_rule(actor=another_steward(ground, "head"), **about)


def test_a_personal_field_shown_whole_waits_for_a_second_person_too(ground: Ground) -> None:
    schema = {"fields": [{"name": "id", "type": "string", "title_en": "Number", "mask": "null"}]}
    dataset = ground.draft("people", personal=True)
    actions.add_schema(actor=ground.actor("health"), now=T0, dataset_id=dataset.pk, schema=schema)
    actions.publish(actor=ground.actor("health"), now=T0, dataset_id=dataset.pk)
    assert not make(ground, dataset, shown={"id": {"mask": "null"}}).needs_second
    assert make(ground, dataset, shown={"id": "full"}).needs_second


def test_what_is_not_shared_not_published_or_of_class_four_has_no_rules(ground: Ground) -> None:
    none = ground.published("none", sharing="none", legal_basis_id=ground.basis().pk)
    for dataset in (none, ground.draft("begun"), ground.confidential()):
        with pytest.raises(ruling.NotByRule):
            make(ground, dataset)


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"role": "reporter"}, "/role"),
        ({"lowest_level": 5}, "/lowest_level"),
        ({"type": "no.such"}, "/type"),
        ({"grace": -1}, "/grace"),
        ({"grace": 10**9}, "/grace"),
        ({"shown": {}}, "/shown"),
        ({"shown": {"no": "full"}}, "/shown/no"),
        ({"shown": "full"}, "/shown"),
        ({"filter": {"field": "phone", "op": "eq", "value": "1"}}, "/filter/field"),
        ({"valid_to": T0}, "/valid_to"),
    ],
)
def test_what_cannot_be_is_refused_at_its_place(ground: Ground, given: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Invalid) as no:
        make(ground, ground.published(), **given)
    assert [error["pointer"] for error in no.value.errors] == [pointer]


@pytest.mark.parametrize("change", [{"classification": 3, "sharing": "conditional"}, {"personal": True}])
def test_narrower_terms_and_retiring_end_the_rules(ground: Ground, change: dict[str, Any]) -> None:
    steward = ground.actor("health")
    joined(ground)
    dataset, other = ground.published(conditions_en="ask"), ground.published("other")
    make(ground, dataset)
    make(ground, other)
    actions.change(actor=steward, now=T0, dataset_id=dataset.pk, title_en="New")
    assert has(ground, dataset)
    if "sharing" in change:
        change = change | {"legal_basis_id": ground.basis().pk}
    actions.change(actor=steward, now=T0, dataset_id=dataset.pk, **change)
    assert not has(ground, dataset)
    actions.retire(actor=steward, now=T0, dataset_id=other.pk)
    assert not has(ground, other)


def test_the_room_says_what_is_open_to_whom(ground: Ground) -> None:
    dataset, hidden = ground.published(), ground.published("gone")
    row = joined(ground)
    make(ground, dataset)
    make(ground, hidden)
    Dataset.objects.filter(pk=hidden.pk).update(state="draft")

    def told_to(actor: Actor, *, commands: bool = False, at: Any = T0) -> list[int]:
        found = queries.opened_in(actor=actor, incident_ids=[row.pk], commands=commands, now=at)
        return [len(found["mine"]), len(found["others"])]

    assert told_to(ground.actor("fire")) == [1, 0]
    assert told_to(ground.actor("health")) == [0, 2]
    assert told_to(ground.actor("health", "duty_officer")) == [0, 0]
    assert told_to(ground.actor("water")) == [0, 0]
    assert told_to(ground.actor("water"), commands=True) == [0, 1]
    access.leave(incident_id=row.pk, department_id=Department.objects.get(code="fire").pk, now=T0)
    (line,) = queries.opened_in(actor=ground.actor("fire"), incident_ids=[row.pk], commands=False, now=T0)["mine"]
    assert line["until"] == T0 + timedelta(hours=24)
    assert told_to(ground.actor("fire"), at=T0 + timedelta(hours=24)) == [0, 0]


def test_a_rule_whose_time_is_over_is_confirmed_by_nobody(ground: Ground) -> None:
    row = ground.published()
    rule = make(ground, row, shown=PHONE, valid_to=T0 + timedelta(days=1))
    assert rule.needs_second
    ground.now = T0 + timedelta(days=1)
    with pytest.raises(ruling.RuleSettled):
        actions.confirm_rule(
            actor=another_steward(ground, "head"), now=ground.now, dataset_id=row.pk, rule_id=rule.pk
        )
