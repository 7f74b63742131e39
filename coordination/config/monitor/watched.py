"""Which of the health page's findings are alarms?

The watchdog asks this every ten seconds, in any process that runs it. A part that did not answer raises no alarm of
another: a canary that cannot be read is not a silent one.
"""

from __future__ import annotations

from collections.abc import Callable

from coordination.config.monitor import deep
from coordination.deadlines import alarms

LEVELS = {deep.OK: "ok", deep.WARN: "warn", deep.BAD: "page", "off": "ok"}
KINDS = {
    "canary": alarms.CANARY,
    "disk": alarms.DISK,
    "backup": alarms.BACKUP,
    "lock_outs": alarms.LOCKED_OUT,
    "emergency": alarms.EMERGENCY,
    "redis": alarms.BROKER,
    "sealing": alarms.UNSEALED,
}
LOOKS = 3  # bad at so many looks in a row: after a start, what is counted from the last run needs a moment
_bad: dict[str, int] = {}


def look(parts: Callable[[tuple[str, ...]], dict[str, deep.Finding]] = deep.look) -> list[tuple[str, str, float]]:
    """Return (kind of alarm, level, 1 where it is bad) of each part; bad three times in a row is worth a page."""
    found = []
    seen = parts(tuple(KINDS))
    for name, finding in seen.items():
        level = LEVELS[finding.status]
        if level == "page" and name != "redis" and not finding.values:
            level = "warn"  # it could not be asked: the database's own alarm stands
        if level == "warn" and name == "sealing":
            level = "ok"  # a witness that is not set up keeps no alarm about seals open
        _bad[name] = _bad.get(name, 0) + 1 if level == "page" else 0
        if level == "page" and _bad[name] < LOOKS:
            level = "warn"
        found.append((KINDS[name], level, float(finding.status == deep.BAD)))
    return found
