"""Which files does this actor see, and what is in them?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from coordination.events.actor import Actor
from coordination.events.at_once import Steps, answer
from coordination.events.kept import kept
from coordination.events.reads import KEPT_FROM
from incidents.models import Attachment
from incidents.queries.shapes import Names, Row, attachment_row
from sharing import access


@dataclass(frozen=True, slots=True)
class Download:
    """A file to be handed out; ``file`` is open and closed by whoever sends it."""

    name: str
    content_type: str
    size: int
    sha256: str
    file: Any
    id: int = 0
    classification: int = 1

    @property
    def kept(self) -> list[int]:
        """Its id where it is kept who is given it."""
        return [self.id] if self.classification >= KEPT_FROM else []


def visible(actor: Actor, now: datetime) -> QuerySet[Attachment]:
    """Files the actor sees; one that hangs on nothing yet is seen by its uploader alone."""
    rows = access.scope(actor, Attachment, at=now)
    return rows if actor.kind == "system" else rows.filter(~Q(subject_type="") | Q(uploaded_by=actor.key))


def attachment(*, actor: Actor, attachment_id: int, now: datetime) -> Row:
    """One file; 404 where the actor does not see it."""
    row = _one(actor, attachment_id, now)
    return attachment_row(row, Names(departments=[row.department_id], keys=[row.uploaded_by]))


def attachments_of(
    *, actor: Actor, subject_type: str, subject_ids: Iterable[int], now: datetime
) -> dict[int, list[Row]]:
    """The files on each of several things of one type, oldest first, those the actor sees; constant queries."""
    return answer(attachments_steps(actor=actor, subject_type=subject_type, subject_ids=subject_ids, now=now))


def attachments_steps(
    *, actor: Actor, subject_type: str, subject_ids: Iterable[int], now: datetime
) -> Steps[dict[int, list[Row]]]:
    """`attachments_of`, to be asked beside other questions: the files, then the names of who sent them."""
    ids = list(subject_ids)
    if not ids:
        return {}
    (rows,) = yield [kept(_on, actor, subject_type, ids, now)]
    names = yield from Names.steps(
        departments=[row.department_id for row in rows], keys=[row.uploaded_by for row in rows]
    )
    found: dict[int, list[Row]] = {pk: [] for pk in ids}
    for row in rows:
        found[row.subject_id or 0].append(attachment_row(row, names))
    return found


def _on(actor: Actor, subject_type: str, ids: list[int], now: datetime) -> QuerySet[Attachment]:
    return visible(actor, now).filter(subject_type=subject_type, subject_id__in=ids).order_by("pk")


def attachment_file(*, actor: Actor, attachment_id: int, now: datetime) -> Download:
    """The file as it came."""
    row = _one(actor, attachment_id, now)
    return Download(row.name, row.content_type, row.size, row.sha256, _opened(row.file), row.pk, row.classification)


open_file = attachment_file


def open_picture(*, actor: Actor, attachment_id: int, now: datetime) -> Download:
    """The small picture drawn anew; 404 for what is no picture."""
    row = _one(actor, attachment_id, now)
    if not row.thumbnail:
        raise access.Unseen
    opened = _opened(row.thumbnail)
    return Download(f"{row.pk}.jpg", "image/jpeg", row.thumbnail.size, "", opened, row.pk, row.classification)


def _one(actor: Actor, attachment_id: object, now: datetime) -> Attachment:
    row = access.get(actor, Attachment, attachment_id, now=now)
    if not row.subject_type and actor.kind != "system" and row.uploaded_by != actor.key:
        raise access.Unseen
    return row


def _opened(stored: Any) -> Any:
    try:
        return stored.open("rb")
    except FileNotFoundError as error:
        raise access.Unseen from error
