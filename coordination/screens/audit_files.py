"""Which files of the log has this auditor asked for, and which can be fetched?"""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from coordination.events import exporting, reads
from coordination.events.actor import Actor
from coordination.events.models import LogExport
from coordination.events.refused import NotFound
from sharing import access

SHOWN = 5


class NoSuchFile(NotFound):
    """There is no such file, it is not ready, or it is somebody else's."""


def files(actor: Actor) -> list[LogExport]:
    """The actor's own last files for the department acted for, the newest first, without their content."""
    rows = LogExport.objects.filter(asked_by=actor.key, asked_department=actor.department_id).defer("content")
    return list(rows.order_by("-id")[:SHOWN])


def fetch(*, actor: Actor, now: datetime, export_id: int) -> tuple[LogExport, bytes]:
    """A file that is ready, for whoever asked for it; that it was fetched is noted."""
    access.require(actor, "audit", at=now)
    row = LogExport.objects.filter(
        pk=export_id, asked_by=actor.key, asked_department=actor.department_id, state=LogExport.State.READY,
        content__isnull=False,
    ).first()  # fmt: skip
    if row is None:
        raise NoSuchFile(_("There is no such file."))
    reads.note(actor, "audit-export", "events.logexport", [row.pk])
    return row, exporting.file_of(row)
