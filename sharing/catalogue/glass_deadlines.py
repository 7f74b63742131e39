"""What happens when broken glass is judged late?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from coordination.deadlines import actions as deadlines
from coordination.deadlines.handlers import BaseHandler, Parties
from coordination.deadlines.models import Deadline
from coordination.events import streams
from coordination.events.actor import SYSTEM
from sharing.access.fence import fenced
from sharing.catalogue.actions import breaking, glass_words
from sharing.catalogue.models import BreakGlass


class BreakGlassHandler(BaseHandler):
    """The clock of a review. Silence escalates it, and never closes it."""

    def lock(self, ids: Sequence[int]) -> Mapping[int, BreakGlass]:
        """Lock what is free."""
        with fenced(SYSTEM):
            rows = BreakGlass.objects.filter(pk__in=ids).select_related("department", "owner").order_by("pk")
            return {row.pk: row for row in rows.select_for_update(no_key=True, skip_locked=True, of=("self",))}

    def still_due(self, subject: BreakGlass, deadline: Deadline) -> bool:
        """Until somebody has judged."""
        return not subject.outcome

    def parties(self, subject: BreakGlass) -> Parties:
        """The department whose data it was; its line is climbed."""
        homes = (streams.department(subject.owner_id), streams.department(subject.department_id))
        return Parties(issuer=subject.owner_id, executing=subject.owner_id, streams=homes)

    def describe(self, subject: BreakGlass) -> dict[str, Any]:
        """Who broke it; not what was opened."""
        words = glass_words.words(subject)
        return {"args": {name: words[name] for name in ("number", "headline_zh", "headline_en")}}

    def fire(self, subject: BreakGlass, deadline: Deadline, now: datetime) -> None:
        """From its due time on a review is escalated."""
        if deadline.base_due > now or subject.escalated_at is not None:
            return
        with fenced(SYSTEM):
            subject.escalated_at = now
            glass_words.save(subject, "escalated_at")
            glass_words.note(subject, "glass.escalated")

    def without_deadline(self, now: datetime, limit: int) -> Sequence[int]:
        """What waits to be judged though no clock runs."""
        live = Deadline.objects.filter(
            subject_type=BreakGlass._meta.label_lower, state__in=(Deadline.State.ARMED, Deadline.State.HELD)
        )
        with fenced(SYSTEM):
            rows = BreakGlass.objects.filter(outcome="").exclude(pk__in=live.values("subject_id"))
            return list(rows.order_by("pk").values_list("pk", flat=True)[:limit])

    def rearm(self, ids: Iterable[int], now: datetime) -> int:
        """Set their clocks again."""
        with fenced(SYSTEM):
            rows = list(BreakGlass.objects.filter(pk__in=list(ids), outcome=""))
        for row in rows:
            deadlines.arm(
                subject=row, kind=breaking.REVIEW, due_at=row.review_due, ladder=breaking.ladder(row),
                urgency="urgent", incident_id=None, now=now,
            )
        return len(rows)
