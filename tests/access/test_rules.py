"""What does taking part open of datasets by standing rules, until when, and at what cost?"""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from coordination.config import tasks, visibility
from coordination.deadlines.models import Alarm
from coordination.events.actor import SYSTEM, Actor
from incidents.models import Incident
from sharing import access
from sharing.access.models import Grant, ShareRule
from sharing.access.queries.sight import Unseen
from tests.access.city import T0, department, incident, person

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
DATASET = 7


@pytest.fixture
def city() -> SimpleNamespace:
    """A centre beside bureaus, one of them with a station, and an incident."""
    root = department("root", kind="district")
    centre = department("centre", root, "command_centre")
    fire, health, water, late = (department(name, root) for name in ("fire", "health", "water", "late"))
    return SimpleNamespace(
        centre=centre, fire=fire, health=health, water=water, late=late, station=department("station", fire),
        incident=incident(fire),
    )


def rule(city: SimpleNamespace, now: datetime = T0, dataset_id: int = DATASET, **given: Any) -> ShareRule:
    """A rule of the water office, in force from now on."""
    said = {"role": "support", "fields": {"name": "full"}, "max_class": 2, "valid_from": now, **given}
    made, _concerned = access.make_rule(
        actor=SYSTEM, dataset_id=dataset_id, department_id=city.water.pk, terms=access.RuleTerms(**said), now=now
    )
    return made


def join(row: Incident, who: Any, role: str = "support", at: datetime = T0) -> None:
    access.join(
        actor=SYSTEM, incident_id=row.pk, department_id=who.pk, role=role, response_level=row.response_level,
        opened_at=row.opened_at, now=at,
    )


def has(who: Any, at: datetime, dataset_id: int = DATASET) -> bool:
    """Whether a department has data at a moment."""
    try:
        return bool(access.held(person(who), dataset_id, at).openings)
    except Unseen:
        return False


def level(row: Incident, value: int | None, at: datetime) -> None:
    row.response_level = value
    row.save(update_fields=["response_level"])
    access.relevel(incident_id=row.pk, response_level=value, now=at)


def close(row: Incident, at: datetime) -> None:
    row.closed_at = at
    row.save(update_fields=["closed_at"])
    access.close(incident_id=row.pk, now=at)


def test_joining_opens_it_and_leaving_takes_it_back_by_the_clock(city: SimpleNamespace) -> None:
    rule(city)
    assert not has(city.health, T0)
    join(city.incident, city.health)
    assert has(city.health, T0)
    assert has(city.health, T0 + 1000 * HOUR)
    access.leave(incident_id=city.incident.pk, department_id=city.health.pk, now=T0 + HOUR)
    assert has(city.health, T0 + 25 * HOUR - timedelta(seconds=1))
    assert not has(city.health, T0 + 25 * HOUR)


def test_only_who_takes_part_gets_it_and_the_command_centre_of_a_lead(city: SimpleNamespace) -> None:
    rule(city)
    rule(city, role="lead")
    rule(city, role="informed")
    join(city.incident, city.station)
    assert [has(one, T0) for one in (city.station, city.fire, city.centre)] == [True, False, False]
    join(city.incident, city.health, "lead")
    assert [has(one, T0) for one in (city.health, city.fire, city.centre)] == [True, False, True]


def test_no_department_gets_its_own_data_masked_beside_whole(city: SimpleNamespace) -> None:
    rule(city)
    join(city.incident, city.water)
    assert not has(city.water, T0)


@pytest.mark.parametrize(
    ("path", "opens"),
    [("", True), ("accident", True), ("accident.fire", True), ("accident.fi", False), ("accident.fire.forest", False)],
)
def test_a_rule_holds_for_a_type_and_all_below_it(city: SimpleNamespace, path: str, opens: bool) -> None:
    rule(city, type_path=path)
    join(city.incident, city.health)
    assert has(city.health, T0) == opens


def test_another_type_opens_and_closes_at_once(city: SimpleNamespace) -> None:
    rule(city, type_path="natural")
    rule(city, type_path="accident", dataset_id=8)
    join(city.incident, city.health)
    assert (has(city.health, T0), has(city.health, T0, 8)) == (False, True)
    Incident.everything.filter(pk=city.incident.pk).update(type="natural.flood")
    assert access.follow_head(incident_ids=[city.incident.pk], now=T0 + HOUR) == [city.health.pk]
    assert (has(city.health, T0 + HOUR), has(city.health, T0 + HOUR, 8)) == (True, False)


@pytest.mark.parametrize(("grace", "kept"), [(None, 0), (2 * 3600, 2)])
def test_a_higher_level_opens_and_a_lower_one_narrows(city: SimpleNamespace, grace: int | None, kept: int) -> None:
    rule(city, lowest_level=2, grace=grace)
    join(city.incident, city.health)
    assert not has(city.health, T0)
    level(city.incident, 3, T0)
    assert not has(city.health, T0)
    level(city.incident, 2, T0)
    assert has(city.health, T0)
    level(city.incident, 1, T0)
    assert has(city.health, T0)
    level(city.incident, 4, T0 + HOUR)
    assert has(city.health, T0 + (1 + kept) * HOUR) is False
    assert has(city.health, T0 + (1 + kept) * HOUR - timedelta(seconds=1))


def test_another_role_replaces_what_the_earlier_one_opened_at_once(city: SimpleNamespace) -> None:
    rule(city)
    rule(city, role="informed", dataset_id=8)
    join(city.incident, city.health)
    join(city.incident, city.health, "informed", T0 + HOUR)
    assert (has(city.health, T0 + HOUR), has(city.health, T0 + HOUR, 8)) == (False, True)


def test_a_closed_incident_keeps_it_for_a_day_and_one_opened_again_gives_it_back(city: SimpleNamespace) -> None:
    rule(city)
    rule(city, role="lead", dataset_id=8)
    join(city.incident, city.fire, "lead")
    join(city.incident, city.health)
    close(city.incident, T0)
    for who, dataset in ((city.health, 7), (city.fire, 8), (city.centre, 8)):
        assert has(who, T0 + 24 * HOUR - timedelta(seconds=1), dataset)
        assert not has(who, T0 + 24 * HOUR, dataset)
    city.incident.closed_at = None
    city.incident.save()
    join(city.incident, city.health, at=T0 + 48 * HOUR)
    join(city.incident, city.fire, "lead", T0 + 48 * HOUR)
    assert [has(city.health, T0 + 90 * HOUR), has(city.fire, T0 + 90 * HOUR, 8)] == [True, True]


def test_class_three_is_kept_by_no_grace(city: SimpleNamespace) -> None:
    rule(city, max_class=3, grace=7200)
    join(city.incident, city.health)
    assert has(city.health, T0 + HOUR - timedelta(seconds=1))
    access.leave(incident_id=city.incident.pk, department_id=city.health.pk, now=T0 + HOUR)
    assert not has(city.health, T0 + HOUR)


@pytest.mark.parametrize(
    ("given", "opens"), [({}, True), ({"max_class": 3}, False), ({"personal": True}, False)]
)
def test_an_exercise_opens_nothing_restricted_and_nothing_of_persons(
    city: SimpleNamespace, given: dict[str, Any], opens: bool
) -> None:
    drill = incident(city.fire)
    Incident.everything.filter(pk=drill.pk).update(exercise=True)
    rule(city, **given)
    join(drill, city.health)
    assert has(city.health, T0) == opens
    join(city.incident, city.health)
    assert has(city.health, T0)


def test_open_incidents_follow_a_rule_made_and_ended_at_once(city: SimpleNamespace) -> None:
    join(city.incident, city.health)
    made = rule(city)
    assert has(city.health, T0)
    access.leave(incident_id=city.incident.pk, department_id=city.health.pk, now=T0 + HOUR)
    assert has(city.health, T0 + 2 * HOUR)
    assert access.end_rules(actor=SYSTEM, rule_ids=[made.pk], why="enough", now=T0 + 2 * HOUR) == [city.health.pk]
    assert not has(city.health, T0 + 2 * HOUR)


def test_a_rule_begins_and_ends_by_the_clock_alone(city: SimpleNamespace) -> None:
    rule(city, valid_from=T0 + 5 * HOUR, valid_to=T0 + 10 * HOUR)
    join(city.incident, city.health)
    assert [has(city.health, T0 + n * HOUR) for n in (0, 4, 5, 9, 10)] == [False, False, True, True, False]
    access.leave(incident_id=city.incident.pk, department_id=city.health.pk, now=T0 + HOUR)
    assert not has(city.health, T0 + 6 * HOUR)  # it had not begun, so nothing is kept


def test_what_waits_for_a_second_person_opens_nothing_before(city: SimpleNamespace) -> None:
    made = rule(city, max_class=3, needs_second=True)
    join(city.incident, city.health)
    assert not has(city.health, T0)
    with pytest.raises(IntegrityError), transaction.atomic():
        access.confirm_rule(actor=SYSTEM, rule_id=made.pk, now=T0)
    _rule, concerned = access.confirm_rule(actor=Actor("person", 5), rule_id=made.pk, now=T0)
    assert concerned == [city.health.pk]
    assert has(city.health, T0)


def test_what_was_revoked_for_one_department_stays_so_while_its_part_lasts(city: SimpleNamespace) -> None:
    rule(city)
    join(city.incident, city.health)
    grant = Grant.objects.get(source="rule")
    Grant.objects.filter(pk=grant.pk).update(revoked_at=T0)
    level(city.incident, 1, T0)
    assert not has(city.health, T0)
    assert access.drift(T0) == (0, 0)


def test_joining_and_ending_cost_the_same_whatever_the_number_of_rules(city: SimpleNamespace) -> None:
    def asked(who: Any) -> list[int]:
        counts = []
        for act in (
            lambda: join(city.incident, who), lambda: level(city.incident, 1, T0), lambda: level(city.incident, 3, T0),
            lambda: access.leave(incident_id=city.incident.pk, department_id=who.pk, now=T0),
        ):
            with CaptureQueriesContext(connection) as found:
                act()
            counts.append(len(found))
        return counts

    rule(city, lowest_level=2)
    join(city.incident, city.fire, "lead")
    asked(city.station)
    few = asked(city.health)
    for n in range(30):
        rule(city, dataset_id=100 + n, lowest_level=2)
    assert asked(city.late) == few
    assert Grant.objects.filter(source="rule").count() == 2 + 31


def test_the_check_finds_what_no_rule_carries_what_lasts_too_long_and_what_is_missing(city: SimpleNamespace) -> None:
    rule(city)
    join(city.incident, city.health)
    assert access.drift(T0) == (0, 0)
    row = Grant.objects.get(source="rule")
    rows = Grant.objects.filter(pk=row.pk)
    rows.update(filter={"field": "name", "op": "eq", "value": "x"})
    assert access.drift(T0) == (1, 1)
    rows.update(filter={}, valid_to=T0 + HOUR)
    assert access.drift(T0) == (1, 1)
    rows.delete()
    assert access.drift(T0) == (0, 1)
    row.pk = None
    row.save()
    Grant.objects.create(**{
        name: getattr(row, name) for name in ("object_type", "object_id", "actions", "policy", "fields", "incident_id",
                                              "source", "role", "because", "valid_from", "rule_id")
    }, scope=access.models.Scope.objects.get(kind="department", key=str(city.centre.pk)))  # fmt: skip
    assert access.drift(T0) == (1, 0)
    Grant.objects.filter(scope__key=str(city.centre.pk), source="rule").delete()
    access.leave(incident_id=city.incident.pk, department_id=city.health.pk, now=T0)
    assert access.drift(T0) == (0, 0)
    Grant.objects.filter(source="rule").update(valid_to=T0 + 30 * HOUR)
    assert access.drift(T0) == (1, 0)


def test_the_nightly_check_finds_a_row_planted_by_hand_and_raises_the_alarm(city: SimpleNamespace) -> None:
    made = rule(city)
    join(city.incident, city.health)
    assert visibility.check(actor=SYSTEM, now=T0) == (0, 0)
    assert not Alarm.objects.exists()
    row = Grant.objects.get(rule_id=made.pk)
    row.pk, row.because = None, f"department:{city.fire.pk}"
    row.save()
    tasks.check_visibility()
    alarm = Alarm.objects.get(kind="visibility_drift", settled_at=None)
    assert alarm.detail == {"extra": 1, "missing": 0}
    Grant.objects.filter(pk=row.pk).delete()
    tasks.check_visibility()
    assert not Alarm.objects.filter(settled_at=None).exists()


@pytest.mark.parametrize("made_first", [True, False])
def test_a_retired_holder_gets_nothing_and_stands_in_nobodys_way(city: SimpleNamespace, made_first: bool) -> None:
    join(city.incident, city.health)
    if made_first:
        rule(city)
    access.retire(actor=SYSTEM, now=T0, kind="department", key=str(city.health.pk))
    assert not has(city.health, T0) and access.drift(T0) == (0, 0)
    standing = rule(city, role="lead") if made_first else rule(city)
    assert access.opened_data([city.incident.pk], T0) == []
    join(city.incident, city.late)
    join(city.incident, city.health)
    assert has(city.health, T0) and has(city.late, T0) and access.drift(T0) == (0, 0)
    level(city.incident, 1, T0)
    access.end_rules(actor=SYSTEM, rule_ids=[standing.pk], why="over", now=T0)
    access.leave(incident_id=city.incident.pk, department_id=city.health.pk, now=T0)
    close(city.incident, T0 + HOUR)
    assert access.drift(T0 + 30 * HOUR) == (0, 0)
