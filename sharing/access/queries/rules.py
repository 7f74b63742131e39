"""Which grants on datasets do the standing rules give to whoever takes part, and which are there?

The statements below are the rule itself: the acts write what they say, the nightly check compares. Who takes part is
read from the grants on the incident that stand (a department's own, and its command centre's), type, level and end
from the incident.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from sharing.access.models import Grant, ShareRule
from sharing.access.queries.records import DATASET

GRACE_SECONDS = 86_400
"""For how long is kept what leaving or closing takes back, where the rule does not say; class 3: not at all."""

WANTED = """
SELECT r.id AS rule_id, r.dataset_id, i.id AS incident_id, g.scope_id, g.because, r.role, r.policy_id, r.fields_id,
  r.filter, r.pseudonym_key, r.valid_from, r.valid_to
FROM access_grant g
JOIN incidents_incident i ON i.id = g.object_id
JOIN access_scope s ON s.id = g.scope_id
JOIN access_sharerule r ON r.role = g.role
JOIN access_policy p ON p.id = r.policy_id
WHERE g.object_type = 'incidents.incident' AND g.source IN ('participation', 'command')
  AND g.valid_to IS NULL AND g.revoked_at IS NULL
  AND i.closed_at IS NULL AND s.retired_at IS NULL AND s.key <> r.department_id::text
  AND (r.incident_id IS NULL OR r.incident_id = i.id)
  AND (r.type_path = '' OR i.type = r.type_path OR starts_with(i.type, r.type_path || '.'))
  AND coalesce(i.response_level, 4) <= r.lowest_level
  AND (NOT i.exercise OR (p.max_class < 3 AND NOT r.personal))
  AND r.revoked_at IS NULL AND (r.valid_to IS NULL OR r.valid_to > %(at)s)
  AND (r.confirmed_at IS NOT NULL OR NOT r.needs_second)
"""
"""What there must be at a moment. One does not get one's own data by a rule: it would be shown masked beside whole."""

STANDING = """
SELECT g.rule_id, g.object_id AS dataset_id, g.incident_id, g.scope_id, g.because, g.role, g.policy_id, g.fields_id,
  g.filter, g.pseudonym_key, g.valid_to
FROM access_grant g JOIN access_scope s ON s.id = g.scope_id AND s.retired_at IS NULL
WHERE g.source = 'rule' AND g.object_type = 'catalogue.dataset' AND g.let_go_at IS NULL
  AND (g.valid_to IS NULL OR g.valid_to > %(at)s)
"""
"""What there is, ended or not, of holders that are not retired: what a steward took back from one department stays
written down, so nothing gives it again while that part lasts."""

LINGERING = f"""
SELECT g.id FROM access_grant g
LEFT JOIN access_sharerule r ON r.id = g.rule_id LEFT JOIN access_policy p ON p.id = r.policy_id
WHERE g.source = 'rule' AND g.let_go_at IS NOT NULL AND g.revoked_at IS NULL AND g.valid_to > %(at)s
  AND g.valid_to > g.let_go_at
    + make_interval(secs => CASE WHEN p.max_class >= 3 THEN 0 ELSE coalesce(r.grace, {GRACE_SECONDS}) END)
"""  # noqa: S608 - a number of ours
"""What was let go and is open for longer than any grace of its rule."""


@dataclass(frozen=True, slots=True)
class OpenedData:
    """That a department has records of a dataset through an incident; ``until``: None while its part lasts."""

    dataset_id: int
    department_id: int
    role: str
    until: datetime | None


def opened_data(incident_ids: Collection[int], at: datetime) -> list[OpenedData]:
    """What rules have opened through these incidents to whom, by dataset and department; one statement."""
    rows = Grant.objects.filter(
        Q(valid_to=None) | Q(valid_to__gt=at), Q(revoked_at=None) | Q(revoked_at__gt=at), valid_from__lte=at,
        object_type=DATASET, source=Grant.Source.RULE, incident_id__in=list(incident_ids), scope__retired_at=None,
    ).order_by("object_id", "scope_id", "role")  # fmt: skip
    best: dict[tuple[int, int, str], datetime | None] = {}
    for dataset_id, key, role, until in rows.values_list("object_id", "scope__key", "role", "valid_to"):
        place = (dataset_id, int(key), role)
        known = best.get(place, until)
        best[place] = None if until is None or known is None else max(until, known)
    return [OpenedData(*place, until) for place, until in best.items()]


def rules_of(dataset_id: int) -> QuerySet[ShareRule]:
    """The rules of a dataset, newest first, with what they show; that one may see them is asked above."""
    return ShareRule.objects.filter(dataset_id=dataset_id).select_related("fields", "policy").order_by("-pk")
