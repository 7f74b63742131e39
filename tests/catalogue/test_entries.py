"""Who may draft, change, publish, confirm and retire an entry, what is refused, and what is on the record?"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts import actions as accounts
from accounts.models import Membership, Person
from coordination.events.actor import SYSTEM, Actor
from coordination.events.models import Event, StreamEntry
from coordination.events.refused import Forbidden, Invalid, MoveNotAllowed, NotFound, VersionConflict
from sharing.catalogue import actions, queries, stewards
from sharing.catalogue.models import Dataset, DatasetGroupObjectPermission, LegalBasis, SchemaVersion
from tests.catalogue.ground import SCHEMA, T0, Ground, held

pytestmark = pytest.mark.django_db


def pointers(no: Invalid) -> set[str]:
    return {one["pointer"] for one in no.errors}


def show(ground: Ground, actor: Actor, row: Dataset) -> dict[str, Any]:
    return queries.dataset(actor=actor, dataset_id=row.pk, now=ground.now)


def test_from_draft_to_retirement_each_step_is_on_the_record(ground: Ground) -> None:
    steward, basis = ground.actor("health"), ground.basis()
    row = ground.draft(sharing="conditional", legal_basis_id=basis.pk, conditions_en="For rescue only.")
    actions.add_schema(actor=steward, now=T0, dataset_id=row.pk, schema=SCHEMA, if_version=1)
    actions.publish(actor=steward, now=T0, dataset_id=row.pk, if_version=2)
    later = T0 + timedelta(days=200)
    actions.confirm(actor=steward, now=later, dataset_id=row.pk, if_version=3)
    actions.change(actor=steward, now=later, dataset_id=row.pk, title_en="Free beds", if_version=4)
    shown = show(ground, ground.actor("fire"), row)
    assert shown["title_en"] == "Free beds" and shown["version"] == 5
    assert shown["confirmed_at"] == later and shown["confirm_by"] == later + timedelta(days=365)
    assert shown["schema"]["number"] == 1 and [one["key"] for one in shown["schema"]["fields"]] == [True, False, False]
    assert shown["allowed_actions"] == []
    assert [one["action"] for one in show(ground, steward, row)["allowed_actions"]] == [
        "change", "add_schema", "confirm", "retire",
    ]
    actions.retire(actor=steward, now=later, dataset_id=row.pk, if_version=5)
    assert show(ground, ground.actor("fire"), row)["state"] == "retired"
    types = list(Event.objects.filter(object_type="catalogue.dataset").order_by("pk").values_list("type", flat=True))
    assert types == [
        "dataset.drafted", "dataset.schema_added", "dataset.published", "dataset.confirmed", "dataset.changed",
        "dataset.retired",
    ]
    homes = set(
        StreamEntry.objects.filter(event__object_type="catalogue.dataset").values_list("stream", flat=True)
    )
    assert homes == {f"department:{ground.departments['health'].pk}", f"dataset:{row.pk}"}


@pytest.mark.parametrize("who", ["fire/data_steward", "health/duty_officer"])
@pytest.mark.parametrize("act", ["change", "add_schema", "publish", "confirm", "retire"])
def test_nobody_but_its_steward_changes_an_entry(ground: Ground, who: str, act: str) -> None:
    row = ground.published()
    actor = ground.actor(*who.split("/"))
    more: dict[str, Any] = {"change": {"title_en": "Mine"}, "add_schema": {"schema": SCHEMA}}.get(act, {})
    with pytest.raises(Forbidden):
        getattr(actions, act)(actor=actor, now=T0, dataset_id=row.pk, **more)
    row.refresh_from_db()
    assert row.version == 3 and row.title_en == "Data of beds"


def test_stewardship_ends_with_the_membership_and_passes_to_who_comes_after(ground: Ground) -> None:
    row, before = ground.published(), ground.actor("health")
    accounts.end_membership(actor=SYSTEM, now=T0, membership_id=held(ground, "health").pk)
    after = Person.objects.create(username="next")
    accounts.appoint(
        actor=SYSTEM, now=T0, department_id=ground.departments["health"].pk, person_id=after.pk, post="data_steward"
    )
    later = T0 + timedelta(seconds=1)
    assert not stewards.may_steward(before, row, later)
    heir = Actor("person", after.pk, ground.departments["health"].pk, frozenset({"data_steward"}))
    assert stewards.may_steward(heir, row, later)
    assert not after.groups.exists(), "groups have no dates: nobody is put into one"


def test_no_superuser_and_no_user_permission_passes(ground: Ground) -> None:
    row = ground.published()
    boss = Person.objects.create(username="boss", is_superuser=True)
    actor = Actor("person", boss.pk, ground.departments["health"].pk, frozenset({"data_steward"}))
    assert not stewards.may_steward(actor, row, T0)
    client = Actor("client", 1, ground.departments["health"].pk)
    assert not stewards.may_steward(client, row, T0)
    assert DatasetGroupObjectPermission.objects.filter(content_object=row).count() == 1
    assert Membership.objects.filter(person=boss).count() == 0


def test_only_stewards_draft_and_only_for_their_own_department(ground: Ground) -> None:
    with pytest.raises(Forbidden):
        actions.draft(
            actor=ground.actor("health", "duty_officer"), now=T0, code="x", title_en="X", frequency="daily"
        )
    row = ground.draft(department_id=ground.departments["fire"].pk)
    assert row.department_id == ground.departments["health"].pk
    with pytest.raises(Forbidden):
        actions.add_legal_basis(
            actor=ground.actor("fire", "duty_officer"), now=T0, instrument_zh="法", in_force_from=date(2020, 1, 1)
        )


def test_codes_are_ones_own_and_say_nothing_of_others(ground: Ground) -> None:
    ground.confidential("same")
    assert ground.draft("same", "fire").pk
    with pytest.raises(Exception) as no:
        ground.draft("same", "health")
    assert no.value.code == "code_taken"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("given", "at"),
    [
        ({"code": "No Spaces"}, "/code"),
        ({"title_zh": "", "title_en": ""}, "/title_zh"),
        ({"frequency": "sometimes"}, "/frequency"),
        ({"theme": "no_such"}, "/theme"),
        ({"area": "31A"}, "/area"),
        ({"grace": -1}, "/grace"),
        ({"grace": True}, "/grace"),
        ({"classification": 5}, "/classification"),
        ({"classification": "2"}, "/classification"),
        ({"sharing": "secret"}, "/sharing"),
        ({"sharing": "conditional"}, "/legal_basis"),
        ({"sharing": "none"}, "/legal_basis"),
        ({"classification": 3}, "/sharing"),
        ({"legal_basis_id": 987654321}, "/legal_basis"),
        ({"legal_basis_id": 2**70}, "/legal_basis"),
        ({"contact": "a\x00b"}, "/contact"),
        ({"description_en": "x" * 4001}, "/description_en"),
    ],
)
def test_what_cannot_be_kept_is_refused_at_its_field(ground: Ground, given: dict[str, Any], at: str) -> None:
    with pytest.raises(Invalid) as no:
        ground.draft(**({"code": "one"} | given))
    assert at in pointers(no.value)
    assert not Dataset.objects.exists()


@pytest.mark.parametrize(
    "given",
    [
        {"sharing": "conditional"}, {"sharing": "none"}, {"classification": 3}, {"classification": 4},
        {"classification": 0}, {"classification": 5}, {"sharing": "other"}, {"state": "other"}, {"grace": -1},
        {"title_zh": "", "title_en": ""},
    ],
)
def test_the_database_holds_the_rules_too(ground: Ground, given: dict[str, Any]) -> None:
    row = ground.draft()
    with pytest.raises(IntegrityError), transaction.atomic():
        Dataset.objects.filter(pk=row.pk).update(**given)


def test_the_database_holds_one_current_schema_and_each_number_once(ground: Ground) -> None:
    row = ground.published()
    for current, number in ((True, 2), (False, 1), (False, 0)):
        with pytest.raises(IntegrityError), transaction.atomic():
            SchemaVersion.objects.create(
                dataset=row, number=number, document=SCHEMA, added_at=T0, current=current
            )


def test_the_next_schema_follows_and_the_earlier_stays_as_it_was(ground: Ground) -> None:
    row, steward = ground.published(), ground.actor("health")
    wider = SCHEMA | {"fields": [*SCHEMA["fields"], {"name": "ward", "title_en": "Ward"}]}
    actions.add_schema(actor=steward, now=T0, dataset_id=row.pk, schema=wider)
    rows = queries.schemas(actor=ground.actor("fire"), dataset_id=row.pk, now=T0)
    assert [(one["number"], one["current"], len(one["document"]["fields"])) for one in rows] == [
        (2, True, 4), (1, False, 3),
    ]
    assert rows[1]["document"] == SCHEMA
    with pytest.raises(TypeError):
        SchemaVersion.objects.get(number=1).save()
    found, _next = queries.datasets(actor=ground.actor("fire"), now=T0, q="ward")
    assert [one["id"] for one in found] == [row.pk]


def test_publishing_needs_what_others_must_find(ground: Ground) -> None:
    steward = ground.actor("health")
    gone = ground.basis(article="1", in_force_to=date(2021, 1, 1))
    row = ground.draft(sharing="conditional", legal_basis_id=gone.pk, contact="")
    with pytest.raises(Invalid) as no:
        actions.publish(actor=steward, now=T0, dataset_id=row.pk)
    assert pointers(no.value) == {"/contact", "/conditions_zh", "/legal_basis", "/schema"}
    row.refresh_from_db()
    assert row.state == "draft" and row.version == 1


def test_a_published_entry_stays_publishable_and_new_terms_begin_a_new_year(ground: Ground) -> None:
    steward, later = ground.actor("health"), T0 + timedelta(days=300)
    row = ground.published()
    with pytest.raises(Invalid) as no:
        actions.change(actor=steward, now=later, dataset_id=row.pk, contact="")
    assert pointers(no.value) == {"/contact"}
    with pytest.raises(MoveNotAllowed):
        actions.confirm(actor=steward, now=later, dataset_id=row.pk)
    row = actions.change(
        actor=steward, now=later, dataset_id=row.pk, sharing="none", legal_basis_id=ground.basis().pk
    )
    assert row.confirmed_at == later
    row = actions.change(
        actor=steward, now=later + timedelta(days=1), dataset_id=row.pk, description_en="Only other words."
    )
    assert row.confirmed_at == later
    same = actions.change(actor=steward, now=later, dataset_id=row.pk, description_en="Only other words.")
    assert same.version == row.version, "what says the same is no new version"


def test_fields_of_class_4_stand_only_in_entries_of_class_4(ground: Ground) -> None:
    steward = ground.actor("health")
    secret = SCHEMA | {"fields": [*SCHEMA["fields"], {"name": "s", "title_en": "S", "classification": 4}]}
    open_one, closed = ground.draft(), ground.confidential()
    with pytest.raises(Invalid):
        actions.add_schema(actor=steward, now=T0, dataset_id=open_one.pk, schema=secret)
    actions.add_schema(actor=steward, now=T0, dataset_id=closed.pk, schema=secret)
    with pytest.raises(Invalid) as no:
        actions.change(actor=steward, now=T0, dataset_id=closed.pk, classification=3)
    assert pointers(no.value) == {"/classification"}


@pytest.mark.parametrize("act", ["publish", "confirm", "retire", "change"])
def test_a_decision_on_an_older_version_is_refused(ground: Ground, act: str) -> None:
    row = ground.published(sharing="none", legal_basis_id=ground.basis().pk)
    with pytest.raises(VersionConflict) as no:
        getattr(actions, act)(actor=ground.actor("health"), now=T0, dataset_id=row.pk, if_version=1)
    assert no.value.extra == {"version": 3}


def test_drafts_and_class_4_are_as_if_they_were_not_there(ground: Ground) -> None:
    for row in (ground.draft("draft"), ground.confidential()):
        for who in (ground.actor("fire"), Actor("display", 1, ground.departments["health"].pk)):
            with pytest.raises(NotFound) as hidden:
                show(ground, who, row)
            with pytest.raises(NotFound) as absent:
                queries.dataset(actor=who, dataset_id=987654321, now=T0)
            assert str(hidden.value.message) == str(absent.value.message)
            with pytest.raises(NotFound):
                queries.schemas(actor=who, dataset_id=row.pk, now=T0)
        assert show(ground, ground.actor("health", "duty_officer"), row)["id"] == row.pk
        with pytest.raises(NotFound):  # before any right is asked
            actions.retire(actor=ground.actor("fire"), now=T0, dataset_id=row.pk)


def test_a_legal_basis_is_entered_once_and_checked(ground: Ground) -> None:
    ground.basis()
    with pytest.raises(Exception) as twice:
        ground.basis()
    assert twice.value.code == "already_there"  # type: ignore[attr-defined]
    for wrong, at in (
        ({"url": "javascript:alert(1)"}, "/url"), ({"in_force_to": date(2019, 1, 1)}, "/in_force_to"),
        ({"instrument_zh": " "}, "/instrument_zh"),
    ):
        with pytest.raises(Invalid) as no:
            ground.basis(**({"article": "9"} | wrong))
        assert pointers(no.value) == {at}
    with pytest.raises(IntegrityError), transaction.atomic():
        LegalBasis.objects.update(in_force_to=date(2019, 1, 1))
