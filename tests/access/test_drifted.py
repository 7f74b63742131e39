"""Does a row that only the table of visibility opens stay shut, and does somebody hear of it?"""

from __future__ import annotations

import pytest

from accounts.models import Department
from coordination.deadlines.models import Alarm
from coordination.events.actor import SYSTEM
from incidents.models import LogEntry
from sharing import access
from sharing.access.models import VisIncident
from tests.access.city import T0, department, incident, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def entries() -> tuple[LogEntry, LogEntry]:
    """Two entries, of class 2 and 3, of a fire that the second department may see up to class 2."""
    lead, support = department("lead"), department("support")
    burning = incident(lead)
    for who, role in ((lead, "lead"), (support, "support")):
        access.join(
            actor=SYSTEM, incident_id=burning.pk, department_id=who.pk, role=role, response_level=3,
            opened_at=burning.opened_at, now=T0,
        )
    two, three = (LogEntry.everything.create(incident=burning, text="x", classification=n, at=T0) for n in (2, 3))
    return two, three


def test_a_planted_row_opens_nothing_of_class_3_and_raises_an_alarm(entries: tuple[LogEntry, LogEntry]) -> None:
    two, three = entries
    actor = person(department_of("support"))
    with pytest.raises(access.Unseen):
        access.get(actor, LogEntry, three.pk, now=T0)
    assert not Alarm.objects.exists(), "hidden by both: nothing has drifted"
    VisIncident.objects.filter(scope__key=str(actor.department_id)).update(max_class=4)
    assert access.drift(T0) != (0, 0)
    for _n in range(2):
        with pytest.raises(access.Unseen):
            access.get(actor, LogEntry, three.pk, now=T0)
    alarm = Alarm.objects.get()
    assert (alarm.kind, alarm.key) == ("visibility_drift", f"incidents.logentry:{three.pk}")
    assert alarm.incident_id == three.incident_id
    assert alarm.detail == {"object": alarm.key, "asked_by": actor.key}
    assert access.get(actor, LogEntry, two.pk, now=T0) == two


def test_whoever_the_grants_let_in_costs_one_question_more(
    entries: tuple[LogEntry, LogEntry], django_assert_num_queries
) -> None:
    two, three = entries
    actor = person(department_of("lead"))
    with django_assert_num_queries(1):
        assert access.get(actor, LogEntry, two.pk, now=T0) == two
    with django_assert_num_queries(2):
        assert access.get(actor, LogEntry, three.pk, now=T0) == three
    assert not Alarm.objects.exists()


def department_of(code: str) -> Department:
    """The department of this code."""
    return Department.objects.get(code=code)
