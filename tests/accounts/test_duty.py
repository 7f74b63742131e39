"""Who is on duty at which moment, and how is duty planned?"""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Barrier, Thread
from types import SimpleNamespace

import pytest
from django.db import connection

from accounts import actions, queries
from accounts.actions.duty import NotFitForDuty, NotYourShift, ShiftOver, ShiftOverlaps
from accounts.actions.may import NotRosterPlanner, SomebodyChangedIt
from accounts.models import Shift
from coordination.events.actor import SYSTEM
from coordination.events.refused import Conflict, Invalid
from tests.accounts.people import T0, acting, department, person

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


def make() -> SimpleNamespace:
    """Fire with three duty officers and a head; water with one officer and no roster."""
    fire, water = department("fire"), department("water")
    return SimpleNamespace(
        fire=fire,
        water=water,
        a=person("a", (fire, "duty_officer")),
        b=person("b", (fire, "duty_officer")),
        c=person("c", (fire, "commander")),
        head=person("h", (fire, "head")),
        w=person("w", (water, "duty_officer")),
    )


@pytest.fixture
def place(db) -> SimpleNamespace:
    """See `make`."""
    return make()


def plan(place: SimpleNamespace, frm: float, to: float, who: object = None, deputy: object = None) -> Shift:
    """Plan a shift of the fire department, hours from T0."""
    return actions.plan_shift(
        actor=SYSTEM, now=T0, department_id=place.fire.pk, starts=T0 + frm * HOUR, ends=T0 + to * HOUR,
        person_id=getattr(who, "pk", None), deputy_id=getattr(deputy, "pk", None),
    )


def names(found: list[queries.Reachable]) -> list[tuple[str, str]]:
    """(name, via) of people."""
    return [(one.name_en, one.via) for one in found]


def at_fire(place: SimpleNamespace, at: datetime) -> list[tuple[str, str]]:
    """Who is on duty at the fire department."""
    return names(queries.on_duty(place.fire.pk, at))


def test_boundaries(place: SimpleNamespace) -> None:
    plan(place, 0, 12, place.a)
    plan(place, 12, 24, place.b)
    standing = [("a", "standing"), ("b", "standing")]
    assert at_fire(place, T0 - SECOND) == standing
    assert at_fire(place, T0) == [("a", "shift")]
    assert at_fire(place, T0 + 12 * HOUR - SECOND) == [("a", "shift")]
    assert at_fire(place, T0 + 12 * HOUR) == [("b", "shift")]
    assert at_fire(place, T0 + 24 * HOUR) == standing
    assert names(queries.on_duty(place.water.pk, T0)) == [("w", "standing")]
    assert queries.uncovered(place.fire.pk, T0 - HOUR, T0 + 25 * HOUR) == [
        (T0 - HOUR, T0), (T0 + 24 * HOUR, T0 + 25 * HOUR)
    ]


def test_deputy_empty_and_next(place: SimpleNamespace) -> None:
    first = plan(place, 0, 12, place.a, place.c)
    plan(place, 12, 24, place.a)
    plan(place, 24, 36, place.b)
    empty = plan(place, 36, 48)
    assert names(queries.next_on_duty(place.fire.pk, T0)) == [("c", "deputy")]
    actions.mark_absent(actor=SYSTEM, now=T0, shift_id=first.pk)
    assert at_fire(place, T0) == [("c", "deputy")]
    assert names(queries.next_on_duty(place.fire.pk, T0)) == [("a", "next_shift")]
    assert names(queries.next_on_duty(place.fire.pk, T0 + 12 * HOUR)) == [("b", "next_shift")]
    assert queries.empty_shifts(T0, T0 + 48 * HOUR) == [empty]
    assert at_fire(place, T0 + 40 * HOUR) == []
    actions.set_deputy(actor=SYSTEM, now=T0, shift_id=first.pk, deputy_id=None)
    assert at_fire(place, T0) == []
    assert {s.pk for s in queries.empty_shifts(T0, T0 + 48 * HOUR)} == {first.pk, empty.pk}
    assert names(queries.next_on_duty(place.water.pk, T0)) == []


def test_people_who_left_are_not_reachable(place: SimpleNamespace) -> None:
    plan(place, 0, 12, place.a, place.b)
    actions.deactivate_person(actor=SYSTEM, now=T0, person_id=place.a.pk)
    assert at_fire(place, T0) == [("b", "deputy")]
    assert names(queries.heads(place.fire.pk, T0)) == [("h", "post")]
    actions.end_membership(actor=SYSTEM, now=T0, membership_id=place.head.memberships.get().pk)
    assert names(queries.heads(place.fire.pk, T0 - SECOND)) == [("h", "post")]
    assert names(queries.heads(place.fire.pk, T0)) == []


@pytest.mark.parametrize("size", [2, 20])
def test_bulk_forms_cost_the_same_at_any_size(db, size: int, django_assert_num_queries) -> None:
    places = [department(f"d{n}") for n in range(size)]
    for n, one in enumerate(places):
        who = person(f"p{n}", (one, "duty_officer"), (one, "head"))
        if n % 2:
            Shift.objects.create(department=one, starts=T0, ends=T0 + HOUR, person=who)
    ids = [one.pk for one in places]
    with django_assert_num_queries(2):
        assert all(queries.on_duty_many(ids, T0).values())
    with django_assert_num_queries(2):
        assert set(queries.next_on_duty_many(ids, T0)) == set(ids)
    with django_assert_num_queries(1):
        assert all(queries.heads_many(ids, T0).values())


def test_shifts_never_overlap(place: SimpleNamespace) -> None:
    first = plan(place, 0, 12, place.a)
    for frm, to in ((-1, 1), (0, 12), (3, 4), (11, 13), (-1, 13)):
        with pytest.raises(ShiftOverlaps) as refused:
            plan(place, frm, to, place.b)
        assert refused.value.extra["shift"] == first.pk
    plan(place, 12, 13, place.b)
    plan(place, -1, 0, place.b)
    for frm, to in ((5, 5), (6, 5), (20, 93)):
        with pytest.raises(Invalid):
            plan(place, frm, to, place.b)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_plan_at_once_one_wins() -> None:
    place = make()
    ready, results = Barrier(2), []

    def run(who: object) -> None:
        try:
            ready.wait()
            plan(place, 0, 12, who)
            results.append("planned")
        except ShiftOverlaps:
            results.append("refused")
        finally:
            connection.close()

    threads = [Thread(target=run, args=(who,)) for who in (place.a, place.b)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["planned", "refused"]
    assert Shift.objects.count() == 1


def test_only_the_departments_own_people_are_planned_by_its_own_heads(place: SimpleNamespace) -> None:
    with pytest.raises(NotFitForDuty):
        plan(place, 0, 12, place.w)
    with pytest.raises(Invalid):
        plan(place, 0, 12, place.a, place.a)
    shift = actions.plan_shift(
        actor=acting(place.head, place.fire, "head"), now=T0, department_id=place.fire.pk,
        starts=T0, ends=T0 + HOUR, person_id=place.a.pk,
    )
    for actor in (acting(place.a, place.fire, "duty_officer"), acting(place.w, place.water, "head", "administrator")):
        with pytest.raises(NotRosterPlanner):
            actions.assign_shift(actor=actor, now=T0, shift_id=shift.pk, person_id=place.b.pk)
    head = acting(place.head, place.fire, "head")
    changed = actions.assign_shift(actor=head, now=T0, shift_id=shift.pk, person_id=place.b.pk, if_version=1)
    assert (changed.person, changed.version) == (place.b, 2)
    with pytest.raises(SomebodyChangedIt):
        actions.assign_shift(actor=head, now=T0, shift_id=shift.pk, person_id=place.a.pk, if_version=1)
    with pytest.raises(ShiftOver):
        actions.assign_shift(actor=head, now=T0 + HOUR, shift_id=shift.pk, person_id=place.a.pk)


def test_hand_over(place: SimpleNamespace) -> None:
    night, day = plan(place, 0, 12, place.a), plan(place, 12, 24, place.b, place.c)
    b, c = acting(place.b, place.fire, "duty_officer"), acting(place.c, place.fire, "commander")
    with pytest.raises(NotYourShift):
        actions.take_over(actor=acting(place.a, place.fire, "duty_officer"), now=T0, shift_id=day.pk)
    when = T0 + 12 * HOUR
    actions.take_over(actor=b, now=when, shift_id=day.pk, note="pump 3 is out")
    night.refresh_from_db()
    assert night.note == "pump 3 is out"
    with pytest.raises(Conflict):
        actions.take_over(actor=b, now=when, shift_id=day.pk)
    actions.take_over(actor=c, now=when + HOUR, shift_id=day.pk)
    assert at_fire(place, when + HOUR) == [("c", "deputy")]
    actions.take_over(actor=b, now=when + 2 * HOUR, shift_id=day.pk)
    assert at_fire(place, when + 2 * HOUR) == [("b", "shift")]
    actions.leave_note(actor=b, now=when + 3 * HOUR, shift_id=day.pk, note="all quiet")
    with pytest.raises(ShiftOver):
        actions.leave_note(actor=b, now=T0 + 37 * HOUR, shift_id=day.pk, note="late")
    with pytest.raises(ShiftOver):
        actions.remove_shift(actor=SYSTEM, now=when, shift_id=day.pk)
    later = plan(place, 24, 36)
    actions.remove_shift(actor=SYSTEM, now=when, shift_id=later.pk)
    assert not Shift.objects.filter(pk=later.pk).exists()
