"""When two do the same at once, does one win and the other get a clear answer?"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction

from coordination.events.refused import Conflict, MoveNotAllowed, Refused
from incidents import actions
from incidents.models import Incident, Participation, Report
from tests.incidents import cast
from tests.incidents.cast import T0, City, explosion, fresh

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def city(transactional_db: None) -> City:
    return cast.build()


def race(*acts: Callable[[], Any]) -> list[Any]:
    """Run all at one barrier; what each returned or raised."""
    barrier = threading.Barrier(len(acts))
    results: list[Any] = [None] * len(acts)

    def run(index: int) -> None:
        try:
            barrier.wait(10)
            results[index] = acts[index]()
        except Exception as error:
            results[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def one_winner(results: list[Any], *, losers: type[Refused] | tuple[type[Refused], ...]) -> Any:
    """Exactly one result is no refusal, and every other is one of the expected kind."""
    won = [result for result in results if not isinstance(result, Exception)]
    assert len(won) == 1, results
    assert all(isinstance(result, losers) for result in results if isinstance(result, Exception)), results
    return won[0]


def test_two_close_at_once(city: City) -> None:
    incident = explosion(city)
    for to in ("verify", "respond", "control"):
        actions.move(actor=city.actor("centre"), now=T0, incident_id=incident.pk, to=to)
    acts = [
        lambda code=code: actions.move(actor=city.actor(code), now=T0, incident_id=incident.pk, to="close")
        for code in ("centre", "fire", "centre")
    ]
    one_winner(race(*acts), losers=MoveNotAllowed)
    assert fresh(incident).state == "closed"


def test_two_merge_into_each_other_at_once(city: City) -> None:
    first, second = explosion(city), explosion(city)
    centre = city.actor("centre")
    results = race(
        lambda: actions.merge(actor=centre, now=T0, incident_id=first.pk, into_id=second.pk),
        lambda: actions.merge(actor=centre, now=T0, incident_id=second.pk, into_id=first.pk),
    )
    survivor = one_winner(results, losers=MoveNotAllowed)
    states = {row.pk: row.state for row in (fresh(first), fresh(second))}
    assert states[survivor.pk] == "reported" and sorted(states.values()) == ["merged", "reported"]


def test_one_report_joined_twice_at_once(city: City) -> None:
    first, second = explosion(city), explosion(city)
    report = actions.receive_report(actor=city.actor("plant"), now=T0, channel="enterprise", text="爆炸")
    centre = city.actor("centre")
    results = race(
        lambda: actions.join_report(actor=centre, now=T0, report_id=report.pk, incident_id=first.pk),
        lambda: actions.join_report(actor=centre, now=T0, report_id=report.pk, incident_id=second.pk),
        lambda: explosion(city, report_ids=[report.pk]),
    )
    one_winner(results, losers=Conflict)
    assert Report.everything.get(pk=report.pk).incident_id is not None


def test_numbers_have_no_gap_and_no_double(city: City) -> None:
    results = race(*[lambda: explosion(city)] * 6, lambda: explosion(city, type="no.such.type"))
    assert sum(isinstance(result, Incident) for result in results) == 6
    assert sorted(Incident.everything.values_list("number", flat=True)) == [f"2026-{n:04d}" for n in range(1, 7)]


def test_one_department_invited_twice_at_once(city: City) -> None:
    incident = explosion(city)
    results = race(
        *[
            lambda code=code: actions.invite(
                actor=city.actor(code), now=T0, incident_id=incident.pk, department_id=city["health"].pk
            )
            for code in ("centre", "fire")
        ]
    )
    one_winner(results, losers=Conflict)
    assert Participation.everything.filter(incident=incident, department=city["health"]).count() == 1


def test_closing_and_giving_work_at_once_never_both_hold(city: City) -> None:
    incident = explosion(city)
    centre = city.actor("centre")
    for to in ("verify", "respond", "control"):
        actions.move(actor=centre, now=T0, incident_id=incident.pk, to=to)
    closed, given = race(
        lambda: actions.move(actor=centre, now=T0, incident_id=incident.pk, to="close"),
        lambda: actions.ensure_participation(
            actor=centre, now=T0, incident_id=incident.pk, department_id=city["traffic"].pk
        ),
    )
    assert fresh(incident).state == "closed" and isinstance(closed, Incident)
    assert isinstance(given, Participation | Conflict)


def test_a_stale_decision_loses(city: City) -> None:
    incident = explosion(city)
    results = race(
        *[
            lambda grade=grade: actions.set_scale(
                actor=city.actor("centre"), now=T0, incident_id=incident.pk, scale="grade", value=grade, why="x",
                if_version=1,
            )
            for grade in (1, 2, 3)
        ]
    )
    one_winner(results, losers=Refused)
    assert sum(getattr(result, "status", 0) == 412 for result in results) == 2


def waiting(seconds: float = 5) -> bool:
    """Wait until somebody waits for a lock."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
            if cursor.fetchone()[0]:
                return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("act", ["attach", "log"])
def test_who_adds_something_and_who_moves_the_incident_never_wait_for_each_other(city: City, act: str) -> None:
    """The key that a new row refers to is checked at COMMIT, when the streams' counters are held already."""
    incident, centre = explosion(city), city.actor("centre")
    ended: list[Any] = []

    def move() -> None:
        try:
            ended.append(actions.move(actor=centre, now=T0, incident_id=incident.pk, to="verify"))
        except Exception as error:
            ended.append(error)
        finally:
            connection.close()

    other = threading.Thread(target=move)
    with transaction.atomic():
        if act == "attach":
            file = SimpleUploadedFile("a.txt", b"What was seen.")
            actions.attach(actor=centre, now=T0, incident_id=incident.pk, file=file)
        else:
            report = actions.receive_report(actor=centre, now=T0, channel="hotline", text="Smoke")
            Report.everything.filter(pk=report.pk).update(incident=incident)
            actions.add_log(actor=city.actor("fire"), now=T0, incident_id=incident.pk, text="Seen")
        other.start()
        assert waiting(), ended
    other.join(20)
    assert len(ended) == 1
    assert isinstance(ended[0], Incident), ended[0]
