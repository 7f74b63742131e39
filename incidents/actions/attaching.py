"""How does a file come in, and what does it hang on?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.core.files.base import ContentFile
from django.db import models
from django.utils.translation import gettext_lazy as _

from coordination.events import room, streams
from coordination.events.actor import Actor
from coordination.events.command import action, record
from incidents.actions import acting
from incidents.entered import Entered, row_id
from incidents.files import checking, thumbnails
from incidents.models import Attachment, Incident, Report
from sharing import access

MOST_AT_ONCE = 20


@action("attachment.add")
def attach(
    *, actor: Actor, now: datetime, file: Any, incident_id: int | None = None
) -> Attachment:
    """Keep an uploaded file (``name``, ``size``, ``chunks()``), checked by its content, under a new name.

    With ``incident_id`` it hangs on the incident; without, it waits for the report, log line or feedback that names
    it (`hang`), and only its uploader sees it. Refused with the reason: `incidents.files.checking.FileRefused` (422),
    `FileTooBig` (413), `NoRoom` (507).
    """
    incident = None
    if incident_id is not None:
        incident = access.get(actor, Incident, incident_id, now=now)
        access.require(actor, "attach", incident, at=now)
        acting.check_act(incident, "attach")
    else:
        access.require(actor, "report")
    room.for_files()
    checked = checking.check(file)
    row = Attachment(
        incident=incident, name=checked.name, content_type=checked.content_type, size=len(checked.content),
        sha256=hashlib.sha256(checked.content).hexdigest(), department_id=actor.department_id,
        uploaded_by=actor.key, at=now,
        subject_type=Incident._meta.label_lower if incident else "", subject_id=incident.pk if incident else None,
    )
    stem = uuid4().hex
    try:
        row.file.save(f"{stem}.{checked.extension}", ContentFile(checked.content), save=False)
        small = thumbnails.make(checked)
        if small is not None:
            row.thumbnail.save(f"{stem}.jpg", ContentFile(small), save=False)
        row.save()
    except BaseException as error:
        for kept in (row.file, row.thumbnail):
            if kept:
                kept.delete(save=False)
        if isinstance(error, OSError) and room.is_full(error):
            raise room.full_after_all() from error
        raise
    if incident is not None:
        acting.note(
            incident, "attachment.added", subject=row, brief=False, departments=[actor.department_id]
        )
    elif actor.department_id is not None:
        record(type="attachment.added", subject=row, streams=[streams.department(actor.department_id)])
    return row


@action("attachment.hang")
def hang(
    *,
    actor: Actor,
    now: datetime,
    attachment_ids: Sequence[int],
    subject: models.Model,
    incident_id: int | None,
    readers: Iterable[int] = (),
) -> list[Attachment]:
    """Hang files that this actor uploaded and that hang on nothing yet on something of a room above.

    ``readers``: ids of departments that see them whatever their reach, such as both sides of an assignment.
    """
    incident = Incident(pk=incident_id) if incident_id is not None else None
    return hang_on(actor, attachment_ids, subject, incident=incident, readers=readers, now=now)


def hang_on(
    actor: Actor,
    attachment_ids: Sequence[int],
    subject: models.Model,
    *,
    incident: Incident | None,
    readers: Iterable[int],
    now: datetime,
) -> list[Attachment]:
    """`hang` inside an action of this room; at most 20 files at once; one that is not the actor's own is refused."""
    wanted = list(dict.fromkeys(row_id(pk) for pk in attachment_ids))
    if not wanted:
        return []
    rows = access.unscoped(Attachment, reason="files of the actor's own that hang on nothing yet")
    mine = list(
        rows.select_for_update(no_key=True)
        .filter(pk__in=[pk for pk in wanted if pk], uploaded_by=actor.key, subject_type="")
        .order_by("pk")
    )
    entered = Entered()
    if len(wanted) > MOST_AT_ONCE:
        entered.fault("attachments", "too_many", _("At most %(most)d files.") % {"most": MOST_AT_ONCE})
    elif len(mine) < len(wanted):
        entered.fault("attachments", "unknown", _("One of these files is not yours, or hangs elsewhere already."))
    entered.done()
    for row in mine:
        row.incident = incident
        row.subject_type, row.subject_id = subject._meta.label_lower, subject.pk
        row.classification = getattr(subject, "classification", row.classification)
    Attachment.everything.bulk_update(mine, ["incident", "subject_type", "subject_id", "classification"])
    departments = sorted(set(readers))
    if departments:
        link = Attachment.readers.through
        link._default_manager.bulk_create(
            [link(attachment_id=row.pk, department_id=pk) for row in mine for pk in departments],
            ignore_conflicts=True,
        )
    return mine


def follow_report(report: Report) -> None:
    """Let a report's files be seen where the report is: on the incident it is joined to, or on none."""
    rows = access.unscoped(Attachment, reason="files follow their report, seen by the actor or not")
    rows.filter(subject_type=Report._meta.label_lower, subject_id=report.pk).update(incident=report.incident_id)
