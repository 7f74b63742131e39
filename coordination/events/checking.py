"""Who checks the log by themself each day, or when an auditor asks, and where does the result stand?

The engine does, beside its other work: it alone knows the keys of the anchors. A result is a convenience: whoever must
be sure runs `verify_log` themself, elsewhere.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg2  # type: ignore[import-untyped]
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import Error, connection, transaction

from coordination.events import clock
from coordination.events.models import LogCheck
from coordination.events.sealing import anchoring, proof, sealer
from coordination.events.sealing.verify import verify

EVERY = timedelta(hours=24)
#: a check of a million lines takes two minutes: who has been at it longer than this was killed
LONGEST = timedelta(hours=2)
KEPT_FINDINGS = 20
_STATES = {0: LogCheck.State.PROVEN, 1: LogCheck.State.CHANGED, 2: LogCheck.State.UNPROVEN}
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Standing:
    """``check``: the last one finished; ``going``: one asked for or under way; ``unsealed``: seconds the oldest line
    waits for its seal; ``anchor``: number of the newest, ``anchored``: its age in seconds, None where there is none."""

    check: LogCheck | None
    going: LogCheck | None
    unsealed: float
    anchor: int
    anchored: float | None


def standing() -> Standing:
    """Where the log stands: last check, seals, anchors."""
    done = LogCheck.objects.filter(finished_at__isnull=False).order_by("-id").first()
    going = LogCheck.objects.filter(state__in=(LogCheck.State.WAITING, LogCheck.State.RUNNING)).order_by("id").first()
    with connection.cursor() as cursor:
        waits = sealer.unsealed(cursor)
        number, age = anchoring.newest(cursor)
    return Standing(done, going, waits, number, age)


def make_due(now: datetime) -> bool:
    """Ask for the day's check if the last one was asked for longer ago than that; whether it was."""
    if LogCheck.objects.filter(asked_at__gt=now - EVERY).exists():
        return False
    LogCheck.objects.create(asked_by="system", asked_at=now)
    return True


def run_next(now: datetime, alarm: Callable[[LogCheck], None] = lambda check: None) -> LogCheck | None:
    """Do the check that waits longest, if any; ``alarm`` is told of one that found a change."""
    row = _claim(now)
    if row is None:
        return None
    keys = anchoring.public_keys()
    try:
        report = _verified(row, keys)
    except (Error, psycopg2.Error, OSError):
        _log.exception("the log could not be checked")
        row.state = LogCheck.State.FAILED
    else:
        row.state, row.entries = _STATES[report.exit], report.entries
        row.findings = [str(one) for one in report.findings[:KEPT_FINDINGS]]
    row.anchored, row.finished_at = bool(keys), clock.now()
    row.save(update_fields=["state", "entries", "findings", "anchored", "finished_at"])
    if row.state == LogCheck.State.CHANGED:
        alarm(row)
    return row


def _claim(now: datetime) -> LogCheck | None:
    with transaction.atomic():
        rows = LogCheck.objects.select_for_update(no_key=True, skip_locked=True).order_by("id")
        row = rows.filter(state=LogCheck.State.WAITING).first()
        if row is None:
            row = rows.filter(state=LogCheck.State.RUNNING, covers__lt=now - LONGEST).first()
        if row is not None:
            row.state, row.covers, row.entries = LogCheck.State.RUNNING, now, 0
            row.save(update_fields=["state", "covers", "entries"])
    return row


def _verified(row: LogCheck, keys: list[Ed25519PublicKey]) -> proof.Report:
    """Verify over a connection of its own, so that progress can be written beside its one long snapshot."""
    beside = psycopg2.connect(**connection.get_connection_params())
    try:
        return verify(
            beside, keys=keys or None,
            progress=lambda read: _progress(row.pk, read),
        )  # fmt: skip
    finally:
        beside.close()


def _progress(pk: int, read: int) -> None:
    LogCheck.objects.filter(pk=pk).update(entries=read)
