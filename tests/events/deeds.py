"""Small actions to test the grammar of actions with; run as a program, one writer among several.

``python -m tests.events.deeds <department> <times> <stream> ...`` does ``rename`` so often, all streams each time.
"""

from __future__ import annotations

import sys
from typing import Any

if __name__ == "__main__":
    import django

    django.setup()

from accounts.models import Department
from coordination.events import clock, command
from coordination.events.actor import Actor
from coordination.events.refused import Conflict

PERSON = Actor("person", 1, department_id=1)


def department(code: str = "fire") -> Department:
    """One department to do things to."""
    return Department.objects.create(
        code=code,
        kind="bureau",
        name_zh="消防",
        name_en="Fire",
        short_zh="消防",
        short_en="Fire",
        path="/1/",
    )


@command.action("department.rename")
def rename(
    *,
    actor: Actor,
    now: Any,
    department_id: int,
    name: str,
    streams: tuple[str, ...],
    fail: bool = False,
    **more: Any,
) -> Department:
    """Change the name, record it in ``streams``, then refuse where told to."""
    row = Department.objects.select_for_update().get(pk=department_id)
    row.name_en, row.version = name, row.version + 1
    row.save()
    command.record(type="department.renamed", subject=row, streams=streams, payload={"name": name})
    if fail:
        raise Conflict("told to")
    return row


@command.action("department.note")
def note(
    *,
    actor: Actor,
    now: Any,
    department_id: int,
    streams: tuple[str, ...],
    fail: bool = False,
) -> None:
    """Record without locking the row, so that only the streams' counters are contended."""
    command.record(type="department.noted", subject=Department(pk=department_id), streams=streams)
    if fail:
        raise Conflict("told to")


def main(arguments: list[str]) -> None:
    """Do it as often as asked, the streams in another order each time, every fifth refused."""
    department_id, times, *streams = arguments
    for turn in range(int(times)):
        ordered = tuple(streams[turn % len(streams) :] + streams[: turn % len(streams)])
        try:
            note(
                actor=PERSON,
                now=clock.now(),
                department_id=int(department_id),
                streams=ordered,
                fail=turn % 5 == 4,
            )
        except Conflict:
            continue


if __name__ == "__main__":
    main(sys.argv[1:])
