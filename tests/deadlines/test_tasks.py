"""Does beat nudge what exists, and does a nudge do the work?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from coordination.config.celery import app
from coordination.config.schedule import SCHEDULE
from coordination.deadlines import actions, queries
from coordination.deadlines import tasks as deadlines
from coordination.deadlines.models import Alarm, Deadline
from coordination.events import clock
from coordination.notify import tasks as notify
from coordination.notify.models import Delivery
from tests.deadlines.city import City, arm, steps


def test_every_task_of_the_schedule_exists_and_its_queue_too() -> None:
    app.loader.import_default_modules()
    queues = {queue.name for queue in app.conf.task_queues}
    assert {entry["task"] for entry in SCHEDULE.values()} <= set(app.tasks)
    assert {entry["options"]["queue"] for entry in SCHEDULE.values()} <= queues
    assert {"deadlines.sweep", "notify.deliver", "deadlines.watchdog", "events.relay"} <= set(app.tasks)


@pytest.mark.django_db
def test_nudges_fire_deliver_and_watch(city: City) -> None:
    incident = city.incident()
    arm(incident, city.now, -1)
    deadlines.sweep()
    assert steps(incident) == ["remind_duty"]
    notify.deliver()
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"}
    deadlines.watch()
    assert not Alarm.objects.exists()
    assert queries.engine_status(clock.now()).engines[0].doing == "worker"
    deadlines.archive()
    assert steps(incident) == ["remind_duty"]


@pytest.mark.django_db
def test_an_archive_that_is_not_done_is_sent_again(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "ARCHIVE_SECONDS", 0)
    arm(city.incident(), city.now, 300)
    deadlines.archive()
    assert waiting() == []
    Deadline.objects.update(armed_at=city.now - timedelta(days=100))
    deadlines.archive()
    last = Deadline.objects.get().pk
    assert waiting() == [("deadlines.archive", [last])]
    deadlines.archive(last)
    assert waiting() == [], "nothing is left after this one"


def waiting() -> list[tuple[str, list[int]]]:
    """Take what waits in the queue of work that may take its time."""
    found = []
    with app.connection_for_read() as connection:
        queue = app.amqp.queues["bulk"](connection)
        while (message := queue.get(no_ack=True)) is not None:
            found.append((message.headers["task"], message.decode()[0]))
    return found
