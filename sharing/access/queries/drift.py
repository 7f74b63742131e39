"""Does the table of visibility say what the grants say, and do those on datasets say what rules and parts say?"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import connection

from coordination.events.actor import Actor
from sharing.access.guarded import Guarded
from sharing.access.queries.rules import LINGERING, STANDING, WANTED

VISIBILITY_DRIFT = "visibility_drift"
"""Kind of the alarm."""
_log = logging.getLogger("muster.drift")
_alarm: list[Callable[..., object]] = []

_TRUTH = """
SELECT g.scope_id, g.object_id AS incident_id, g.id AS grant_id, p.id AS policy_id, p.reach, p.max_class
FROM access_grant g JOIN access_policy p ON p.id = g.policy_id
WHERE g.object_type = 'incidents.incident' AND g.valid_from <= %(at)s AND g.revoked_at IS NULL
  AND (g.valid_to IS NULL OR g.valid_to > %(at)s)
"""
_TABLE = """
SELECT scope_id, incident_id, grant_id, policy_id, reach, max_class FROM access_visincident
WHERE valid_to > %(at)s
"""
_BY_RULES = f"""
SELECT rule_id, dataset_id, incident_id, scope_id, because, role, policy_id, fields_id, filter, pseudonym_key, valid_to
FROM ({WANTED}) w
"""  # noqa: S608 - a text of ours


def drift(at: datetime) -> tuple[int, int]:
    """(what is open and should not be, what should be and is not), at a moment; both 0 when all is well.

    Counted are rows of visibility against grants, and grants on datasets against standing rules and who takes part.
    """
    with connection.cursor() as cursor:

        def count(text: str) -> int:
            cursor.execute(f"SELECT count(*) FROM ({text}) d", {"at": at})  # noqa: S608 - no value of anybody's in it
            return int(cursor.fetchone()[0])

        extra, missing = (
            sum(count(f"({left}) EXCEPT ({right})") for left, right in pairs)
            for pairs in (((_TABLE, _TRUTH), (STANDING, _BY_RULES)), ((_TRUTH, _TABLE), (_BY_RULES, STANDING)))
        )
        return extra + count(LINGERING), missing


def use(alarm: Callable[..., object]) -> None:
    """Take what raises an alarm; alarms live above this room."""
    _alarm[:] = [alarm]


def note_drift(actor: Actor, row: Guarded, now: datetime) -> None:
    """Write down, and say, that the table would have opened to the actor what no grant opens. Ids only.

    One alarm for each row until somebody settles it, however often the row is asked for. Inside an action it is undone
    together with the action, which is refused: then the line of the log and the nightly check remain.
    """
    path = row.guard_path.split("__")
    incident_id: Any = row
    for part in path:
        incident_id = getattr(incident_id, part, None)
    key = f"{row._meta.label_lower}:{row.pk}"
    _log.error("visibility drift: %s shown by the table alone to %s", key, actor.key)
    for alarm in _alarm:
        alarm(VISIBILITY_DRIFT, key, {"object": key, "asked_by": actor.key}, None, incident_id, now=now)
