"""Is nobody two of data steward, auditor and administrator, whoever tries and however, and who confirms such posts?"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core import checks
from django.core.management import CommandError, call_command
from django.db import IntegrityError, close_old_connections, connection, transaction
from django.utils import translation

from accounts import actions, queries
from accounts.actions.posts import DutiesNotSeparated, NotOnesOwn, post_of
from accounts.actions.proposed import NoSuchProposal, NotItsHead
from accounts.models import Membership, ProposedPost
from coordination.events import clock
from coordination.events.actor import SYSTEM
from coordination.events.models import Event
from coordination.events.refused import Conflict
from tests.accounts.people import LONG_AGO, T0, acting, department, person

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
PAIRS = [
    (one, other) for one in ("data_steward", "auditor", "administrator")
    for other in ("data_steward", "auditor", "administrator")
]  # fmt: skip


def old_rows(who: Any, *posts: tuple[Any, str]) -> None:
    """Memberships as they stood before the rule."""
    for where, kind in posts:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO accounts_membership (person_id, post_id, valid_from) VALUES (%s, %s, %s)",
                [who.pk, post_of(where, kind).pk, LONG_AGO],
            )


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_the_database_itself_refuses_the_second_post(one: str, other: str) -> None:
    fire, water, who = department("fire"), department("water"), person("x")
    Membership.objects.create(person=who, post=post_of(fire, one), valid_from=T0, valid_to=T0 + 2 * DAY)
    second = Membership(person=who, post=post_of(water, other), valid_from=T0 + DAY)
    if one == other:
        second.save()
        return
    with pytest.raises(IntegrityError, match="membership_apart"), transaction.atomic():
        second.save()
    with pytest.raises(IntegrityError, match="membership_apart"), transaction.atomic():
        Membership.objects.bulk_create([second])
    Membership.objects.create(person=who, post=post_of(water, other), valid_from=T0 + 2 * DAY)
    Membership.objects.create(person=person("y"), post=post_of(water, other), valid_from=T0)
    Membership.objects.create(person=who, post=post_of(water, "head"), valid_from=T0)


def test_a_kind_that_is_not_the_posts_own_is_refused() -> None:
    row = Membership.objects.create(person=person("x"), post=post_of(department("fire"), "auditor"), valid_from=T0)
    assert row.kind == "auditor"
    with pytest.raises(IntegrityError, match="membership_kind"), transaction.atomic():
        Membership.objects.filter(pk=row.pk).update(kind="head")


@pytest.fixture(autouse=True)
def _in_chinese() -> Iterator[None]:
    with translation.override("zh-hans"):
        yield


def test_the_refusal_names_the_post_that_is_held() -> None:
    fire = department("fire")
    who = person("x", (fire, "auditor"))
    with pytest.raises(DutiesNotSeparated) as refused:
        actions.appoint(actor=SYSTEM, now=T0, department_id=fire.pk, person_id=who.pk, post="administrator")
    assert refused.value.extra["held"] == "auditor" and "审计员" in str(refused.value.message)


def test_the_command_refuses_too() -> None:
    fire = department("fire")
    person("x", (fire, "auditor"))
    with pytest.raises(CommandError, match="请先结束该岗位"):
        call_command("invite", "x", "fire", "--post", "administrator")
    assert not Membership.objects.filter(post__kind="administrator").exists()


def test_who_held_two_before_the_rule_has_neither_and_is_found() -> None:
    fire, water = department("fire"), department("water")
    who, other = person("x"), person("y", (fire, "auditor"))
    old_rows(who, (fire, "auditor"), (water, "administrator"), (fire, "head"))
    actor = queries.actor_of_person(who.pk, fire.pk, T0)
    assert actor is not None and actor.posts == {"head"}
    assert queries.actor_of_person(who.pk, water.pk, T0) is None
    assert [(place.department.code, place.posts) for place in queries.places_of(who.pk, T0)] == [("fire", ("head",))]
    assert len(queries.groups_of(who.pk, fire.pk, T0)) == 1 and queries.groups_of(who.pk, water.pk, T0) == []
    assert queries.not_apart(T0) == [who]
    (warning,) = [one for one in checks.run_checks(databases=["default"]) if one.id == "accounts.W001"]
    assert "x holds two" in warning.msg
    still = queries.actor_of_person(other.pk, fire.pk, T0)
    assert still is not None and still.posts == {"auditor"}
    row = Membership.objects.get(person=who, post__kind="auditor")
    actions.end_membership(actor=SYSTEM, now=T0, membership_id=row.pk)
    again = queries.actor_of_person(who.pk, water.pk, T0)
    assert again is not None and again.posts == {"administrator"}
    assert queries.not_apart(T0) == []


def test_the_migration_leaves_rows_that_meet_as_they_are() -> None:
    import importlib

    migration = importlib.import_module("accounts.migrations.0005_apart")
    fire, water, both, one = department("fire"), department("water"), person("x"), person("y")
    old_rows(both, (fire, "auditor"), (water, "administrator"), (fire, "head"))
    old_rows(one, (fire, "auditor"))
    with connection.cursor() as cursor:
        cursor.execute(migration.NAMED)
    kinds = Membership.objects.order_by("pk").values_list("person__username", "kind")
    assert list(kinds) == [("x", None), ("x", None), ("x", "head"), ("y", "auditor")]


@pytest.mark.django_db(transaction=True)
def test_two_administrators_race_to_give_one_person_two_posts() -> None:
    fire, water, who = department("fire"), department("water"), person("x")
    came, refused = threading.Barrier(2), []

    def give(where: int, post: str) -> None:
        came.wait()
        try:
            actions.appoint(actor=SYSTEM, now=clock.now(), department_id=where, person_id=who.pk, post=post)
        except DutiesNotSeparated as no:
            refused.append(no.extra["held"])
        finally:
            close_old_connections()
            connection.close()

    pair = [
        threading.Thread(target=give, args=(fire.pk, "data_steward")),
        threading.Thread(target=give, args=(water.pk, "auditor")),
    ]
    for one in pair:
        one.start()
    for one in pair:
        one.join()
    held = list(Membership.objects.values_list("post__kind", flat=True))
    assert len(held) == 1 and refused == held


@pytest.mark.parametrize("post", ["data_steward", "auditor"])
def test_an_administrator_proposes_and_the_head_confirms(post: str) -> None:
    city = department("city")
    fire = department("fire", city)
    who, boss, head = person("x"), person("m", (fire, "administrator")), person("h", (city, "head"))
    administrator, chief = acting(boss, fire, "administrator"), acting(head, city, "head")
    row = actions.appoint(actor=administrator, now=T0, department_id=fire.pk, person_id=who.pk, post=post)
    assert isinstance(row, ProposedPost)
    assert not Membership.objects.filter(person=who).exists(), "nothing is held yet"
    with pytest.raises(Conflict):
        actions.appoint(actor=administrator, now=T0, department_id=fire.pk, person_id=who.pk, post=post)
    assert queries.proposed_posts(administrator, fire.pk) == queries.proposed_posts(chief, fire.pk) == [row]
    with pytest.raises(NotItsHead):
        actions.confirm_post(actor=administrator, now=T0, proposal_id=row.pk)
    made = actions.confirm_post(actor=chief, now=T0 + DAY, proposal_id=row.pk)
    assert (made.person_id, made.post.kind, made.valid_from, made.kind) == (who.pk, post, T0 + DAY, post)
    with pytest.raises(Conflict):
        actions.confirm_post(actor=chief, now=T0, proposal_id=row.pk)
    assert queries.proposed_posts(chief, fire.pk) == []
    told = Event.objects.filter(type__startswith="proposedpost").order_by("id")
    assert [event.type for event in told] == ["proposedpost.proposed", "proposedpost.confirmed"]
    assert told[0].tell == [{"department": fire.pk, "post": "head"}]


def test_four_eyes_are_two_people() -> None:
    fire = department("fire")
    both, who = person("m", (fire, "administrator"), (fire, "head")), person("x", (fire, "head"))
    admin, head = acting(both, fire, "administrator", "head"), acting(who, fire, "head")
    row = actions.appoint(actor=admin, now=T0, department_id=fire.pk, person_id=who.pk, post="auditor")
    for actor in (admin, head):
        with pytest.raises(NotOnesOwn):
            actions.confirm_post(actor=actor, now=T0, proposal_id=row.pk)
    assert not Membership.objects.filter(post__kind="auditor").exists()


def test_others_see_no_proposal_and_both_sides_can_end_it() -> None:
    fire, water = department("fire"), department("water")
    who, boss = person("x"), person("m", (fire, "administrator"))
    head, strange = person("h", (fire, "head")), person("w", (water, "head"))
    admin = acting(boss, fire, "administrator")
    for actor, state in ((admin, "withdrawn"), (acting(head, fire, "head"), "declined")):
        row = actions.appoint(actor=admin, now=T0, department_id=fire.pk, person_id=who.pk, post="data_steward")
        for stranger in (acting(strange, water, "head"), acting(person(f"o{state}"), fire, "commander")):
            assert queries.proposed_posts(stranger, fire.pk) == []
            for act in (actions.confirm_post, actions.decline_post):
                with pytest.raises(NoSuchProposal):
                    act(actor=stranger, now=T0, proposal_id=row.pk)
        assert actions.decline_post(actor=actor, now=T0, proposal_id=row.pk).state == state
    with pytest.raises(NoSuchProposal):
        actions.confirm_post(actor=admin, now=T0, proposal_id=row.pk + 1)


def test_what_was_proposed_is_checked_again_when_it_is_confirmed() -> None:
    fire = department("fire")
    who, boss, head = person("x"), person("m", (fire, "administrator")), person("h", (fire, "head"))
    row = actions.appoint(
        actor=acting(boss, fire, "administrator"), now=T0, department_id=fire.pk, person_id=who.pk, post="auditor",
        valid_to=T0 + DAY,
    )  # fmt: skip
    chief = acting(head, fire, "head")
    with pytest.raises(Conflict, match="over"):
        actions.confirm_post(actor=chief, now=T0 + 2 * DAY, proposal_id=row.pk)
    actions.appoint(actor=SYSTEM, now=T0, department_id=fire.pk, person_id=who.pk, post="administrator")
    with pytest.raises(DutiesNotSeparated):
        actions.confirm_post(actor=chief, now=T0, proposal_id=row.pk)


def test_no_admin_site_hands_out_rows(settings: Any) -> None:
    assert "django.contrib.admin" not in settings.INSTALLED_APPS, "if it comes, it registers no guarded model"


@pytest.mark.parametrize(("post", "told"), [("data_steward", True), ("auditor", True), ("duty_officer", False)])
def test_a_head_hears_when_another_identity_may_come_in_as_who_keeps_data_or_audits(post: str, told: bool) -> None:
    """Who administers could else hold their posts unseen."""
    home = department("watched")
    watched = person(f"watched-{post}", (home, post))
    now = clock.now()
    actions.link_identity(actor=SYSTEM, now=now, person_id=watched.pk, issuer="https://id.example", subject=post)
    event = Event.objects.get(type="identity.linked")
    assert event.tell == ([{"department": home.pk, "post": "head"}] if told else [])
    assert event.payload.get("number", "") == (watched.username if told else "")
