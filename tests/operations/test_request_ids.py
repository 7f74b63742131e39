"""Can one request be followed: the log of the web, of the tasks, the events, and the call to another agency?"""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from celery.app.trace import build_tracer
from django.conf import LazySettings
from django.test import Client

from accounts.models import Department
from coordination.config.celery import app
from coordination.config.logs import JsonFormatter
from coordination.events import clock, relay, tracing
from coordination.events.models import Event
from coordination.notify import delivery
from coordination.notify.models import WebhookEndpoint
from tests.notify.receiver import receiver
from tests.permissions.world import World

ID = "follow-me-2026-11-20"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Lines(io.StringIO):
    """A log as it is written."""

    def of(self, request_id: str) -> list[dict[str, Any]]:
        found = [json.loads(line) for line in self.getvalue().splitlines()]
        return [line for line in found if line.get("request_id") == request_id]


@pytest.fixture
def written() -> Iterator[Lines]:
    lines = Lines()
    handler = logging.StreamHandler(lines)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield lines
    root.removeHandler(handler)
    root.setLevel(level)


def test_one_id_from_the_request_to_the_webhook(
    world: World, speak: Callable[[str], Any], settings: LazySettings, written: Lines
) -> None:
    settings.MUSTER_OUTBOUND_ALLOWED = ["127.0.0.1"]
    with receiver() as kept:
        for pk in Department.objects.values_list("pk", flat=True):
            WebhookEndpoint.objects.create(department_id=pk, url=kept.url, secret=SECRET)
        path = f"/assignments/{world.ids['assignment_id']}/urge"
        answer = speak("centre/duty_officer").post(path, {}, x_request_id=ID)
        assert (answer.status_code, answer["X-Request-ID"]) == (200, ID), answer.content
        event = Event.objects.filter(request_id=ID).latest("pk")
        relay.run_once()
        delivery.run_once(clock.now())
    mine = [headers for _path, headers, _body in kept.requests if headers.get("x-request-id") == ID]
    assert mine, f"no call of {event.type} carries the id"
    lines = written.of(ID)
    assert {line["logger"] for line in lines} >= {"muster.requests", "coordination.notify.delivery.sender"}
    (web,) = [line for line in lines if line["logger"] == "muster.requests"]
    assert (web["method"], web["path"], web["status"]) == ("POST", f"/api/v1{path}", 200)
    assert datetime.fromisoformat(web["at"]).utcoffset().total_seconds() == 0


@pytest.mark.django_db
def test_a_link_that_opens_an_account_is_not_written_down(written: Lines) -> None:
    answer = Client().get("/sign-in/link/MQ/the-secret-of-the-link/", headers={"X-Request-ID": ID})
    assert answer.status_code in (200, 302, 404)
    (line,) = written.of(ID)
    assert line["path"] == "/sign-in/link/<str:uid>/<str:token>/"
    assert "the-secret-of-the-link" not in written.getvalue()


def test_an_id_of_another_form_is_replaced(speak: Callable[[str], Any], written: Lines) -> None:
    answer = speak("centre/duty_officer").get("/incidents", x_request_id="a b\tc")
    given = answer["X-Request-ID"]
    assert tracing.FORM.fullmatch(given)
    assert [line["status"] for line in written.of(given)] == [200]


@app.task(name="tests.say")
def say(text: str) -> None:
    logging.getLogger("tests.task").info(text)


def work_off(queue: str) -> int:
    """Take what waits in a queue from the real broker and run it as a worker does; return how many."""
    done = 0
    with app.connection_for_read() as connection:
        waiting = app.amqp.queues[queue](connection)
        while (message := waiting.get(no_ack=True)) is not None:
            args, kwargs, _embedded = message.decode()
            task = app.tasks[message.headers["task"]]
            tracer = build_tracer(task.name, task, app=app)
            tracer(message.headers["id"], args, kwargs, request=dict(message.headers))
            done += 1
    return done


def test_a_task_runs_under_the_id_of_whoever_sent_it(written: Lines) -> None:
    with tracing.under([ID]):
        say.apply_async(["with an id"], queue="bulk")
    alone = say.apply_async(["without"], queue="bulk")
    assert work_off("bulk") == 2
    assert [line["message"] for line in written.of(alone.id) if line["logger"] == "tests.task"] == ["without"]
    lines = written.of(ID)
    assert [line["message"] for line in lines if line["logger"] == "tests.task"] == ["with an id"]
    assert [(line["task"], line["outcome"]) for line in lines if line["logger"] == "muster.tasks"] == [
        ("tests.say", "done")
    ]


def test_events_of_several_requests_are_handled_under_none() -> None:
    with tracing.under(["request-one", "request-one", ""]) as current:
        assert current == tracing.request_id.get() == "request-one"
        with tracing.under(["request-one", "request-two"]) as mixed:
            assert mixed == tracing.request_id.get() == ""
    assert tracing.request_id.get() == ""
