"""How many answers a second, beside a bare ASGI program that sends on one statement's JSON?

The embedded default is one ASGI process (sockets, pages and API); the service of its own is the WSGI server of the
compose file, which runs two of its processes. All with session, permission filter and rate limit, by turns with the
floor.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from typing import Any

from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.test.utils import CaptureQueriesContext, override_settings

from coordination.events import clock
from coordination.instructions.models import Assignment
from sharing.access import pages
from tests.benchmarks import scale, servers
from tests.benchmarks.bench_pages import PLENTY, ask, signed_in
from tests.benchmarks.figures import Figure, growth, middle, percentile
from tests.events import outside
from tests.live import ground

SIZES = {True: (10_000, 1_000_000), False: (1_000, 10_000)}
CLIENTS = 8
HANDS = 16
"""Clients that acknowledge at once."""
TOKEN = "a" * 32
GOALS = {"embedded": 0.15, "WSGI service of two, as compose runs": 0.25}
MOST_QUERIES = 15
MOST_MS = 60.0


def load(ports: Sequence[int], requests: list[Any], *, clients: int = CLIENTS, seconds: float = 3.0) -> dict[str, Any]:
    """Let so many clients ask; see `tests.benchmarks.http_load`."""
    order = {"ports": list(ports), "clients": clients, "seconds": seconds, "requests": requests}
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.http_load"], input=json.dumps(order) + "\n", check=True, text=True,
        stdout=subprocess.PIPE, env=outside.environment(), cwd=outside.ROOT,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)
    assert not found["bad"], f"refused with {found['bad']}"
    return found


def cookie_of(city: scale.City, code: str, post: str) -> str:
    """A session that may act, and the token against forgery."""
    said = ground.sign_in(city.people[f"{code}.{post}"], city.departments[code])
    store = SessionStore(said.partition("=")[2])
    store[pages.ACTIVE] = clock.now().timestamp()
    store.save()
    return f"{said}; csrf={TOKEN}"


def reads(city: scale.City, path: str, code: str = "centre", post: str = "commander") -> list[Any]:
    """Requests for one address."""
    return [["GET", path, {"Cookie": cookie_of(city, code, post)}, ""]]


def acknowledgements(city: scale.City, number: int) -> tuple[list[Any], list[Any]]:
    """Requests of duty officers that acknowledge what was issued to them just now, and the floor's for as many."""
    codes = [row.code for row in city.bureaus][:180]
    cookies = {code: cookie_of(city, code, "duty_officer") for code in codes}
    parts: list[Assignment] = []
    while len(parts) < 2 * number:
        order = scale.order_to(city, city.incident, codes)
        parts += Assignment.everything.filter(instruction=order, acknowledged_at=None).select_related("department")
    ours = [
        ["POST", f"/api/v1/assignments/{part.pk}/acknowledge",
         {"Cookie": cookies[part.department.code], "X-CSRFToken": TOKEN, "Idempotency-Key": str(uuid.uuid4()),
          "Content-Type": "application/json"}, json.dumps({"version": 1})]
        for part in parts[:number]
    ]  # fmt: skip
    return ours, [["POST", f"/acknowledge/{part.pk}", {}, ""] for part in parts[number : 2 * number]]


def measure(*, full: bool = False, rounds: int = 3) -> list[Figure]:
    """All of it, at two sizes."""
    connection.settings_dict["CONN_MAX_AGE"] = None
    connection.close()
    city = scale.build()
    found: list[Figure] = []
    costs: dict[str, list[float]] = {}
    sizes = SIZES[full]
    for size in sizes:
        scale.grow(city, size)
        found += _rates(city, size, rounds, costs)
        found += _pages(city, size, rounds, costs)
    named = [f"{size:,}" for size in sizes]
    found += [growth(name, named, values, 1.3) for name, values in costs.items()]
    found += _acknowledge(city, sizes[-1], rounds)
    return found


def _rates(city: scale.City, size: int, rounds: int, costs: dict[str, list[float]]) -> list[Figure]:
    """Answers a second: list and detail, embedded and as a service."""
    whats = {
        "list of 50": (reads(city, "/api/v1/incidents?limit=50"), [["GET", "/list", {}, ""]]),
        "detail": (reads(city, f"/api/v1/incidents/{city.incident.pk}"),
                   [["GET", f"/incident/{city.incident.pk}", {}, ""]]),
    }  # fmt: skip
    bare, embedded, first, second = servers.Bare(), servers.Embedded(), servers.Service(), servers.Service()
    running: dict[str, list[servers.Server]] = {
        "floor": [bare],
        "embedded": [embedded],
        "one WSGI process": [first],
        "WSGI service of two, as compose runs": [first, second],
    }
    rates: dict[tuple[str, str], list[float]] = {}
    spent: dict[tuple[str, str], list[float]] = {}
    try:
        for _ in range(rounds + 1):
            for what, (ours, floor) in whats.items():
                for name, those in running.items():
                    before = sum(one.cpu() for one in those)
                    done = load([one.port for one in those], floor if name == "floor" else ours)
                    rates.setdefault((what, name), []).append(done["rate"])
                    took = sum(one.cpu() for one in those) - before
                    spent.setdefault((what, name), []).append(1000 * took / done["count"])
    finally:
        for server in (bare, embedded, first, second):
            server.stop()
    found = []
    for what in whats:
        floor_rate = middle(rates[what, "floor"][1:])
        for name in list(running)[1:]:
            rate = middle(rates[what, name][1:])
            goal = GOALS.get(name) if what == "list of 50" else None
            hot = ("ratio", ">=", goal) if goal else None
            cpu, least = middle(spent[what, name][1:]), middle(spent[what, "floor"][1:])
            note = f"CPU of the server {cpu:.1f} ms, floor {least:.2f} ms: {least / cpu:.2f} ×"
            found.append(Figure(f"{what}, {name}", f"{size:,}", rate, "/s", floor_rate, rate / floor_rate, hot, note))
            if name == "embedded":
                costs.setdefault(f"{what}, seconds a request", []).append(1 / rate)
    return found


def _pages(city: scale.City, size: int, rounds: int, costs: dict[str, list[float]]) -> list[Figure]:
    """Desk and room: statements, and the time of one request after the other."""
    paths = {
        "desk": ("/desk/", "centre", "duty_officer", f"/desk/{city.departments['b000'].pk}"),
        "incident room": (f"/incidents/{city.incident.pk}/", "centre", "commander", f"/room/{city.incident.pk}"),
        "instruction page": (f"/instructions/{city.instruction.pk}/", "centre", "commander", ""),
    }
    web, bare = servers.Embedded(), servers.Bare()
    found: list[Figure] = []
    try:
        for what, (path, code, post, floor) in paths.items():
            asked = _statements(city, path, code, post)
            said = reads(city, path, code, post)
            load([web.port], said, clients=1, seconds=1)
            took = [load([web.port], said, clients=1, seconds=2) for _ in range(rounds)]
            base = (
                [load([bare.port], [["GET", floor, {}, ""]], clients=1, seconds=1) for _ in range(rounds)]
                if floor
                else []
            )
            p50, p95 = middle([one["p50"] for one in took]), middle([one["p95"] for one in took])
            floor_p50 = middle([one["p50"] for one in base]) if base else None
            goal = ("value", "<=", float(MOST_QUERIES)) if floor else None
            found.append(Figure(f"{what}, statements", f"{size:,}", asked, "", goal=goal))
            found.append(Figure(f"{what}, p95 of one after the other", f"{size:,}", p95, "ms", floor_p50,
                                p50 / floor_p50 if floor_p50 else None, ("value", "<=", MOST_MS) if floor else None,
                                f"median {p50:.0f} ms; floor and ratio are medians"))  # fmt: skip
            costs.setdefault(f"{what}, median", []).append(p50)
    finally:
        web.stop()
        bare.stop()
    return found


def _statements(city: scale.City, path: str, code: str, post: str) -> int:
    with override_settings(MUSTER_API_LIMITS=PLENTY):
        client = signed_in(city, code, post)
        ask(client, path)
        with CaptureQueriesContext(connection) as seen:
            ask(client, path)
    return len(seen)


def _acknowledge(city: scale.City, size: int, rounds: int) -> list[Figure]:
    """Writes: 16 hands acknowledge at once, each another department's part of one incident."""
    web, bare = servers.Embedded(), servers.Bare()
    ours: list[dict[str, Any]] = []
    base: list[dict[str, Any]] = []
    alone: list[dict[str, Any]] = []
    try:
        for turn in range(rounds + 1):
            mine, floors = acknowledgements(city, 160)
            single, _floors = acknowledgements(city, 30)
            done = load([web.port], mine, clients=HANDS, seconds=0), load([bare.port], floors, clients=HANDS, seconds=0)
            quiet = load([web.port], single, clients=1, seconds=0)
            if turn:
                ours.append(done[0])
                base.append(done[1])
                alone.append(quiet)
            time.sleep(0.5)
    finally:
        web.stop()
        bare.stop()
    p99, floor = middle([one["p99"] for one in ours]), middle([one["p99"] for one in base])
    rate, floor_rate = middle([one["rate"] for one in ours]), middle([one["rate"] for one in base])
    one = percentile([one["p50"] for one in alone], 0.5)
    return [
        Figure(f"acknowledge, p99 at {HANDS} clients", f"{size:,}", p99, "ms", floor, p99 / floor,
               ("value", "<=", 50.0), "one hot incident, synchronous_commit on"),
        Figure(f"acknowledge at {HANDS} clients", f"{size:,}", rate, "/s", floor_rate, rate / floor_rate),
        Figure("acknowledge, one client, median", f"{size:,}", one, "ms"),
    ]  # fmt: skip
