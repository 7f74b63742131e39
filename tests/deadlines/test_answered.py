"""Does an alarm that answered itself settle, however many others stand in front of it?"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from coordination.deadlines import actions, watchdog
from coordination.deadlines.models import Alarm, Deadline
from coordination.events.models import Event
from tests.deadlines.city import SUBJECT, City, arm

pytestmark = pytest.mark.django_db


def raised(city: City, kind: str, *keys: str, hours: float = 0) -> None:
    at = city.now - timedelta(hours=hours)
    Alarm.objects.bulk_create(Alarm(kind=kind, key=key, raised_at=at) for key in keys)


def is_open(key: str) -> bool:
    return Alarm.objects.filter(key=key, settled_at=None).exists()


def test_many_empty_steps_without_an_answer_hide_no_answered_one(city: City) -> None:
    climbing, answered = city.incident(), city.incident()
    kinds = [f"k{n}" for n in range(600)]
    for incident in (climbing, answered):
        arm(incident, city.now, 300)
    one = Deadline.objects.filter(subject_id=climbing.pk).values().get()
    Deadline.objects.bulk_create(Deadline(**{**one, "id": None, "kind": kind}) for kind in kinds)
    raised(city, "step_empty", *[f"{SUBJECT}:{climbing.pk}:{kind}:1:head" for kind in kinds])
    last = f"{SUBJECT}:{answered.pk}:acknowledge:1:head"
    raised(city, "step_empty", last)
    watchdog.check(city.now)
    assert is_open(last)
    actions.cancel(subject=answered, now=city.now)
    watchdog.check(city.now)
    assert not is_open(last)
    assert Alarm.objects.filter(kind="step_empty", settled_at=None).count() == 600


def test_a_look_costs_the_same_for_few_and_for_many_alarms(city: City) -> None:
    watchdog.check(city.now)  # says that no engine runs, once
    counts = []
    for size in (3, 300):
        raised(city, "step_empty", *[f"{SUBJECT}:{n}:start:1:head" for n in range(size)])
        raised(city, "poison", *[f"deadline:{n}" for n in range(size)])
        raised(city, "unreached", *[f"{SUBJECT}:{n}:start:" for n in range(size)])
        with CaptureQueriesContext(connection) as asked:
            watchdog.check(city.now)
        counts.append(len(asked))
        while Alarm.objects.filter(settled_at=None).exclude(kind__in=("unreached", "engine_silent")).exists():
            watchdog.check(city.now)
        Alarm.objects.filter(kind="unreached").delete()
    assert counts[0] == counts[1]
    assert Event.objects.filter(type="alarm.settled").count() == 2 * (3 + 300)


@pytest.mark.parametrize(("kind", "key"), [
    ("unreached", "x.y:1::"), ("poison", "event:5:notify"), ("poison", "delivery:5"), ("poison", "task:a-b:c"),
    ("poison", "deadline:of-nobody"), ("step_empty", "what:is:this"),
])  # fmt: skip
def test_what_is_over_by_itself_stands_for_a_day(city: City, kind: str, key: str) -> None:
    raised(city, kind, key, hours=23)
    watchdog.check(city.now)
    assert is_open(key)
    watchdog.check(city.now + timedelta(hours=2))
    assert not is_open(key)


def test_a_deadline_is_poison_while_it_is_held(city: City) -> None:
    arm(city.incident(), city.now, 300)
    row = Deadline.objects.get()
    Deadline.objects.filter(pk=row.pk).update(state="held", held_why="poison: x")
    raised(city, "poison", f"deadline:{row.pk}", hours=50)
    watchdog.check(city.now)
    assert is_open(f"deadline:{row.pk}")
    actions.release(deadline_id=row.pk, now=city.now)
    watchdog.check(city.now)
    assert not is_open(f"deadline:{row.pk}")
