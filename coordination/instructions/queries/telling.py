"""Of which instruction does an event tell, and what is it called?"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import F

from coordination.deadlines.models import Deadline
from coordination.events.actor import Actor
from coordination.events.text import localized
from coordination.instructions.models import Ask, Assignment, Instruction
from sharing import access

Key = tuple[str, int]
_HEADLINES = ("versions__headline_zh", "versions__headline_en")


def subjects(*, actor: Actor, objects: Iterable[Key], now: datetime) -> dict[Key, dict[str, Any]]:
    """``{(type, id): {instruction_id, number, headline, department}}`` of those the actor may see.

    Types: instruction, assignment, ask and deadline (which answers for its subject); at most five queries.
    """
    wanted: dict[str, set[int]] = {}
    for kind, pk in objects:
        wanted.setdefault(kind, set()).add(pk)
    fired = Deadline.objects.filter(pk__in=wanted.get("deadlines.deadline", ()))
    deadlines = {row[0]: (row[1], row[2]) for row in fired.values_list("pk", "subject_type", "subject_id")}
    for kind, pk in deadlines.values():
        wanted.setdefault(kind, set()).add(pk)
    asks = dict(
        access.scope(actor, Ask, at=now).filter(pk__in=wanted.get("instructions.ask", ())).values_list(
            "pk", "assignment_id"
        )
    )
    wanted.setdefault("instructions.assignment", set()).update(asks.values())
    found = _instructions(actor, wanted.get("instructions.instruction", set()), now)
    found |= _assignments(actor, wanted["instructions.assignment"], now)
    for ask, assignment in asks.items():
        if ("instructions.assignment", assignment) in found:
            found["instructions.ask", ask] = found["instructions.assignment", assignment]
    for deadline, subject in deadlines.items():
        if subject in found:
            found["deadlines.deadline", deadline] = found[subject]
    return found


def _instructions(actor: Actor, ids: set[int], now: datetime) -> dict[Key, dict[str, Any]]:
    if not ids:
        return {}
    rows = (
        access.scope(actor, Instruction, at=now).filter(pk__in=ids, versions__n=F("current"))
        .values_list("pk", "number", *_HEADLINES)
    )
    return {
        ("instructions.instruction", pk): {
            "instruction_id": pk, "number": number, "headline": localized(zh, en), "department": "",
        }
        for pk, number, zh, en in rows
    }


def _assignments(actor: Actor, ids: set[int], now: datetime) -> dict[Key, dict[str, Any]]:
    if not ids:
        return {}
    rows = (
        access.scope(actor, Assignment, at=now)
        .filter(pk__in=ids, instruction__versions__n=F("instruction__current"))
        .values_list(
            "pk", "instruction_id", "instruction__number", *(f"instruction__{name}" for name in _HEADLINES),
            "department__short_zh", "department__short_en",
        )
    )
    return {
        ("instructions.assignment", pk): {
            "instruction_id": instruction, "number": number, "headline": localized(zh, en),
            "department": localized(short_zh, short_en),
        }
        for pk, instruction, number, zh, en, short_zh, short_en in rows
    }
