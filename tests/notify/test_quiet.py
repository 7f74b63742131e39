"""Do quiet hours keep what can wait until the morning, and nothing else?"""

from __future__ import annotations

import io
from datetime import UTC, datetime, time, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from coordination.events.actor import SYSTEM, Actor
from coordination.events.refused import Forbidden, Invalid, NotFound
from coordination.notify import actions, delivery, quiet, routes
from coordination.notify.channels import Answer
from coordination.notify.models import Delivery, QuietRule
from tests.deadlines.city import City
from tests.notify.wire import Wire

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("wired")]

NIGHT = datetime(2026, 5, 1, 15, 30, tzinfo=UTC)  # 23:30 in Shanghai
MORNING = datetime(2026, 5, 1, 23, 0, tzinfo=UTC)  # 07:00 the next day


@pytest.fixture(autouse=True)
def one_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside there is SMS, then mail, whatever the urgency."""
    order = dict.fromkeys(("immediate", "urgent", "routine"), ("sms", "email"))
    monkeypatch.setattr(routes, "OUTSIDE", order)


@pytest.fixture
def night(city: City) -> City:
    """The small city at half past eleven at night; the station sleeps from ten to seven."""
    city.now = NIGHT
    rule(city, "station")
    return city


def rule(city: City, department: str | None = None, person: str | None = None, begins: str = "22:00",
         ends: str = "07:00") -> QuietRule:
    return actions.set_quiet(
        actor=SYSTEM, now=city.now, begins=time.fromisoformat(begins), ends=time.fromisoformat(ends),
        department_id=city.departments[department].pk if department else None,
        person_id=city.people[person].pk if person else None,
    )


def tell(city: City, name: str = "station-duty", urgency: str = "routine", level: int = 0, key: str = "k") -> None:
    subject = city.departments["station"]
    message = actions.Message(
        (city.people[name].pk,), subject.pk, "assignment.urge", {}, subject._meta.label_lower, subject.pk, None,
        urgency, key, level=level,
    )
    actions.tell_many(actor=SYSTEM, now=city.now, messages=[message])


def sent(now: datetime) -> dict[str, str]:
    """What became of the messages by the channel, when the outbox is looked at."""
    delivery.run_once(now)
    return dict(Delivery.objects.values_list("channel", "state"))


def test_a_routine_message_waits_for_the_morning_outside_and_is_on_screen_at_once(night: City, sms: Wire) -> None:
    tell(night)
    assert sent(NIGHT) == {"in_app": "sent", "sms": "pending"}
    row = Delivery.objects.get(channel="sms")
    assert (row.available_at, row.attempts, sms.letters) == (MORNING, 0, [])
    assert sent(MORNING - timedelta(seconds=1))["sms"] == "pending"
    assert sent(MORNING)["sms"] == "sent"
    assert len(sms.letters) == 1


@pytest.mark.parametrize(("urgency", "level"), [("immediate", 0), ("urgent", 0), ("routine", 2), ("routine", 3)])
def test_what_presses_or_has_climbed_rings_at_night(night: City, sms: Wire, urgency: str, level: int) -> None:
    tell(night, urgency=urgency, level=level)
    assert sent(NIGHT)["sms"] == "sent"


def test_the_first_two_rungs_of_routine_wait(night: City, sms: Wire) -> None:
    tell(night, level=1)
    assert sent(NIGHT)["sms"] == "pending"


def test_a_persons_own_hours_count_before_the_departments(night: City, sms: Wire) -> None:
    rule(night, person="station-duty", begins="00:00", ends="00:00")
    tell(night)
    assert sent(NIGHT)["sms"] == "sent", "no quiet hours at all"
    rule(night, person="station-duty", begins="23:00", ends="08:00")
    tell(night, key="again")
    sent(NIGHT)
    assert Delivery.objects.get(channel="sms", state="pending").available_at == MORNING + timedelta(hours=1)


def test_whoever_has_no_rule_is_told_at_any_hour(city: City, sms: Wire) -> None:
    city.now = NIGHT
    tell(city)
    assert sent(NIGHT)["sms"] == "sent"


def test_hours_within_one_day_and_their_edges(city: City) -> None:
    begins, ends = time(12), time(14)
    noon = timezone.make_aware(datetime(2026, 5, 1, 12))
    assert quiet.over(begins, ends, noon) == noon + timedelta(hours=2)
    assert quiet.over(begins, ends, noon - timedelta(seconds=1)) is None
    assert quiet.over(begins, ends, noon + timedelta(hours=2)) is None
    assert quiet.over(time(22), time(7), NIGHT + timedelta(hours=7)) == MORNING
    assert quiet.over(time(22), time(7), MORNING) is None


@pytest.mark.parametrize("outcome", ["failed", "refused"])
def test_a_retry_and_the_next_way_keep_quiet_too(night: City, sms: Wire, email: Wire, outcome: str) -> None:
    day = NIGHT - timedelta(hours=2)
    night.now = day
    tell(night)
    sms.answers = [Answer(outcome, error="busy")]  # type: ignore[arg-type]
    sent(day)
    assert len(sms.letters) == 1
    sent(NIGHT)
    assert (len(sms.letters), len(email.letters)) == (1, 0)
    assert Delivery.objects.get(state="pending").available_at == MORNING
    sent(MORNING)
    assert len(sms.letters) + len(email.letters) == 2


def test_looking_costs_the_same_for_one_and_many(night: City, sms: Wire) -> None:
    counts = []
    for n in (1, 12):
        for k in range(n):
            tell(night, key=f"{n}-{k}")
        with CaptureQueriesContext(connection) as seen:
            delivery.run_once(NIGHT)
        counts.append(len([one for one in seen if "quietrule" in one["sql"]]))
    assert counts == [1, 1]


def test_a_rule_is_a_persons_or_a_departments(city: City) -> None:
    with pytest.raises(Invalid):
        actions.set_quiet(actor=SYSTEM, now=city.now, begins=time(22), ends=time(7))
    with pytest.raises(IntegrityError), transaction.atomic():
        QuietRule.objects.create(begins=time(22), ends=time(7))
    mine = Actor("person", city.people["station-duty"].pk, city.departments["station"].pk, frozenset({"duty_officer"}))
    own = actions.set_quiet(actor=mine, now=city.now, begins=time(22), ends=time(7), person_id=mine.id)
    assert own.person_id == mine.id
    other = city.people["station-head"].pk
    for whose in ({"person_id": other}, {"department_id": city.departments["station"].pk}):
        with pytest.raises(Forbidden):
            actions.set_quiet(actor=mine, now=city.now, begins=time(22), ends=time(7), **whose)
    actions.drop_quiet(actor=mine, now=city.now, person_id=mine.id)
    with pytest.raises(NotFound):
        actions.drop_quiet(actor=mine, now=city.now, person_id=mine.id)


def test_the_command_sets_lists_and_drops(city: City) -> None:
    def run(*words: str) -> str:
        out = io.StringIO()
        call_command("quiet_hours", *words, stdout=out)
        return out.getvalue()

    code = city.departments["station"].code
    run("department", code, "22:00", "07:00")
    run("person", city.people["station-duty"].username, "23:00", "06:30")
    assert run("list").splitlines() == [
        f"department {code} 22:00 07:00", f"person {city.people['station-duty'].username} 23:00 06:30",
    ]
    run("department", code, "--drop")
    assert QuietRule.objects.count() == 1
    for wrong in (("department", "nowhere", "22:00", "07:00"), ("person", "nobody", "--drop"),
                  ("department", code, "25:00", "07:00"), ("department", code)):
        with pytest.raises(CommandError):
            run(*wrong)
