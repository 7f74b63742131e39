"""What does the permission filter add to a page of incidents, for whoever sees all, some or few of a million?

The floor is the same request through the same view for the same person, with the filter taken out: the newest of all.
Floor and page take turns, so that both meet the same load.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings

from coordination.events import clock
from coordination.events.actor import SYSTEM
from incidents.models import Incident
from sharing import access
from sharing.access.queries import paging
from tests.benchmarks import scale
from tests.benchmarks.figures import Figure, growth, middle, percentile
from tests.live import ground

SIZES = {True: (10_000, 100_000, 1_000_000), False: (1_000, 3_000)}
VIEWERS = {"dense": "centre", "ordinary": "b007", "sparse": "newcomer"}
PLENTY = dict.fromkeys(("read", "write", "loop", "sign_in"), 10**9)
TURNS = 40
LIST = "/api/v1/incidents?limit=50"


@contextmanager
def unfiltered() -> Iterator[None]:
    """The same page without asking who looks: the newest of all incidents."""
    kept = paging._newest_incidents

    def newest(
        actor: Any, model: Any, wanted: Any, position: Any, size: int, shape: Any, at: datetime
    ) -> list[Incident]:
        rows = model.everything.all() if position is None else model.everything.filter(paging._beyond(model, position))
        return list(paging._ordered(rows, model, shape)[: size + 1])

    paging._newest_incidents = newest
    try:
        yield
    finally:
        paging._newest_incidents = kept


def signed_in(city: scale.City, code: str, post: str = "commander") -> Client:
    """A browser of the commander of a department."""
    client = Client()
    cookie = ground.sign_in(city.people[f"{code}.{post}"], city.departments[code])
    name, _equals, value = cookie.partition("=")
    client.cookies[name] = value
    return client


def seconds(what: Callable[[], Any]) -> float:
    """How long one call takes."""
    began = time.perf_counter()
    what()
    return time.perf_counter() - began


def ask(client: Client, path: str = LIST) -> int:
    """One request; the number of statements is asserted elsewhere."""
    answer = client.get(path)
    assert answer.status_code == 200, answer.content[:300]
    return len(answer.content)


def statement(city: scale.City, code: str) -> list[float]:
    """Seconds of the permission statement alone, which resolves the scopes too."""
    actor, found = city.actor(code, "commander"), []
    for _ in range(200):
        now = clock.now()
        sql, values = paging.newest_statement(actor, None, 51, now)
        with connection.cursor() as cursor:
            began = time.perf_counter()
            cursor.execute(sql, values)
            cursor.fetchall()
            found.append(time.perf_counter() - began)
    return found


def measure(*, full: bool = False, rounds: int = 3) -> list[Figure]:
    """All viewers at all sizes."""
    return at_sizes(SIZES[full], rounds)


def at_sizes(sizes: Sequence[int], rounds: int) -> list[Figure]:
    """All viewers, with so many incidents behind the page each time."""
    connection.settings_dict["CONN_MAX_AGE"] = None  # as the web process, which keeps one for each thread
    connection.close()
    city = scale.build()
    found: list[Figure] = []
    costs: dict[str, list[float]] = {name: [] for name in VIEWERS}
    counts: set[int] = set()
    with override_settings(MUSTER_API_LIMITS=PLENTY):
        for size in sizes:
            scale.grow(city, size)
            for viewer, code in VIEWERS.items():
                page, floor, asked = _page(city, code, rounds)
                counts.add(asked)
                costs[viewer].append(page)
                rows = ask(signed_in(city, code)) // 1
                found.append(Figure(f"list of 50, {viewer} viewer", f"{size:,}", page * 1000, "ms", floor * 1000,
                                    page / floor, ("ratio", "<=", 1.5), f"{rows:,} bytes"))  # fmt: skip
                took = statement(city, code)
                found.append(Figure(f"permission statement, {viewer}, p95", f"{size:,}", percentile(took, 0.95) * 1000,
                                    "ms", goal=("value", "<=", 1.0),
                                    note=f"median {middle(took) * 1000:.2f} ms"))  # fmt: skip
            found += _deeper(city, f"{size:,}", rounds)
            plain, busy = Incident.everything.filter(closed_at=None).exclude(pk=city.incident.pk).order_by("-pk")[:2]
            found += _joining(city, plain, f"{size:,}")
            with ruled(city, busy):
                found += _joining(city, busy, f"{size:,}", ", 30 rules, 10 of them open a dataset")
    named = [f"{size:,}" for size in sizes]
    found += [growth(f"list of 50, {viewer}", named, values, 1.3) for viewer, values in costs.items()]
    found.append(Figure("numbers of statements met, over sizes and viewers", named[-1], len(counts), "",
                        goal=("value", "=", 1), note=f"{sorted(counts)} statements a request"))  # fmt: skip
    return found


def _deeper(city: scale.City, size: str, rounds: int) -> list[Figure]:
    """The page behind ten others, beside the same one without the filter: no page counts or skips what is before it."""
    client = signed_in(city, VIEWERS["dense"])
    path = LIST
    for _ in range(10):
        path = client.get(path).headers["Link"].partition("<")[2].partition(">")[0]
    page, floor, _asked = _page(city, VIEWERS["dense"], rounds, path)
    return [Figure("eleventh page of 50, dense viewer", size, page * 1000, "ms", floor * 1000, page / floor,
                   ("ratio", "<=", 1.5))]  # fmt: skip


@contextmanager
def ruled(city: scale.City, incident: Incident) -> Iterator[None]:
    """Thirty rules stand: ten open a dataset to whoever supports in the incident, twenty to others or elsewhere."""
    made = []
    for number in range(30):
        mine = number < 10
        terms = access.RuleTerms(
            role="informed" if number >= 20 else "support", fields={"name": "full", "contact": {"mask": "null"}},
            max_class=2, valid_from=clock.now(), type_path="" if mine else "natural.flood",
            incident_id=incident.pk if mine else None,
        )  # fmt: skip
        keeper = city.bureaus[number % 5].pk
        with transaction.atomic():
            rule, _opened = access.make_rule(
                actor=SYSTEM, dataset_id=number + 1, department_id=keeper, terms=terms, now=clock.now()
            )
        made.append(rule.pk)
    yield
    with transaction.atomic():
        access.end_rules(actor=SYSTEM, rule_ids=made, why="measured", now=clock.now())


def _joining(city: scale.City, incident: Incident, size: str, more: str = "") -> list[Figure]:
    """What opening an incident to each of a hundred departments takes, and taking it back: one transaction each."""
    took: dict[str, list[float]] = {"joining": [], "leaving": []}
    now = clock.now()
    for department in city.bureaus[20:120]:
        def join() -> None:
            with transaction.atomic():
                access.join(
                    actor=SYSTEM, incident_id=incident.pk, department_id=department.pk, role="support",  # noqa: B023
                    response_level=2, opened_at=incident.opened_at, now=now,
                )  # fmt: skip

        def leave() -> None:
            with transaction.atomic():
                access.leave(incident_id=incident.pk, department_id=department.pk, now=now)  # noqa: B023

        took["joining"].append(seconds(join))
        took["leaving"].append(seconds(leave))
    return [
        Figure(f"{name} an incident{more}, p95", size, percentile(values, 0.95) * 1000, "ms",
               goal=("value", "<=", 10.0), note=f"median {middle(values) * 1000:.1f} ms")
        for name, values in took.items()
    ]  # fmt: skip


def _page(city: scale.City, code: str, rounds: int, path: str = LIST) -> tuple[float, float, int]:
    """Seconds of the page and of its floor, medians over all turns, and the statements of one request."""
    client = signed_in(city, code)
    for _ in range(5):
        ask(client, path)
        with unfiltered():
            ask(client, path)
    with CaptureQueriesContext(connection) as seen:
        ask(client, path)
    asked = len(seen)  # now: the next request begins the record anew
    ours, bare = [], []
    for _ in range(rounds * TURNS):
        ours.append(seconds(lambda: ask(client, path)))
        with unfiltered():
            bare.append(seconds(lambda: ask(client, path)))
    return middle(ours), middle(bare), asked
