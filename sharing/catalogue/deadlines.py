"""What happens when a request is not answered, what was granted not delivered, or an agreement not signed, in time?

Somebody is told; nothing is granted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Exists, F, OuterRef

from coordination.deadlines.handlers import BaseHandler, Firing, Parties
from coordination.deadlines.models import Deadline
from coordination.events import streams
from sharing import access
from sharing.catalogue import states
from sharing.catalogue.actions.waiting import DELIVER
from sharing.catalogue.deciders import AUTHORITY
from sharing.catalogue.models import Agreement, Dataset, ShareRequest, Signature, Transfer


def _words(number: str, dataset: Dataset) -> dict[str, Any]:
    """What a message may say; of a confidential entry not even its title."""
    if dataset.classification == 4:
        return {"number": number, "headline_zh": "", "headline_en": ""}
    return {
        "number": number, "headline_zh": dataset.title_zh or dataset.title_en,
        "headline_en": dataset.title_en or dataset.title_zh,
    }


class RequestHandler(BaseHandler):
    """Clocks of a request that waits for its screening, its answer, or something to read of what was granted."""

    def lock(self, ids: Sequence[int]) -> Mapping[int, ShareRequest]:
        """Lock what is free; with what it has opened, for the clock of the first delivery."""
        rows = ShareRequest.objects.filter(pk__in=ids).order_by("pk").select_related("dataset")
        rows = rows.annotate(delivered=Exists(Transfer.objects.filter(dataset=OuterRef("dataset_id"))))
        found = {row.pk: row for row in rows.select_for_update(no_key=True, skip_locked=True, of=("self",))}
        ends = access.ends_of({pk for row in found.values() for pk in row.grant_ids})
        for row in found.values():
            row.ends = [ends[pk] for pk in row.grant_ids if pk in ends]  # type: ignore[attr-defined]
        return found

    def still_due(self, subject: ShareRequest, deadline: Deadline) -> bool:
        """Whether it still waits for this."""
        if deadline.kind == DELIVER:
            return _owed(subject, deadline.due_at)
        return subject.state in (("submitted",) if deadline.kind == "screen" else states.WAITING)

    def parties(self, subject: ShareRequest) -> Parties:
        """The department that keeps the data, whose move it is; the log entry is its own and the asker's."""
        keeper = subject.dataset.department_id
        told = (streams.department(keeper), streams.department(subject.department_id))
        return Parties(issuer=subject.department_id, executing=keeper, duty=AUTHORITY, streams=told)

    def describe(self, subject: ShareRequest) -> dict[str, Any]:
        """Number and title."""
        return {"args": _words(subject.number, subject.dataset)}

    def fire_many(self, firings: Sequence[Firing], now: datetime) -> None:
        """Mark as escalated whose answer was due; nothing else, whatever the terms of the data."""
        late = [one.subject.pk for one in firings if one.deadline.base_due <= now and one.deadline.kind != DELIVER]
        ShareRequest.objects.filter(pk__in=late, escalated=False).update(escalated=True, version=F("version") + 1)


def _owed(request: ShareRequest, at: datetime) -> bool:
    """Whether something is open by it at that moment, and there is nothing to read."""
    ends: list[datetime | None] = request.ends  # type: ignore[attr-defined]
    used = request.state in states.ANSWERED_YES and request.dataset.state != Dataset.State.RETIRED
    return used and not request.delivered and any(end is None or end > at for end in ends)  # type: ignore[attr-defined]


class AgreementHandler(BaseHandler):
    """Clocks of an agreement that both heads have yet to sign."""

    def lock(self, ids: Sequence[int]) -> Mapping[int, Agreement]:
        """Lock what is free."""
        rows = Agreement.objects.filter(pk__in=ids).order_by("pk").select_related("request__dataset")
        locked = rows.select_for_update(no_key=True, skip_locked=True, of=("self",))
        return {row.pk: row for row in locked.prefetch_related("signatures")}

    def still_due(self, subject: Agreement, deadline: Deadline) -> bool:
        """Whether a signature is still owed."""
        return subject.ended_at is None and len(subject.signatures.all()) < len(Signature.Side.values)

    def parties(self, subject: Agreement) -> Parties:
        """The side that has not signed; the receiver first, where neither has."""
        signed = {one.side for one in subject.signatures.all()}
        keeper, asker = subject.request.dataset.department_id, subject.request.department_id
        owes = keeper if Signature.Side.RECEIVER in signed else asker
        told = (streams.department(keeper), streams.department(asker))
        return Parties(issuer=keeper, executing=owes, streams=told)

    def describe(self, subject: Agreement) -> dict[str, Any]:
        """Number and title."""
        return {"args": _words(subject.number, subject.request.dataset)}


def request_words(ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """What messages may say of requests; one query."""
    rows = ShareRequest.objects.filter(pk__in=list(ids)).select_related("dataset")
    return {row.pk: _words(row.number, row.dataset) for row in rows}


def agreement_words(ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """What messages may say of agreements; one query."""
    rows = Agreement.objects.filter(pk__in=list(ids)).select_related("request__dataset")
    return {row.pk: _words(row.number, row.request.dataset) for row in rows}
