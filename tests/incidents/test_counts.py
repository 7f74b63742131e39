"""Does a page ask the same number of questions whatever its size?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from coordination.events.actor import Actor
from incidents import actions, queries
from incidents.models import Incident
from tests.incidents.cast import T0, City, explosion

READS: dict[str, tuple[Callable[[Actor, int], Any], int]] = {
    "incidents": (lambda a, pk: queries.incidents(actor=a, now=T0), 3),
    "incidents found": (lambda a, pk: queries.incidents(actor=a, now=T0, q="爆炸", state="open"), 3),
    "room": (lambda a, pk: queries.room(actor=a, incident_id=pk, now=T0), 3),
    "incident": (lambda a, pk: queries.incident(actor=a, incident_id=pk, now=T0), 4),
    "participations": (lambda a, pk: queries.participations(actor=a, incident_id=pk, now=T0), 2),
    "log": (lambda a, pk: queries.log(actor=a, incident_id=pk, now=T0), 4),
    "timeline": (lambda a, pk: queries.timeline(actor=a, incident_id=pk, now=T0), 4),
    "reports": (lambda a, pk: queries.reports(actor=a, now=T0), 5),
    "search": (lambda a, pk: queries.search(actor=a, text="爆炸", now=T0), 3),
}


def grow(city: City, incident: Incident, times: int) -> None:
    centre = city.actor("centre")
    for n in range(times):
        report = actions.receive_report(actor=city.actor("plant"), now=T0, channel="enterprise", text=f"爆炸 {n}")
        actions.join_report(actor=centre, now=T0, report_id=report.pk, incident_id=incident.pk)
        actions.add_log(actor=city.actor("fire"), now=T0, incident_id=incident.pk, text=f"爆炸 {n}")
        actions.set_objective(actor=centre, now=T0, incident_id=incident.pk, text=f"目标 {n}")
        actions.set_scale(actor=centre, now=T0, incident_id=incident.pk, scale="grade", value=n % 4 + 1, why="x")
        actions.attach(
            actor=city.actor("fire"), now=T0, incident_id=incident.pk, file=SimpleUploadedFile("a.txt", b"x")
        )
        code = f"more{times}x{n}"
        city.add(code, "bureau", "city")
        actions.invite(actor=centre, now=T0, incident_id=incident.pk, department_id=city[code].pk)
        other = explosion(city)
        actions.link(actor=centre, now=T0, incident_id=incident.pk, other_id=other.pk)


def test_reads_cost_the_same_at_two_sizes(city: City) -> None:
    incident = explosion(city)
    centre = city.actor("centre")
    grow(city, incident, 2)
    small = {name: count(read, centre, incident) for name, (read, _most) in READS.items()}
    grow(city, incident, 8)
    large = {name: count(read, centre, incident) for name, (read, _most) in READS.items()}
    assert small == large
    assert {name: n for name, n in large.items() if n > READS[name][1]} == {}


def count(read: Callable[[Actor, int], Any], actor: Actor, incident: Incident) -> int:
    with CaptureQueriesContext(connection) as seen:
        read(actor, incident.pk)
    return len(seen)


@pytest.mark.parametrize("size", [1, 3])
def test_pages_follow_each_other_without_gap_or_double(city: City, size: int) -> None:
    incident = explosion(city)
    grow(city, incident, 3)
    centre = city.actor("centre")
    readers: dict[str, Callable[[Any], tuple[list[dict[str, Any]], Any]]] = {
        "incidents": lambda after: queries.incidents(actor=centre, now=T0, after=after, size=size),
        "log": lambda after: queries.log(actor=centre, incident_id=incident.pk, now=T0, after=after, size=size),
        "timeline": lambda after: queries.timeline(
            actor=centre, incident_id=incident.pk, now=T0, after=after, size=size
        ),
        "reports": lambda after: queries.reports(actor=centre, now=T0, after=after, size=size),
    }
    for name, reader in readers.items():
        found: list[int] = []
        after: Any = None
        while True:
            rows, after = reader(after)
            found += [row["id"] for row in rows]
            if after is None:
                break
        assert len(found) == len(set(found)) >= 3, name
        assert found == sorted(found, reverse=True), name
