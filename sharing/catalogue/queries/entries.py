"""What does one entry of the catalogue say, to whom?

What an entry says is open to every department, whatever the terms on which its data is shared. Two things are not:
drafts, and entries of class 4. Both are seen by the department that keeps them, and by no wall; those of class 4 also
by the named posts that they are given to, as long as the grant holds. To all others they are as if they were not there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from coordination.events.actor import Actor
from coordination.events.at_once import answer
from coordination.events.refused import NotFound
from coordination.events.text import localized
from sharing import access
from sharing.catalogue import dcat, deciders, states, stewards, table_schema
from sharing.catalogue.models import Code, Dataset, LegalBasis, SchemaVersion
from sharing.catalogue.queries import tables

Row = dict[str, Any]
NAMED = ("update_frequency", "data_theme", "unit")
CONFIRMED_FOR = timedelta(days=365)
"""How long a confirmation of restricted terms holds."""


class NoSuchDataset(NotFound):
    """There is no such entry, or none that the actor may know of."""


def seen(actor: Actor) -> QuerySet[Dataset]:
    """Entries that the actor may know of."""
    rows = Dataset.objects.all()
    if actor.kind == "system":
        return rows
    if actor.department_id is None:
        return rows.none()
    public = Q(state__in=(Dataset.State.PUBLISHED, Dataset.State.RETIRED))
    known = public & Q(classification__lt=4)
    if actor.is_person:
        known |= Q(pk__in=access.datasets_broken(actor)) | public & Q(pk__in=access.datasets_entrusted(actor))
    return rows.filter(known if actor.kind == "display" else known | Q(department_id=actor.department_id))


def seen_one(actor: Actor, dataset_id: int, *, lock: bool = False) -> Dataset:
    """One entry with its department and legal basis; 404 where hidden or absent."""
    rows = seen(actor).select_related("department", "legal_basis")
    if lock:
        rows = rows.select_for_update(no_key=True, of=("self",))
    found = rows.filter(pk=dataset_id).first()
    if found is None:
        raise NoSuchDataset(_("There is no such dataset."))
    return found


def dataset(*, actor: Actor, dataset_id: int, now: datetime) -> Row:
    """All that an entry says, with its current schema and what may be done with it now."""
    row = seen_one(actor, dataset_id)
    schema = SchemaVersion.objects.filter(dataset=row, current=True).first()
    codes = names()
    found = listed(row, codes)
    steward = stewards.may_steward(actor, row, now)
    moves = states.moves_from(row.state, restricted=row.restricted) if steward else []
    return found | {
        "description_zh": row.description_zh,
        "description_en": row.description_en,
        "grace": row.grace,
        "conditions": localized(row.conditions_zh, row.conditions_en),
        "conditions_zh": row.conditions_zh,
        "conditions_en": row.conditions_en,
        "contact": row.contact,
        "legal_basis": basis_row(row.legal_basis) if row.legal_basis else None,
        "confirm_by": row.confirmed_at + CONFIRMED_FOR if row.confirmed_at else None,
        "guarded_until": deciders.guarded_until(row, now) if steward else None,
        "schema": schema_row(schema, codes) if schema else None,
        "allowed_actions": [{"action": name} for name in moves],
    }


def names() -> dict[str, dict[str, Code]]:
    """Codes by table and code, of the tables that entries name; one query."""
    found = answer(tables.codes_steps(NAMED, all=True))
    return {table: {row.code: row for row in rows} for table, rows in found.items()}


def listed(row: Dataset, codes: dict[str, dict[str, Code]]) -> Row:
    """An entry as it stands in a list."""
    return {
        "id": row.pk,
        "version": row.version,
        "code": row.code,
        "title": row.title,
        "title_zh": row.title_zh,
        "title_en": row.title_en,
        "description": localized(row.description_zh, row.description_en),
        "department": department_row(row.department),
        "area": row.area,
        "theme": row.theme,
        "theme_name": _name(codes, "data_theme", row.theme),
        "frequency": row.frequency,
        "frequency_name": _name(codes, "update_frequency", row.frequency),
        "sharing": row.sharing,
        "sharing_name": row.get_sharing_display(),
        "classification": row.classification,
        "personal": row.personal,
        "emergency_release": row.emergency_release,
        "state": row.state,
        "state_name": row.get_state_display(),
        "listed_at": row.listed_at,
        "confirmed_at": row.confirmed_at,
    }


def _name(codes: dict[str, dict[str, Code]], table: str, code: str) -> str:
    return codes[table][code].name if code in codes[table] else code


def department_row(department: Any) -> Row:
    """A department, in short."""
    return {
        "id": department.pk, "name": department.name, "short": department.short, "kind": department.kind,
    }


def basis_row(row: LegalBasis) -> Row:
    """A legal basis."""
    return {
        "id": row.pk, "name": row.name, "instrument_zh": row.instrument_zh, "instrument_en": row.instrument_en,
        "article": row.article, "url": row.url, "in_force_from": row.in_force_from, "in_force_to": row.in_force_to,
    }


TYPE_NAMES = {
    "string": _("text"), "integer": _("whole number"), "number": pgettext_lazy("type of a field", "number"),
    "boolean": _("yes or no"),
    "date": _("date"), "time": _("time of day"), "datetime": _("date and time"), "year": _("year"),
    "yearmonth": _("year and month"), "duration": _("duration"), "geopoint": _("point on the map"),
    "geojson": _("shape on the map"),
}
MASK_NAMES = {
    "null": _("left out"), "constant": _("a constant"), "partial": _("in part"), "generalise": _("coarsened"),
    "bucket": _("in steps"), "pseudonym": _("pseudonym"),
}


def schema_row(row: SchemaVersion, codes: dict[str, dict[str, Code]] | None = None) -> Row:
    """A schema, with its fields as a table shows them; ``codes``: as `names` gives them, for the words of units."""
    codes = codes or {"unit": {}}
    key = table_schema.key_of(row.document)
    fields = [
        {
            "name": field["name"],
            "title": localized(field.get("title_zh", ""), field.get("title_en", "")) or field.get("title", ""),
            "type": field.get("type", "string"),
            "type_name": str(TYPE_NAMES[field.get("type", "string")]),
            "unit": field.get("unit", ""),
            "unit_name": _name(codes, "unit", field.get("unit", "")),
            "codes": field.get("codes", ""),
            "classification": field.get("classification", 1),
            "mask": field.get("mask", ""),
            "mask_name": str(MASK_NAMES.get(field.get("mask", ""), "")),
            "filterable": field.get("filterable", False),
            "key": field["name"] in key,
            "required": field.get("constraints", {}).get("required", False) or field["name"] in key,
            "description": field.get("description", ""),
        }
        for field in row.document["fields"]
    ]
    return {
        "number": row.number, "current": row.current, "added_at": row.added_at, "document": row.document,
        "fields": fields,
    }


def schemas(*, actor: Actor, dataset_id: int, now: datetime) -> list[Row]:
    """Every schema a dataset ever had, newest first."""
    row = seen_one(actor, dataset_id)
    return [schema_row(one) for one in SchemaVersion.objects.filter(dataset=row).order_by("-number")]


def legal_bases(*, actor: Actor, now: datetime) -> list[Row]:
    """Every legal basis, by instrument and article; open to every department."""
    return [basis_row(row) for row in LegalBasis.objects.order_by("instrument_zh", "article", "in_force_from")]


def terms(*, actor: Actor, dataset_id: int, now: datetime) -> Row:
    """What a form begins with when an entry is changed; refuses (403) who is no steward of it."""
    row = seen_one(actor, dataset_id)
    stewards.require_steward(actor, row, now)
    schema = SchemaVersion.objects.filter(dataset=row, current=True).first()
    names_of_fields = (
        "version", "code", "title", "title_zh", "title_en", "description_zh", "description_en", "area", "theme",
        "frequency", "grace", "sharing", "classification", "legal_basis_id", "conditions_zh", "conditions_en",
        "personal", "emergency_release", "contact", "state",
    )
    return {name: getattr(row, name) for name in names_of_fields} | {
        "id": row.pk,
        "fields": schema.document["fields"] if schema else [],
        "shown_document": json.dumps(schema.document, ensure_ascii=False, indent=2) if schema else "",
    }


def export(*, actor: Actor, now: datetime, department_id: int | None = None) -> Row:
    """Entries with all their schemas as a DCAT document, by department and code.

    Those of class 4 stay out, whoever asks: nothing confidential leaves in bulk. Three queries, however many there are.
    """
    rows = seen(actor).filter(classification__lt=4).select_related("department", "legal_basis")
    if department_id is not None:
        rows = rows.filter(department_id=department_id)
    found: Sequence[Dataset] = list(rows.order_by("department__code", "code"))
    by_dataset: dict[int, list[SchemaVersion]] = {}
    for one in SchemaVersion.objects.filter(dataset__in=[row.pk for row in found]).order_by("number"):
        by_dataset.setdefault(one.dataset_id, []).append(one)
    addresses = {row.code: row.data["uri"] for row in tables.codes("update_frequency", all=True) if "uri" in row.data}
    return dcat.document([{"row": row, "schemas": by_dataset.get(row.pk, [])} for row in found], addresses)
