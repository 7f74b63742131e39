"""What does one of each cost: CPU of web process and of PostgreSQL, bytes kept?

CPU times, so the load of the machine hardly moves them; docs/scaling.md reckons with them.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

import psutil
from django.db import connection
from django.test import Client
from django.test.utils import override_settings
from django.urls import reverse

from coordination.events import clock
from coordination.instructions import actions as orders
from coordination.instructions.models import Assignment
from incidents import actions as incidents
from tests.benchmarks import scale
from tests.benchmarks.bench_pages import PLENTY, ask, signed_in
from tests.benchmarks.bench_whole import PARTS, approved
from tests.benchmarks.figures import Figure, middle

TIMES = 20
SIZES = {True: (10_000, 50_000), False: (1_000, 3_000)}


def _spent(what: Callable[[], Any], times: int = TIMES) -> tuple[float, float]:
    """CPU milliseconds of one call, here and in PostgreSQL's process."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    server = psutil.Process(pid)
    then, began = server.cpu_times(), time.process_time()
    for _ in range(times):
        what()
    here, now = time.process_time() - began, server.cpu_times()
    there = now.user + now.system - then.user - then.system
    return 1000 * here / times, 1000 * there / times


def _kept() -> float:
    """Bytes of the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return float(cursor.fetchone()[0])


def measure(*, full: bool = False, rounds: int = 3) -> list[Figure]:
    """Requests and actions one by one, then what an old incident keeps."""
    connection.settings_dict["CONN_MAX_AGE"] = None
    connection.close()
    city = scale.build()
    small, large = SIZES[full]
    scale.grow(city, small)
    found: list[Figure] = []
    with override_settings(MUSTER_API_LIMITS=PLENTY):
        for name, what in _calls(city).items():
            what()
            turns = [_spent(what, 1 if "197" in name else TIMES) for _ in range(rounds)]
            here, there = (middle([turn[n] for turn in turns]) for n in range(2))
            found.append(Figure(name, "one", here + there, "ms CPU",
                                note=f"web {here:.1f}, PostgreSQL {there:.1f} ms"))  # fmt: skip
    before = _kept()
    scale.grow(city, large)
    found.append(Figure("an old incident with its grants and its place in the log", "kept",
                        (_kept() - before) / (large - small), "bytes"))  # fmt: skip
    return found


def _calls(city: scale.City) -> dict[str, Callable[[], Any]]:
    """What is called, by what it is called."""
    chief, duty = signed_in(city, "centre"), signed_in(city, "b005", "duty_officer")
    waiting = _unread(city)

    def acknowledge() -> None:
        part = next(waiting)
        orders.acknowledge(
            actor=city.actor(part.department.code), now=clock.now(), assignment_id=part.pk, version=1,
            command_id=uuid.uuid4(),
        )  # fmt: skip

    def line() -> None:
        incidents.add_log(
            actor=city.actor("centre"), now=clock.now(), incident_id=city.incident.pk, text="It turns",
            command_id=uuid.uuid4(),
        )  # fmt: skip

    def everybody() -> None:
        order = approved(city, f"Order {uuid.uuid4().hex[:6]}")
        orders.issue(actor=city.actor("centre"), now=clock.now(), instruction_id=order.pk)

    pk = city.incident.pk
    return {
        "list of 50 incidents (REST)": lambda: ask(chief),
        "one incident (REST)": lambda: ask(chief, f"/api/v1/incidents/{pk}"),
        "desk": lambda: ask(duty, "/desk/"),
        "desk read again after a pointer": lambda: ask(duty, reverse("desk-part", args=[PARTS])),
        "incident room": lambda: ask(chief, f"/incidents/{pk}/"),
        "instruction page": lambda: ask(chief, f"/instructions/{city.instruction.pk}/"),
        "poll of a screen without socket": lambda: _poll(duty),
        "acknowledge": acknowledge,
        "line in the log": line,
        "one order drafted, approved, issued to 197 departments": everybody,
    }


def _poll(client: Client) -> None:
    assert client.get("/live/since?after=").status_code == 200


def _unread(city: scale.City) -> Any:
    """Parts that nobody has acknowledged, as many as are asked for."""
    while True:
        order = approved(city, f"Order {uuid.uuid4().hex[:6]}")
        orders.issue(actor=city.actor("centre"), now=clock.now(), instruction_id=order.pk)
        yield from Assignment.everything.filter(instruction=order, acknowledged_at=None).select_related("department")
