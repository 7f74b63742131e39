"""What do deadlines do after something has happened elsewhere?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from coordination.deadlines import actions, alarms, queries


def unreached(subject_type: str, subject_id: int, guard: Mapping[str, Any], now: datetime) -> None:
    """Nobody could be told: raise an alarm; of a ladder step, treat it as empty and run the next one now."""
    department_id = guard.get("department")
    alarms.raise_alarm(
        alarms.UNREACHED,
        f"{subject_type}:{subject_id}:{guard.get('kind') or guard.get('event') or ''}:{department_id or ''}",
        {"object": [subject_type, subject_id], "department": department_id},
        department_id=department_id,
        now=now,
    )
    if {"kind", "generation", "level"} <= set(guard):
        actions.hasten(
            subject_type=subject_type,
            subject_id=subject_id,
            kind=str(guard["kind"]),
            generation=int(guard["generation"]),
            after_level=int(guard["level"]),
            now=now,
        )


def relay_poison(poison: Any, now: datetime) -> None:
    """A subscriber could not handle an event: somebody must look at it."""
    detail = {
        "subscriber": poison.subscriber,
        "stream": poison.stream,
        "event": poison.event_id,
        "type": poison.event_type,
        "error": poison.error,
        "skipped": poison.skipped,
    }
    alarms.raise_alarm(alarms.POISON, f"event:{poison.event_id}:{poison.subscriber}", detail, now=now)


def message_poison(delivery_id: int, what: Mapping[str, Any], now: datetime) -> None:
    """A message was set aside, so that the others go out: somebody must look at it.

    Nobody is sent a message about that: one that breaks too would raise the next alarm.
    """
    alarms.raise_alarm(alarms.POISON, f"delivery:{delivery_id}", dict(what), now=now)


def still_climbing(subject_id: int, guard: Mapping[str, Any]) -> bool:
    """Whether a ladder step's message is still wanted: its chain has not been answered in the meantime."""
    return queries.is_climbing(
        str(guard.get("subject", "")), subject_id, str(guard.get("kind", "")), int(guard.get("generation", 0))
    )
