"""Many at once: is there one effect, one winner, and never a fault?"""

from __future__ import annotations

import hashlib
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client

from coordination.events.models import Command, Event
from tests.permissions import world as worlds
from tests.permissions.conftest import PLENTY

AT_ONCE = 6


@pytest.fixture
def world(transactional_db: None, settings: LazySettings) -> Iterator[worlds.World]:
    """The small city, committed, so that threads see it."""
    settings.MUSTER_API_LIMITS = PLENTY
    built = worlds.build()
    worlds.sign_in_everybody(built)
    yield built


def together(tasks: list[Callable[[], Any]]) -> list[Any]:
    """Run the tasks at one moment, each in a thread with a connection of its own."""
    barrier = threading.Barrier(len(tasks))

    def run(task: Callable[[], Any]) -> Any:
        try:
            barrier.wait(timeout=30)
            return task()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))


def sender(world: worlds.World, who: str, path: str, body: Any, **headers: str) -> Callable[[], Any]:
    client = Client(REMOTE_ADDR=worlds.ADDRESS)
    client.cookies = world.clients[who].cookies.copy()
    given = {name.replace("_", "-"): value for name, value in headers.items()} | world.headers.get(who, {})

    def send() -> Any:
        return client.post(f"/api/v1{path}", json.dumps(body), content_type="application/json", headers=given)

    return send


def test_one_key_many_times_at_once_is_one_effect(world: worlds.World) -> None:
    key = str(uuid.uuid4())
    path = f"/incidents/{world.ids['incident_id']}/log"
    before = Event.objects.filter(type="log.added").count()
    answers = together(
        [sender(world, "centre/commander", path, {"text": "once"}, idempotency_key=key) for _ in range(AT_ONCE)]
    )
    assert {answer.status_code for answer in answers} <= {201, 409}
    done = {answer.content for answer in answers if answer.status_code == 201}
    assert len(done) == 1
    assert all(answer.json()["code"] == "running" for answer in answers if answer.status_code == 409)
    assert Event.objects.filter(type="log.added").count() == before + 1
    assert Command.objects.filter(key=key).count() == 1


def test_a_key_that_is_let_go_in_a_moment_is_waited_for(world: worlds.World) -> None:
    """As when the process that had the request was killed, and the proxy sends it again before PostgreSQL knows."""
    key, path = str(uuid.uuid4()), f"/incidents/{world.ids['incident_id']}/log"
    send = sender(world, "centre/commander", path, {"text": "again"}, idempotency_key=key)
    held, numbers = threading.Event(), []

    def hold() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", numbers)
            held.set()
            time.sleep(0.5)  # the connection's end lets go of it

    actor_key = Command.objects.get(key=_sent(world, path)).actor_key
    digest = hashlib.sha256(f"{actor_key}/{key}".encode()).digest()
    numbers.append(int.from_bytes(digest[:8], "big", signed=True))

    def post() -> Any:
        held.wait(30)
        return send()

    answer = together([hold, post])[1]
    assert answer.status_code == 201, answer.content


def _sent(world: worlds.World, path: str) -> str:
    key = str(uuid.uuid4())
    assert sender(world, "centre/commander", path, {"text": "first"}, idempotency_key=key)().status_code == 201
    return key


def test_many_decisions_on_one_version_have_one_winner(world: worlds.World) -> None:
    """S8: many decisions on one version have one winner."""
    path = f"/incidents/{world.ids['incident_id']}"
    etag = world.clients["centre/commander"].get(f"/api/v1{path}")["ETag"]
    answers = together(
        [
            sender(
                world, "centre/commander", f"{path}/scale", {"scale": "grade", "value": 1 + n % 2, "why": f"why {n}"},
                idempotency_key=str(uuid.uuid4()), if_match=etag,
            )
            for n in range(AT_ONCE)
        ]
    )  # fmt: skip
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] + [412] * (AT_ONCE - 1)


@pytest.mark.parametrize(
    ("who", "noun", "move", "body", "lost"),
    [
        ("fire/duty_officer", "assignment", "start", {"who_goes": "Two companies"}, {409, 503}),
        ("centre/commander", "ask", "refuse", {"answer": "Gate 3."}, {409, 412, 503}),
        ("centre/approver", "instruction", "confirm", {"yes": True}, {409, 412, 503}),
        ("centre/commander", "instruction", "cancel", {"reason": "Another plan."}, {409, 412, 503}),
        ("fire/duty_officer", "ask", "withdraw", {}, {409, 503}),
    ],
)
def test_a_move_made_by_many_at_once_has_one_winner(
    world: worlds.World, who: str, noun: str, move: str, body: dict[str, Any], lost: set[int]
) -> None:
    """S8: a move made by many at once has one winner."""
    version = world.version_of(noun)
    answers = together(
        [
            sender(
                world, who, f"/{noun}s/{world.ids[f'{noun}_id']}/{move}", body, idempotency_key=str(uuid.uuid4()),
                if_match=f'"{version}.x"',
            )
            for _ in range(AT_ONCE)
        ]
    )  # fmt: skip
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(200) == 1, [answer.content[:200] for answer in answers]
    assert set(statuses) <= {200} | lost


def test_acknowledging_meets_cancelling(world: worlds.World) -> None:
    """Either comes first; neither fails, and what stands is one of the two."""
    assignment = world.ids["assignment_id"]
    answers = together(
        [
            sender(
                world, "centre/commander", f"/instructions/{world.ids['instruction_id']}/cancel", {"reason": "Over."},
                idempotency_key=str(uuid.uuid4()), if_match=f'"{world.version_of("instruction")}.x"',
            ),
            sender(
                world, "fire/duty_officer", f"/assignments/{assignment}/feedback",
                {"version": 1, "percent": 30, "text": "On the way."}, idempotency_key=str(uuid.uuid4()),
            ),
        ]
    )  # fmt: skip
    assert all(answer.status_code < 500 for answer in answers), [answer.content for answer in answers]
    seen = world.clients["centre/commander"].get(f"/api/v1/assignments/{assignment}").json()
    assert seen["state"] in ("in_progress", "acknowledged", "cancelled")
