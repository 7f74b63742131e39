"""How does an auditor ask for a check of the log, and for a part of it as a file?"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

from coordination.events import command, exporting, streams
from coordination.events.actor import Actor
from coordination.events.models import LogCheck, LogExport
from coordination.events.refused import Conflict, Invalid, NotFound, TooSoon
from coordination.events.searching import Asked
from coordination.screens.audit_lines import within
from sharing import access

CHECK_AGAIN = timedelta(minutes=5)
MOST_EXPORTS = 3
_UNDER_WAY = (LogCheck.State.WAITING, LogCheck.State.RUNNING)


class NoSuchExport(NotFound):
    """There is no such file, or it is somebody else's."""


@command.action("log.check")
def ask_check(*, actor: Actor, now: datetime) -> LogCheck:
    """Have the log verified now, beside all other work: one at a time, and not more often than every five minutes."""
    access.require(actor, "audit", at=now)
    if LogCheck.objects.filter(state__in=_UNDER_WAY).exists():
        raise Conflict(_("The log is being checked already."), code="check_under_way")
    last = LogCheck.objects.filter(asked_at__gt=now - CHECK_AGAIN).exclude(asked_by="system").order_by("-id").first()
    if last is not None:
        left = (last.asked_at + CHECK_AGAIN - now).total_seconds()
        raise TooSoon(_("The log was checked a moment ago. Ask again in a few minutes."), retry_after=left)
    row = LogCheck.objects.create(asked_by=actor.key, asked_department=actor.department_id, asked_at=now)
    command.record(type="logcheck.asked", subject=row, streams=_home(actor))
    return row


@command.action("log.export")
def ask_export(*, actor: Actor, now: datetime, asked: Asked, form: str) -> LogExport:
    """Have what was searched for made into a file. That it was asked for, and with which words, stands in the log."""
    access.require(actor, "audit", at=now)
    if form not in LogExport.Form.values:
        raise Invalid(_("There is no such form of file."), errors=[{"pointer": "/form", "code": "unknown"}])
    waiting = LogExport.objects.filter(
        asked_by=actor.key, state__in=(LogExport.State.WAITING, LogExport.State.RUNNING)
    ).count()
    if waiting >= MOST_EXPORTS:
        raise TooSoon(_("Three of your files are being made already. Wait until one is ready."), retry_after=30)
    stored = exporting.stored(asked)
    row = LogExport.objects.create(
        asked_by=actor.key, asked_department=actor.department_id, asked_at=now, form=form, asked=stored,
        within=within(actor, now),
    )  # fmt: skip
    command.record(type="logexport.asked", subject=row, streams=_home(actor), payload={"form": form, "asked": stored})
    return row


def _home(actor: Actor) -> list[str]:
    return [streams.SYSTEM if actor.department_id is None else streams.department(actor.department_id)]
