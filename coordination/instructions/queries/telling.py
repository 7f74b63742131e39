"""Of which instruction does an event tell, and what is it called?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet

from coordination.deadlines.models import Deadline
from coordination.events.actor import Actor
from coordination.events.at_once import Steps, answer
from coordination.events.kept import kept
from coordination.events.text import localized
from coordination.instructions.models import Ask, Assignment, Instruction
from sharing import access

Key = tuple[str, int]
_HEADLINES = ("versions__headline_zh", "versions__headline_en")


def subjects(*, actor: Actor, objects: Iterable[Key], now: datetime) -> dict[Key, dict[str, Any]]:
    """``{(type, id): {instruction_id, number, headline, department}}`` of those the actor may see.

    Types: instruction, assignment, ask and deadline (which answers for its subject).
    """
    return answer(subjects_steps(actor=actor, objects=objects, now=now))


def subjects_steps(*, actor: Actor, objects: Iterable[Key], now: datetime) -> Steps[dict[Key, dict[str, Any]]]:
    """`subjects`, to be asked beside other questions: what deadlines and asks are about, then those; two steps.

    An ask that a deadline is about takes a third.
    """
    wanted: dict[str, set[int]] = defaultdict(set)
    for kind, pk in objects:
        wanted[kind].add(pk)
    fired, asked = yield [
        kept(_fired, wanted["deadlines.deadline"]),
        kept(_asks, actor, wanted["instructions.ask"], now),
    ]
    deadlines = {pk: (kind, subject) for pk, kind, subject in fired}
    for kind, pk in deadlines.values():
        wanted[kind].add(pk)
    asks = dict(asked)
    if wanted["instructions.ask"] - asks.keys():
        (asked,) = yield [kept(_asks, actor, wanted["instructions.ask"], now)]
        asks = dict(asked)
    wanted["instructions.assignment"].update(asks.values())
    heads, parts = yield [
        kept(_instructions, actor, wanted["instructions.instruction"], now),
        kept(_assignments, actor, wanted["instructions.assignment"], now),
    ]
    found = _told(heads, parts)
    for ask, assignment in asks.items():
        if ("instructions.assignment", assignment) in found:
            found["instructions.ask", ask] = found["instructions.assignment", assignment]
    for deadline, subject in deadlines.items():
        if subject in found:
            found["deadlines.deadline", deadline] = found[subject]
    return found


def _fired(ids: set[int]) -> QuerySet[Any, Any]:
    return Deadline.objects.filter(pk__in=ids).values_list("pk", "subject_type", "subject_id")


def _asks(actor: Actor, ids: set[int], now: datetime) -> QuerySet[Any, Any]:
    return access.scope(actor, Ask, at=now).filter(pk__in=ids).values_list("pk", "assignment_id")


def _instructions(actor: Actor, ids: set[int], now: datetime) -> QuerySet[Any, Any]:
    return (
        access.scope(actor, Instruction, at=now).filter(pk__in=ids, versions__n=F("current"))
        .values_list("pk", "number", *_HEADLINES)
    )


def _assignments(actor: Actor, ids: set[int], now: datetime) -> QuerySet[Any, Any]:
    return (
        access.scope(actor, Assignment, at=now)
        .filter(pk__in=ids, instruction__versions__n=F("instruction__current"))
        .values_list(
            "pk", "instruction_id", "instruction__number", *(f"instruction__{name}" for name in _HEADLINES),
            "department__short_zh", "department__short_en",
        )
    )


def _told(heads: Iterable[Any], parts: Iterable[Any]) -> dict[Key, dict[str, Any]]:
    found: dict[Key, dict[str, Any]] = {
        ("instructions.instruction", pk): {
            "instruction_id": pk, "number": number, "headline": localized(zh, en), "department": "",
        }
        for pk, number, zh, en in heads
    }
    return found | {
        ("instructions.assignment", pk): {
            "instruction_id": instruction, "number": number, "headline": localized(zh, en),
            "department": localized(short_zh, short_en),
        }
        for pk, instruction, number, zh, en, short_zh, short_en in parts
    }
