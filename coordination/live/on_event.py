"""Whose screens must be looked at again after something happened?

Where a right to see has ended, its subscriptions end within the second; the hubs' own check every 15 s is the net.
"""

from __future__ import annotations

import functools
import re

from django.db import transaction

from coordination.events import hint, queries
from coordination.events.models import Event

_RIGHTS = re.compile(r"(access|grant|membership|person|session|display|department|client|post)\.")


def handle(events: list[Event]) -> None:
    """Ask the hubs to check the departments, people and followers of datasets in whose streams such an event stands."""
    ids = [event.pk for event in events if _RIGHTS.match(event.type)]
    if not ids:
        return
    found: dict[str, set[int]] = {"department": set(), "user": set()}
    datasets = []
    for stream in queries.streams_of_events(ids):
        kind, _, number = stream.partition(":")
        if kind in found:
            found[kind].add(int(number))
        elif kind == "dataset":
            datasets.append(stream)  # whoever holds it: a subtree, every department
    departments, people = found["department"], found["user"]
    if departments or people or datasets:
        asked = functools.partial(hint.send_recheck, sorted(departments), sorted(people), sorted(datasets))
        transaction.on_commit(asked, robust=True)
