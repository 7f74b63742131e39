"""Is a step that would find nobody known before anybody needs it, and forgotten once somebody stands there?"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import actions as accounts
from accounts.models import Department, Membership, Person, Shift
from coordination.deadlines.models import Alarm
from coordination.events import clock, relay
from coordination.events.actor import SYSTEM
from coordination.instructions.actions.proving import prove_ladders
from coordination.notify.models import Notice
from tests.instructions.world import World, build, minutes

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def world() -> World:
    """The small city with a duty officer and a deputy in every department for ten days."""
    made = build()
    made.now = clock.now()
    for code, department in made.departments.items():
        for day in range(10):
            Shift.objects.create(
                department=department, starts=made.now + (day - 1) * DAY, ends=made.now + day * DAY,
                person_id=made.who(code).id, deputy_id=made.who(f"{code}.commander").id,
            )
    return made


def holes() -> dict[tuple[str, str], str]:
    """{(department, step): why} of open alarms."""
    rows = Alarm.objects.filter(kind="ladder_hole", settled_at=None)
    names = dict(Department.objects.values_list("pk", "short_en"))
    return {(names[row.department_id], row.detail["step"]): row.detail["why"] for row in rows}


def nobody(world: World, code: str, *posts: str) -> None:
    kinds = posts or ("duty_officer", "commander", "head")
    Membership.objects.filter(post__department=world.departments[code], post__kind__in=kinds).update(
        valid_to=world.now + 3 * DAY
    )


def test_a_full_roster_has_no_hole_and_quiet_departments_are_not_asked(world: World) -> None:
    nobody(world, "stranger")
    Shift.objects.filter(department=world.departments["stranger"]).delete()
    world.issued(targets=world.targets("dfire"))
    assert prove_ladders(actor=SYSTEM, now=world.now) == 0
    assert holes() == {}


def test_a_shift_without_anybody_is_a_hole_days_ahead_told_to_them_and_to_command(world: World) -> None:
    world.issued(by="district", targets=world.targets("dfire"))
    Shift.objects.filter(department=world.departments["dfire"], starts__gte=world.now + 4 * DAY).update(
        person=None, deputy=None
    )
    nobody(world, "dfire", "duty_officer")
    assert prove_ladders(actor=SYSTEM, now=world.now) >= 1
    assert holes()["dfire", "remind_duty"] == "nobody"
    alarm = Alarm.objects.get(kind="ladder_hole", key=f"{world.id('dfire')}:remind_duty")
    assert alarm.detail["from"] >= (world.now + 3 * DAY).isoformat()
    while relay.run_once():
        pass
    told = set(Notice.objects.filter(text_key="alarm.raised").values_list("person_id", flat=True))
    assert {world.who("dfire").id, world.who("centre").id} <= told
    Shift.objects.filter(department=world.departments["dfire"]).update(person_id=world.who("dfire.head").id)
    Membership.objects.update(valid_to=None)
    Shift.objects.filter(department=world.departments["dfire"]).update(deputy_id=world.who("dfire.commander").id)
    prove_ladders(actor=SYSTEM, now=world.now + minutes(1))
    assert holes() == {}


@pytest.mark.parametrize(
    ("code", "step"),
    [("centre", "supervise"), ("city", "department_above"), ("fire", "head"), ("fire", "next_on_duty")],
)
def test_every_step_of_the_ladder_is_looked_at(world: World, code: str, step: str) -> None:
    world.issued(targets=world.targets("fire"))
    department = world.departments[code]
    if step == "next_on_duty":
        Shift.objects.filter(department=department).update(deputy=None)
        Shift.objects.filter(department=department, starts__gt=world.now + DAY).delete()
    else:
        Membership.objects.filter(post__department=department).exclude(post__kind="approver").update(
            valid_to=world.now + 2 * DAY
        )
        Shift.objects.filter(department=department, starts__gte=world.now + DAY).update(person=None, deputy=None)
    prove_ladders(actor=SYSTEM, now=world.now)
    assert (code, step) in holes()


def test_people_without_number_and_address_are_a_hole(world: World) -> None:
    world.issued(targets=world.targets("fire"))
    Person.objects.filter(pk=world.who("fire.head").id).update(phone="", email="")
    prove_ladders(actor=SYSTEM, now=world.now)
    assert holes() == {("fire", "head"): "no_contact"}


def test_a_change_of_the_roster_is_looked_at_at_once(world: World) -> None:
    world.issued(targets=world.targets("fire"))
    world.issued(targets=world.targets("dfire"))
    nobody(world, "dfire")
    while relay.run_once():
        pass
    assert holes() == {}
    head = Membership.objects.get(person_id=world.who("fire.head").id)
    accounts.end_membership(actor=SYSTEM, now=world.now, membership_id=head.pk, at=world.now + DAY)
    while relay.run_once():
        pass
    assert set(holes()) == {("fire", "head")}, "the other department's roster has not changed"
    accounts.appoint(
        actor=SYSTEM, now=world.now, person_id=world.who("fire.approver").id, department_id=world.id("fire"),
        post="head",
    )
    while relay.run_once():
        pass
    assert holes() == {}


def test_every_change_of_a_roster_is_heard_of(world: World) -> None:
    fire = world.departments["fire"]
    shift = Shift.objects.filter(department=fire).latest("starts")
    person = Person.objects.get(pk=world.who("fire.approver").id)
    world.issued(targets=world.targets("fire"))
    Membership.objects.filter(post__department=fire, post__kind="head").update(valid_to=world.now + DAY)
    accounts.remove_shift(actor=SYSTEM, now=world.now, shift_id=shift.pk)
    while relay.run_once():
        pass
    assert ("fire", "head") in holes()
    accounts.appoint(actor=SYSTEM, now=world.now, person_id=person.pk, department_id=fire.pk, post="head")
    while relay.run_once():
        pass
    assert ("fire", "head") not in holes()
    accounts.deactivate_person(actor=SYSTEM, now=world.now, person_id=person.pk)
    while relay.run_once():
        pass
    assert ("fire", "head") in holes()


def test_the_proof_costs_the_same_for_few_and_many_orders(world: World) -> None:
    counts = []
    for more in (1, 4):
        for _ in range(more):
            world.issued(targets=world.targets("fire", "police"))
        with CaptureQueriesContext(connection) as seen:
            prove_ladders(actor=SYSTEM, now=world.now)
        counts.append(len(seen))
    assert counts[0] == counts[1]
