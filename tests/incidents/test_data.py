"""Do datasets follow what happens to an incident, act by act, and what is left after it?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from coordination.events.actor import SYSTEM
from incidents import actions
from incidents.models import Incident, LogEntry
from sharing import access
from sharing.access.queries.sight import Unseen
from tests.incidents.cast import T0, City, explosion, fresh

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
DAY = 24 * HOUR


def rule(city: City, dataset_id: int = 7, **given: Any) -> int:
    """A rule of the neighbour's, in force."""
    said = {"role": "support", "fields": {"name": "full"}, "max_class": 2, "valid_from": T0, **given}
    made, _concerned = access.make_rule(
        actor=SYSTEM, dataset_id=dataset_id, department_id=city["neighbour"].pk, terms=access.RuleTerms(**said), now=T0
    )
    return made.pk


def has(city: City, code: str, at: datetime, dataset_id: int = 7) -> bool:
    try:
        return bool(access.held(city.actor(code), dataset_id, at).openings)
    except Unseen:
        return False


def invite(city: City, row: Incident, code: str, role: str = "support", at: datetime = T0) -> None:
    actions.invite(actor=city.actor("centre"), now=at, incident_id=row.pk, department_id=city[code].pk, role=role)


def level(city: City, row: Incident, value: int | None, at: datetime) -> None:
    actions.set_scale(
        actor=city.actor("centre"), now=at, incident_id=row.pk, scale="response_level", value=value, why="as it stands"
    )


def move(city: City, row: Incident, *names: str, at: datetime) -> None:
    for name in names:
        actions.move(actor=city.actor("centre"), now=at, incident_id=row.pk, to=name, why="it is so")


def test_levels_roles_leaving_closing_and_opening_again_by_the_clock_alone(city: City) -> None:
    rule(city)
    rule(city, 8, lowest_level=2)
    rule(city, 9, role="lead")
    row = explosion(city)
    assert [has(city, code, T0, 9) for code in ("fire", "centre", "city", "ministry")] == [True, True, False, False]
    invite(city, row, "health")
    assert (has(city, "health", T0), has(city, "health", T0, 8)) == (True, False)
    level(city, row, 2, T0 + HOUR)
    assert has(city, "health", T0 + HOUR, 8)
    level(city, row, 3, T0 + 2 * HOUR)
    assert not has(city, "health", T0 + 2 * HOUR, 8)
    invite(city, row, "health", "informed", T0 + 3 * HOUR)
    assert not has(city, "health", T0 + 3 * HOUR)
    invite(city, row, "traffic", at=T0 + 3 * HOUR)
    actions.leave(
        actor=city.actor("traffic"), now=T0 + 4 * HOUR, incident_id=row.pk, department_id=city["traffic"].pk
    )
    assert (has(city, "traffic", T0 + 27 * HOUR), has(city, "traffic", T0 + 28 * HOUR)) == (True, False)
    move(city, row, "verify", "respond", "control", "close", at=T0 + 30 * HOUR)
    assert (has(city, "fire", T0 + 53 * HOUR, 9), has(city, "fire", T0 + 54 * HOUR, 9)) == (True, False)
    move(city, row, "reopen", at=T0 + 60 * HOUR)
    assert has(city, "fire", T0 + 200 * HOUR, 9)
    assert access.drift(T0 + 60 * HOUR) == (0, 0)


def test_another_lead_takes_the_leads_data_over_at_once(city: City) -> None:
    rule(city, role="lead")
    row = explosion(city)
    invite(city, row, "health", "lead", T0 + HOUR)
    assert [has(city, code, T0 + HOUR) for code in ("fire", "health", "centre")] == [False, True, True]


def test_a_type_put_right_opens_what_belongs_to_it(city: City) -> None:
    rule(city, type_path="accident.chemical", role="lead")
    rule(city, 8, type_path="accident.fire", role="lead")
    row = explosion(city)
    actions.describe(actor=city.actor("centre"), now=T0 + HOUR, incident_id=row.pk, type="accident.fire")
    assert (has(city, "fire", T0 + HOUR), has(city, "fire", T0 + HOUR, 8)) == (False, True)


def test_what_a_merged_incident_opened_runs_out_and_the_survivor_opens_its_own(city: City) -> None:
    rule(city, type_path="accident.chemical")
    rule(city, 8, type_path="accident.fire")
    row = explosion(city)
    invite(city, row, "health")
    other = explosion(city, type="accident.fire", headline_zh="火", headline_en="Fire")
    assert not has(city, "health", T0, 8)
    actions.merge(actor=city.actor("centre"), now=T0 + HOUR, incident_id=row.pk, into_id=other.pk)
    assert has(city, "health", T0 + 100 * HOUR, 8)
    assert (has(city, "health", T0 + 24 * HOUR), has(city, "health", T0 + 25 * HOUR)) == (True, False)
    assert access.drift(T0 + HOUR) == (0, 0)


def test_after_closing_each_keeps_its_own_contributions_and_what_is_said_of_the_whole(city: City) -> None:
    row = explosion(city)
    for code in ("health", "traffic"):
        invite(city, row, code)
        actions.add_log(actor=city.actor(code), now=T0, incident_id=row.pk, text=f"{code} is there")
    move(city, row, "verify", "respond", "control", "close", at=T0)
    for at, wanted in ((T0 + DAY - HOUR, {"health is there", "traffic is there"}), (T0 + DAY, {"health is there"})):
        texts = access.scope(city.actor("health"), LogEntry, at=at).values_list("text", flat=True)
        assert {text for text in texts if text.endswith("is there")} == wanted
        assert access.get(city.actor("health"), Incident, row.pk, now=at) == fresh(row)
        assert access.decide(city.actor("health"), "view", fresh(row), at=at).reach >= 2  # with its report
