"""Is every part of the system well, and if not, which and since when?

Asked by people at ``/health/deep`` and, the same judgements, by the watchdog, which raises the alarms. Nothing here
waits longer than `SECONDS`, and nothing comes out as an exception: what does not answer is a finding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from coordination.config.monitor import facts
from coordination.config.monitor.asking import ask
from coordination.deadlines import watchdog
from coordination.events import clock, room

SECONDS = 2.0
CANARY_WARN, CANARY_BAD = 30.0, 60.0
ENGINE_BAD = 10.0
RELAY_WARN, RELAY_BAD = 10.0, 30.0
BASE_BAD = 26 * 3600.0  # one a night, and two hours for it
DRILL_BAD = 50 * 3600.0  # one a night; a night may be missed
WAL_BAD = 60.0  # what may be lost with the machine
LOCKED_OUT_WARN, LOCKED_OUT_BAD = 5, 20
CONNECTIONS_WARN = 0.8
UNSEALED_WARN, UNSEALED_BAD = 20.0, 60.0
ANCHOR_WARN = 25 * 60.0  # one every ten minutes; so many are missed
WITNESS_WARN = 2  # anchors that a witness has not got
RETAINED_WARN = 1_000_000_000  # bytes of log kept for a reader that does not come

OK, WARN, BAD = "ok", "warn", "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One part: ``status`` is ok, warn, bad, or off (not set up); ``why`` names what is wrong; ``values``: numbers."""

    status: str
    why: str = ""
    values: dict[str, Any] = field(default_factory=dict)

    def shown(self) -> dict[str, Any]:
        """The finding as JSON."""
        return {"status": self.status, **({"why": self.why} if self.why else {}), **self.values}


def canary(ages: Mapping[str, float | None], workers: Mapping[str, float] | None = None) -> Finding:
    """Does each queue's worker take its task? ``workers``: seconds for each of several that share a queue."""
    worst = {q: float("inf") if age is None else age for q, age in ages.items()}
    late = {queue: age for queue, age in worst.items() if age > CANARY_WARN}
    status = BAD if any(age > CANARY_BAD for age in late.values()) else WARN if late else OK
    hung = sorted(name for name, age in (workers or {}).items() if age > CANARY_BAD)
    if hung and status == OK:  # the others do its work
        status = WARN
    why = f"no task taken: {', '.join([*sorted(late), *hung])}" if late or hung else ""
    return Finding(status, why, {"seconds": {q: None if age is None else round(age, 1) for q, age in ages.items()}})


def engine(age: float | None) -> Finding:
    """Are the deadlines watched?"""
    if age is None or age > ENGINE_BAD:
        return Finding(BAD, "nobody watches the deadlines", {"seconds": None if age is None else round(age, 1)})
    return Finding(OK, "", {"seconds": round(age, 1)})


def relay(lags: Mapping[str, float]) -> Finding:
    """Are events handed on in time?"""
    late = sorted(name for name, lag in lags.items() if lag > RELAY_WARN)
    status = BAD if any(lag > RELAY_BAD for lag in lags.values()) else WARN if late else OK
    values = {"seconds": {name: round(lag, 1) for name, lag in sorted(lags.items())}}
    return Finding(status, f"behind: {', '.join(late)}" if late else "", values)


def watching(report: watchdog.Report) -> Finding:
    """What does the watchdog see?"""
    levels = {finding.name: finding.level for finding in report.findings}
    wrong = sorted(name for name, level in levels.items() if level != "ok")
    status = BAD if not report.good else WARN if wrong else OK
    values = {"findings": {finding.name: round(finding.value, 1) for finding in report.findings}}
    return Finding(status, ", ".join(wrong), values)


def backup(ages: Mapping[str, float]) -> Finding:
    """How old is what a restore would start from?"""
    if not ages and not settings.MUSTER_BACKUP_FOLDER:
        return Finding("off", "no backup is set up (MUSTER_BACKUP_FOLDER)")
    late = [
        kind
        for kind, longest in (("base", BASE_BAD), ("wal", WAL_BAD), ("files", 2 * WAL_BAD))
        if ages.get(kind, float("inf")) > longest
    ]
    values = {"seconds": {kind: round(age, 1) for kind, age in sorted(ages.items())}}
    if settings.MUSTER_DRILL_HOUR is not None and ages.get("drill", 0.0) > DRILL_BAD:
        late.append("drill")
    if not late and settings.MUSTER_DRILL_HOUR is not None and "drill" not in ages:
        return Finding(WARN, "it was never restored for a trial", values)
    return Finding(BAD if late else OK, f"too old: {', '.join(late)}" if late else "", values)


def watermark(found: facts.Disk) -> str:
    """Return ok, warn, bad or critical: which of the marks of `room` the free space is below."""
    return room.level_of(found.free, found.total)


def disk(found: facts.Disk) -> Finding:
    """Is there room?"""
    mark = watermark(found)
    why = {"warn": "little room", "bad": "no files are taken any more", "critical": "only the most urgent is taken"}
    status = mark if mark in {OK, WARN} else BAD
    return Finding(status, why.get(mark, ""), {"free_bytes": found.free, "total_bytes": found.total})


def broker(waiting: Mapping[str, int]) -> Finding:
    """Redis answered: what waits there?"""
    return Finding(OK, "", {"waiting": dict(waiting)})


def database(found: facts.Postgres) -> Finding:
    """PostgreSQL answered: is it near a limit?"""
    wrong = []
    if found.connections > CONNECTIONS_WARN * found.most_connections:
        wrong.append("connections are running out")
    wrong += [f"{slot} does not fetch its log" for slot, kept in found.retained.items() if kept > RETAINED_WARN]
    values = {"size_bytes": found.size, "connections": found.connections, "most_connections": found.most_connections}
    return Finding(WARN if wrong else OK, "; ".join(wrong), values)


def lock_outs(count: int) -> Finding:
    """Is somebody guessing passwords?"""
    status = BAD if count >= LOCKED_OUT_BAD else WARN if count >= LOCKED_OUT_WARN else OK
    return Finding(status, f"{count} sign-ins are locked" if status != OK else "", {"locked": count})


def emergency(found: tuple[int, int, int]) -> Finding:
    """Is an emergency account in use, and would both work?"""
    accounts, factors, sessions = found
    values = {"accounts": accounts, "with_second_factor": factors, "sessions": sessions}
    if sessions:
        return Finding(BAD, "an emergency account is in use", values)
    if not accounts:
        return Finding("off", "no emergency account is set up (manage.py invite --emergency)", values)
    unproved = "" if factors == accounts else "one has no second factor yet"
    why = "only one emergency account" if accounts < 2 else unproved
    return Finding(WARN if why else OK, why, values)


def sealing(found: facts.Sealing) -> Finding:
    """Is the log sealed, and does somebody outside know what it said?"""
    wrong = []
    if found.unsealed > UNSEALED_WARN:
        wrong.append("the log is not being sealed")
    if found.anchored is None or found.anchored > ANCHOR_WARN:
        wrong.append("no anchor is made (the engine's MUSTER_ANCHOR_KEY)")
    if not found.behind:
        wrong.append("no witness is set up (MUSTER_WITNESS_FILE, MUSTER_WITNESS_URL, MUSTER_WITNESS_SYSLOG)")
    wrong += [f"the witness {name} gets no anchors" for name, n in found.behind.items() if n > WITNESS_WARN]
    status = BAD if found.unsealed > UNSEALED_BAD else WARN if wrong else OK
    anchored = None if found.anchored is None else round(found.anchored)
    values = {"unsealed_seconds": round(found.unsealed, 1), "anchor_seconds": anchored, "behind": found.behind}
    return Finding(status, "; ".join(wrong), values)


# name → what is asked, how it is judged
PARTS: dict[str, tuple[Callable[[], Any], Callable[[Any], Finding]]] = {
    "postgresql": (facts.postgres, database),
    "redis": (facts.broker, broker),
    "disk": (facts.disk, disk),
    "canary": (lambda: (facts.canaries(), facts.workers()), lambda found: canary(*found)),
    "engine": (facts.engine, engine),
    "relay": (facts.relay, relay),
    "watchdog": (lambda: watchdog.look(clock.now()), watching),
    "backup": (facts.backups, backup),
    "lock_outs": (facts.lock_outs, lock_outs),
    "emergency": (facts.emergency, emergency),
    "sealing": (facts.sealing, sealing),
}


def look(names: tuple[str, ...] = tuple(PARTS)) -> dict[str, Finding]:
    """Return a finding for each part, after at most `SECONDS`."""
    answers = ask({name: PARTS[name][0] for name in names}, SECONDS, in_turn=set(names) - facts.OUTSIDE)
    found = {}
    for name, answer in answers.items():
        if isinstance(answer, Exception):
            text = str(answer).strip().splitlines() or [""]
            found[name] = Finding(BAD, f"{type(answer).__name__}: {text[0][:160]}")
        else:
            found[name] = PARTS[name][1](answer)
    return found


def overall(found: Mapping[str, Finding]) -> str:
    """The worst status of all; what is not set up does not count."""
    statuses = {finding.status for finding in found.values()}
    return BAD if BAD in statuses else WARN if WARN in statuses else OK
