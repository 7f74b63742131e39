"""Who is told of broken glass, and what is recorded of it?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from accounts import queries as accounts
from coordination.events import streams
from coordination.events.actor import SYSTEM
from coordination.events.command import record
from coordination.notify import actions as notify
from sharing.catalogue.models import BreakGlass


def number(glass: BreakGlass) -> str:
    """How a breaking is called."""
    return f"BG-{glass.pk}"


def note(glass: BreakGlass, type: str, *, tell: Sequence[dict[str, Any]] = (), **payload: Any) -> None:
    """Record it in the streams of both departments: ids, never the reason nor a name."""
    homes = [streams.department(glass.owner_id), streams.department(glass.department_id)]
    said = {"object": [glass.object_type, glass.object_id], "grants": glass.grant_ids, "ends": glass.ends, **payload}
    record(
        type=type, subject=glass, streams=homes, payload=said, urgency="urgent",
        tell=[{**one, "args": words(glass)} for one in tell],
    )


def save(glass: BreakGlass, *fields: str) -> None:
    """Write these fields as the next version."""
    glass.version += 1
    glass.save(update_fields=[*fields, "version"])


def words(glass: BreakGlass) -> dict[str, Any]:
    """What a message may say: who and until when, never what was opened; that stands on screen."""
    department = glass.department
    return {
        "number": number(glass), "department_zh": department.name_zh, "department_en": department.name_en,
        "headline_zh": f"{department.short_zh}紧急破窗", "headline_en": f"break-glass by {department.short_en}",
        "due": glass.ends.isoformat(),
    }


def tell_owner(glass: BreakGlass, text_key: str, now: datetime) -> list[int]:
    """Tell the owner's stewards, head and duty at once, in this transaction; ids of those told.

    Where there is none of them, the department above hears of it. Preferences do not mute it (`coordination.notify`).
    """
    people = _of(glass.owner_id, now) or (_of(glass.above_id, now) if glass.above_id else [])
    notify.tell_many(actor=SYSTEM, now=now, messages=[
        notify.Message(
            person_ids=people, department_id=glass.owner_id, text_key=text_key, args=words(glass),
            object_type=glass._meta.label_lower, object_id=glass.pk, incident_id=None, urgency="urgent",
            key=f"{glass._meta.label_lower}:{glass.pk}:{text_key}:0",
        )
    ])  # fmt: skip
    return people


def _of(department_id: int, now: datetime) -> list[int]:
    found = [
        *accounts.holders(department_id, "data_steward", now), *accounts.heads(department_id, now),
        *accounts.on_duty(department_id, now),
    ]
    return list(dict.fromkeys(one.person_id for one in found))
