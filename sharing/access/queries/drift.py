"""Does the table of visibility still say what the grants say?"""

from __future__ import annotations

from datetime import datetime

from django.db import connection

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


def drift(at: datetime) -> tuple[int, int]:
    """(rows that open what no grant opens, grants without their row), at a moment; both 0 when all is well."""
    with connection.cursor() as cursor:
        counts = []
        for left, right in ((_TABLE, _TRUTH), (_TRUTH, _TABLE)):
            # both texts stand above; no value of anybody's is in them
            cursor.execute(f"SELECT count(*) FROM (({left}) EXCEPT ({right})) d", {"at": at})  # noqa: S608
            counts.append(cursor.fetchone()[0])
    return counts[0], counts[1]
