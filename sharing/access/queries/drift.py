"""Does the table of visibility say what the grants say, and do those on datasets say what rules and parts say?"""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from sharing.access.queries.rules import LINGERING, STANDING, WANTED

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
