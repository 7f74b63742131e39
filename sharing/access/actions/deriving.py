"""How do grants on datasets follow who takes part in which incident, and which rules stand?

Written beside the grants on the incident, in the same transaction. Until when they hold is a time in the grant, so
nothing has to run for them to end.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import connection

from sharing.access.queries.rules import GRACE_SECONDS, WANTED

_RULES = 0x4D55_5345  # one number for all rules
# NOT IN, which is looked up in a hash: NOT EXISTS goes through all that is wanted for each grant that is there.
# Lowering the level narrows at once, as does another role; a rule that has ended, or shows class 3, keeps nothing.
_FOLLOW = f"""
WITH wanted AS ({WANTED} AND {{of_wanted}}),
gone AS (
  UPDATE access_grant g SET let_go_at = %(at)s, valid_to = least(g.valid_to, %(at)s + make_interval(secs => CASE
    WHEN g.valid_from > %(at)s OR r.revoked_at IS NOT NULL OR r.valid_to <= %(at)s OR p.max_class >= 3 THEN 0
    WHEN i.closed_at IS NOT NULL THEN coalesce(r.grace, {GRACE_SECONDS})
    WHEN EXISTS (SELECT 1 FROM access_grant part WHERE part.object_type = 'incidents.incident'
      AND part.object_id = g.incident_id AND part.scope_id = g.scope_id AND part.because = g.because
      AND part.role = r.role AND part.source IN ('participation', 'command')
      AND part.valid_to IS NULL AND part.revoked_at IS NULL) THEN coalesce(r.grace, 0)
    WHEN EXISTS (SELECT 1 FROM access_grant part WHERE part.object_type = 'incidents.incident'
      AND part.object_id = g.incident_id AND part.because = g.because AND part.source = 'participation'
      AND part.valid_to IS NULL AND part.revoked_at IS NULL) THEN 0
    ELSE coalesce(r.grace, {GRACE_SECONDS}) END))
  FROM access_sharerule r, access_policy p, incidents_incident i
  WHERE r.id = g.rule_id AND p.id = r.policy_id AND i.id = g.incident_id AND g.let_go_at IS NULL
    AND {{of_standing}}
    AND (g.rule_id, g.incident_id, g.scope_id, g.because)
      NOT IN (SELECT w.rule_id, w.incident_id, w.scope_id, w.because FROM wanted w)
  RETURNING g.scope_id),
made AS (
  INSERT INTO access_grant (scope_id, object_type, object_id, actions, policy_id, fields_id, filter, pseudonym_key,
    purpose, incident_id, source, role, because, valid_from, valid_to, revoked_by, revoked_why, rule_id)
  SELECT w.scope_id, 'catalogue.dataset', w.dataset_id, '["view"]', w.policy_id, w.fields_id, w.filter,
    w.pseudonym_key, '', w.incident_id, 'rule', w.role, w.because, greatest(w.valid_from, %(at)s), w.valid_to, '', '',
    w.rule_id
  FROM wanted w
  WHERE NOT EXISTS (SELECT 1 FROM access_grant g WHERE g.rule_id = w.rule_id AND g.incident_id = w.incident_id
    AND g.scope_id = w.scope_id AND g.because = w.because AND g.let_go_at IS NULL)
  RETURNING scope_id)
SELECT DISTINCT split_part(s.key, '~', 1)::bigint FROM access_scope s
WHERE s.id IN (SELECT scope_id FROM gone UNION ALL SELECT scope_id FROM made) ORDER BY 1
"""  # noqa: S608 - texts and a number of ours


def follow_incidents(incident_ids: Collection[int], now: datetime, because: str = "") -> list[int]:
    """Let grants on datasets follow who takes part in these incidents now; the departments whose grants changed.

    ``because``: only what rests on this department's part. Two statements, whatever their number. Whoever changes a
    rule waits for all that do this, and they for it: else a rule made, and a department that joins meanwhile, would not
    know of each other.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_RULES])
    part = " AND g.because = %(because)s" if because else ""
    wanted = f"i.id = ANY(%(ids)s) AND g.object_id = ANY(%(ids)s){part}"
    return _follow(wanted, f"g.incident_id = ANY(%(ids)s){part}", incident_ids, now, because)


def hold_rules() -> None:
    """Let nobody join or leave while a rule is made or ended; the first thing that such an act does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_RULES])


def follow_rules(rule_ids: Collection[int], now: datetime) -> list[int]:
    """Let grants on datasets follow these rules in all open incidents; the departments whose grants changed."""
    return _follow("r.id = ANY(%(ids)s)", "g.rule_id = ANY(%(ids)s)", rule_ids, now)


def _follow(of_wanted: str, of_standing: str, ids: Collection[int], now: datetime, because: str = "") -> list[int]:
    with connection.cursor() as cursor:
        statement = _FOLLOW.format(of_wanted=of_wanted, of_standing=of_standing)
        cursor.execute(statement, {"ids": list(ids), "at": now, "because": because})
        return [key for (key,) in cursor.fetchall()]
