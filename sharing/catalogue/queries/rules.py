"""By which rules does a dataset open by itself in incidents, and what is open through one of them now?"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts import queries as accounts
from coordination.events.actor import Actor
from sharing import access
from sharing.access.models import ShareRule
from sharing.catalogue.queries import tables
from sharing.catalogue.queries.entries import Row, seen, seen_one
from sharing.catalogue.queries.records import NoGrant

ROLE_NAMES = {"lead": _("lead"), "support": _("support"), "informed": _("informed")}
LEVELS = {1: "I", 2: "II", 3: "III", 4: ""}
STATES = {"waits": _("Waits for a second person"), "ended": _("Ended"), "later": _("Not yet"), "stands": _("Stands")}


def rules(*, actor: Actor, now: datetime, dataset_id: int) -> list[Row]:
    """The rules of a dataset, newest first; the department that keeps it alone (403 for others)."""
    dataset = seen_one(actor, dataset_id)
    if actor.kind != "system" and (actor.department_id != dataset.department_id or not access.may(actor, "view")):
        raise NoGrant(_("Only the department that keeps this dataset sees its rules."), right="view")
    found = list(access.rules_of(dataset.pk))
    names = tables.path_names("incident_type", {row.type_path for row in found} - {""})
    return [rule_row(row, now, names) for row in found]


def rule_row(row: ShareRule, now: datetime, names: dict[str, str] | None = None) -> Row:
    """A rule as it is shown."""
    names = tables.path_names("incident_type", {row.type_path} - {""}) if names is None else names
    state = "stands"
    if row.revoked_at is not None or (row.valid_to is not None and row.valid_to <= now):
        state = "ended"
    elif row.needs_second and row.confirmed_at is None:
        state = "waits"
    elif row.valid_from > now:
        state = "later"
    return {
        "id": row.pk, "role": row.role, "role_name": str(ROLE_NAMES[row.role]), "type": row.type_path,
        "type_name": names.get(row.type_path, ""), "lowest_level": row.lowest_level,
        "level_name": LEVELS[row.lowest_level], "shown": row.fields.fields, "filter": row.filter,
        "shown_fields": _words(row.fields.fields), "shown_filter": json.dumps(row.filter) if row.filter else "",
        "grace": row.grace, "valid_from": row.valid_from, "valid_to": row.valid_to, "state": state,
        "state_name": str(STATES[state]), "made_at": row.made_at, "made_by": row.made_by,
        "confirmed_at": row.confirmed_at, "ended_at": row.revoked_at, "ended_why": row.revoked_why,
        "classification": row.policy.max_class,
    }  # fmt: skip


def _words(fields: dict[str, Any]) -> list[Row]:
    return [{"name": name, "masked": rule != "full"} for name, rule in fields.items()]


def opened_in(*, actor: Actor, incident_ids: Collection[int], commands: bool, now: datetime) -> dict[str, list[Row]]:
    """What rules have opened through incidents: ``mine``, and ``others`` for who commands or keeps the data.

    That the actor sees the incident is asked above; entries that the actor may not know of are left out.
    """
    told = access.opened_data(incident_ids, now)
    entries = seen(actor).filter(pk__in={one.dataset_id for one in told}).select_related("department")
    known = {row.pk: row for row in entries}
    keeps = actor.department_id if access.may(actor, "steward") else None
    departments = {one.pk: one for one in accounts.departments(active=None)} if told else {}
    mine, others = [], []
    for one in told:
        entry = known.get(one.dataset_id)
        if entry is None:
            continue
        line = {
            "dataset": entry.pk, "title": entry.title, "kept_by": entry.department.short, "until": one.until,
            "role_name": str(ROLE_NAMES[one.role]),
            "department": departments[one.department_id].short,
        }  # fmt: skip
        if one.department_id == actor.department_id:
            mine.append(line)
        elif commands or entry.department_id == keeps:
            others.append(line)
    return {"mine": mine, "others": others}
