"""What may a message say of an incident, a participation or a report?

Asked by ids, for messages that are on their way to people whom the event itself named.
"""

from __future__ import annotations

from collections.abc import Iterable

from incidents.models import Incident, Participation, Report
from sharing import access

_WHY = "a message names what it is about to those whom its event told"
Words = dict[str, str]


def incident_words(ids: Iterable[int]) -> dict[int, Words]:
    """Number and headlines of incidents; one query."""
    rows = access.unscoped(Incident, reason=_WHY).filter(pk__in=list(ids))
    return {
        pk: {"number": number, "headline_zh": zh, "headline_en": en}
        for pk, number, zh, en in rows.values_list("pk", "number", "headline_zh", "headline_en")
    }


def participation_words(ids: Iterable[int]) -> dict[int, Words]:
    """Number and headlines of the incidents, and the departments' names; one query."""
    rows = access.unscoped(Participation, reason=_WHY).filter(pk__in=list(ids)).select_related("incident", "department")
    return {
        row.pk: {
            "number": row.incident.number,
            "headline_zh": row.incident.headline_zh,
            "headline_en": row.incident.headline_en,
            "department_zh": row.department.short_zh,
            "department_en": row.department.short_en,
        }
        for row in rows
    }


def report_words(ids: Iterable[int]) -> dict[int, Words]:
    """Number and beginning of reports; one query."""
    rows = access.unscoped(Report, reason=_WHY).filter(pk__in=list(ids))
    return {
        pk: {"number": number, "headline_zh": text[:22], "headline_en": text[:40]}
        for pk, number, text in rows.values_list("pk", "number", "text")
    }
