"""In which instructions do these words stand, among those this actor may see?"""

from __future__ import annotations

import re
from datetime import datetime

from django.db.models import Exists, F, OuterRef, Q

from coordination.events.actor import Actor
from coordination.events.words import query_of
from coordination.instructions.models import Instruction, InstructionVersion
from coordination.instructions.queries import gathered, shapes
from coordination.instructions.queries.cases import instruction_rows
from coordination.instructions.queries.shapes import Row
from sharing import access

MOST = 50
NUMBER = re.compile(r"[#№]?\s*(\d{1,6})\s*号?")
_WHY = "words of orders that are scoped themselves"


def search(*, actor: Actor, text: str, now: datetime, size: int = 20) -> list[Row]:
    """{id, number, headline, state, incident, at}, newest first, at most ``size`` (50).

    Every word of the text must stand in the version in force, or before the first issue in the draft. A number alone
    finds the instructions of that number first, those under way before those that have ended. Empty where the text
    has no letter or digit.
    """
    if not query_of(text):
        return []
    size = max(1, min(size, MOST))
    scope = access.scope(actor, Instruction, at=now)
    number = NUMBER.fullmatch(text.strip())
    first: list[Instruction] = []
    if number is not None:
        numbered = instruction_rows(scope.filter(number=int(number[1])))
        first = list(numbered.order_by(F("ended_at").desc(nulls_first=True), "-pk")[:size])
    versions = access.unscoped(InstructionVersion, reason=_WHY).filter(
        Q(n=F("instruction__current")) | Q(instruction__issued_at=None), instruction=OuterRef("pk"), words__found=text
    )
    known = [row.pk for row in first]
    rows = instruction_rows(scope.filter(Exists(versions)).exclude(pk__in=known)).order_by("-pk")
    return [_row(row) for row in [*first, *rows[: size - len(first)]]]


def _row(row: Instruction) -> Row:
    version = gathered.shown_version(row)
    return {
        "id": row.pk, "number": row.number, "headline": version.headline, "state": row.state,
        "incident": shapes.incident_ref(row.incident), "at": row.issued_at or row.created_at,
    }
