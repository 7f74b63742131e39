"""What should have happened and did not?

Run by beat and by the web's health page: it needs no engine, because the engine is what it watches.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from coordination.deadlines import alarms, answered, handlers, queries
from coordination.deadlines.models import Deadline
from coordination.events import queries as events
from coordination.notify import outbound
from coordination.notify import queries as notify

#: events that a subscriber has not handled for so long are handed on late
RELAY_LATE = timedelta(seconds=30)
#: a lease that ended so long ago should have been taken up
LEASE_LATE = timedelta(seconds=60)
#: subjects without a live deadline mended in one round
MENDED_AT_ONCE = 200
_log = logging.getLogger(__name__)

#: (kind, level, value) of what else is watched; handed in by the wiring
More = Callable[[], list[tuple[str, str, float]]]
_more: list[str | More] = []


def use(more: Sequence[str | More]) -> None:
    """Watch these too (dotted names or callables, each for one look): what rooms above know and deadlines may not."""
    _more[:] = more


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: ``level`` is ok, warn or page; ``value`` seconds or a count."""

    name: str
    level: str
    value: float


@dataclass(frozen=True, slots=True)
class Report:
    """What the watchdog saw. ``good``: nothing is worth a page."""

    at: datetime
    findings: list[Finding] = field(default_factory=list)
    mended: int = 0

    @property
    def good(self) -> bool:
        """Whether every check passed, warnings allowed."""
        return all(finding.level != "page" for finding in self.findings)


def look(now: datetime) -> Report:
    """Check without changing anything: five queries (and one a subject type)."""
    overdue = queries.oldest_overdue(now)
    silent = queries.unwatched_since(now)
    lag = timedelta(seconds=events.lag())
    stuck = notify.stuck_leases(now - LEASE_LATE)
    findings = [
        Finding(
            "overdue", _level(overdue, queries.WARN_OVERDUE, queries.PAGE_OVERDUE), overdue.total_seconds()
        ),
        Finding("engine", "page" if silent else "ok", (now - silent).total_seconds() if silent else 0.0),
        Finding("relay", _level(lag, RELAY_LATE, 2 * RELAY_LATE), lag.total_seconds()),
        Finding("leases", "page" if stuck else "ok", float(stuck)),
        Finding("poison", "warn" if (held := _poisoned()) else "ok", float(held)),
    ]
    return Report(now, findings)


def check(now: datetime) -> Report:
    """Check, mend what has lost its deadline, raise and settle alarms; if all is well, tell the dead-man's switch."""
    seen = look(now)
    kinds = {"overdue": alarms.OVERDUE, "engine": alarms.SILENT, "relay": alarms.RELAY, "leases": alarms.LEASE}
    for finding in seen.findings:
        kind = kinds.get(finding.name)
        if kind is None:
            continue
        if finding.level == "page":
            alarms.raise_alarm(kind, "platform", {"value": round(finding.value, 1)}, now=now)
        elif finding.level == "ok":
            alarms.settle(kind, "platform", now=now)
    seen.findings.extend(_look_further(now))
    mended, left = _mend(now)
    findings = [*seen.findings, Finding("unarmed", "page" if left else "ok", float(left))]
    answered.settle(now)
    report = Report(now, findings, mended)
    if report.good:
        _tell_outside()
    return report


def _look_further(now: datetime) -> list[Finding]:
    """Raise and settle the alarms of what was handed in; a look that fails is a finding, and the others go on."""
    found = []
    for one in _more:
        try:
            asked = import_string(one) if isinstance(one, str) else one
            seen = asked()
        except Exception:  # noqa: BLE001 - the deadlines must be watched whatever else cannot be
            _log.exception("%s: could not be looked at", one)
            found.append(Finding(str(one), "warn", 1.0))
            continue
        for kind, level, value in seen:
            found.append(Finding(kind, level, value))
            if level == "page":
                alarms.raise_alarm(kind, "platform", {"value": round(min(value, 1e9), 1)}, now=now)
            elif level == "ok":
                alarms.settle(kind, "platform", now=now)
    return found


def _level(value: timedelta, warn: timedelta, page: timedelta) -> str:
    return "page" if value >= page else "warn" if value >= warn else "ok"


def _poisoned() -> int:
    return Deadline.objects.filter(state=Deadline.State.HELD, held_why__startswith="poison").count()


def _mend(now: datetime) -> tuple[int, int]:
    """Arm again what has no live deadline though it needs one; (mended, left over). Each subject type by itself."""
    mended = left = 0
    for subject_type, handler in sorted(handlers.installed().items()):
        try:
            with transaction.atomic():
                ids = list(handler.without_deadline(now, MENDED_AT_ONCE))
                done = handler.rearm(ids, now) if ids else 0
        except Exception:  # noqa: BLE001 - one room's fault leaves the others watched
            _log.exception("%s: could not be mended", subject_type)
            left += 1
            continue
        mended += done
        left += len(ids) - done
        if ids:
            detail = {"type": subject_type, "ids": ids[:20], "mended": done}
            alarms.raise_alarm(alarms.UNARMED, subject_type, detail, now=now)
        else:
            alarms.settle(alarms.UNARMED, subject_type, now=now)
    return mended, left


def _tell_outside() -> None:
    """Ping the dead-man's switch (``MUSTER_DEADMAN_URL``): whoever stops hearing from us raises the alarm outside."""
    url = getattr(settings, "MUSTER_DEADMAN_URL", "")
    if not url:
        return
    try:
        outbound.get_json(url, trusted=True)
    except (outbound.OutboundError, outbound.RefusedAddressError) as error:
        _log.warning("dead-man's switch not reached: %s", error)
