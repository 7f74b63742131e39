"""How does a DCAT document come into the catalogue: all of it, or nothing?

Each entry goes through the same acts as a steward's own form (draft or change, add a schema, publish, retire), so
that an import can make nothing that a form could not.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts import queries as accounts
from coordination.events.actor import Actor
from coordination.events.command import action
from coordination.events.refused import Invalid, Refused
from sharing import access
from sharing.catalogue import dcat_reading
from sharing.catalogue.actions import acting, legal
from sharing.catalogue.actions.describing import change, draft
from sharing.catalogue.actions.moves import publish, retire
from sharing.catalogue.actions.schemas import add_schema
from sharing.catalogue.entered import Entered
from sharing.catalogue.models import Dataset, LegalBasis, SchemaVersion
from sharing.catalogue.queries import tables

MOST_ERRORS = 200


@action("catalogue.import")
def import_catalogue(*, actor: Actor, now: datetime, document: Mapping[str, Any]) -> dict[str, list[int]]:
    """Take in the entries of the actor's own department; the platform takes those of all.

    A code not there yet is drafted, one that is there is changed; what the document calls published or retired
    becomes so. Returns ids: ``drafted``, ``changed``, ``same``. Refuses (422) with every fault, and keeps nothing.
    """
    access.require(actor, "steward")
    errors: list[dict[str, Any]] = []

    def fault(pointer: str, code: str, detail: Any) -> None:
        errors.append({"pointer": pointer, "code": code, "detail": detail})

    entries = dcat_reading.read(document, frequencies(), fault)
    own = accounts.departments_by_id([actor.department_id]) if actor.department_id is not None else {}
    homes = {row.code: row.pk for row in (accounts.departments() if actor.kind == "system" else own.values())}
    done: dict[str, list[int]] = {"drafted": [], "changed": [], "same": []}
    for entry in entries:
        home = homes.get(entry["publisher"])
        if home is None:
            fault(f"{entry['at']}/dct:publisher", "not_yours", _("Only entries of your own department are taken."))
            continue
        try:
            pk, what = _take(actor, now, entry, home)
        except Refused as no:
            _note(no, entry["at"], fault)
            continue
        done[what].append(pk)
    if errors:
        raise Invalid(_("The document cannot be taken; nothing of it was kept."), errors=errors[:MOST_ERRORS])
    return done


def frequencies() -> dict[str, str]:
    """Code of each frequency by the address that stands for it in documents."""
    return {row.data["uri"]: row.code for row in tables.codes("update_frequency") if "uri" in row.data}


def _note(no: Refused, at: str, fault: Any) -> None:
    """A refusal of an act as faults of the document, each at the property it comes from."""
    for one in no.errors:
        name, slash, rest = str(one["pointer"]).lstrip("/").partition("/")
        where = dcat_reading.WHERE.get(name, name)
        fault(f"{at}/{where}{slash}{rest}", str(one.get("code", no.code)), one.get("detail", no.message))
    if not no.errors:
        fault(at, no.code, no.message)


def _take(actor: Actor, now: datetime, entry: dict[str, Any], home: int) -> tuple[int, str]:
    fields = dict(entry["fields"])
    fields["legal_basis_id"] = _basis(actor, entry["basis"]) if entry["basis"] else None
    code = fields.pop("code")
    there = Dataset.objects.filter(department_id=home, code=code).first()
    if there is None:
        row, what = draft(actor=actor, now=now, code=code, department_id=home, **fields), "drafted"
    else:
        row, what = change(actor=actor, now=now, dataset_id=there.pk, **fields), "changed"
    _schemas(actor, now, row.pk, entry["schemas"])
    _lead_to(actor, now, row.pk, entry)
    row.refresh_from_db()
    if there is not None and row.version == there.version:
        what = "same"
    return row.pk, what


def _basis(actor: Actor, given: dict[str, Any]) -> int:
    values = legal.checked(_AtBasis(), **given)
    known = LegalBasis.objects.filter(
        instrument_zh=values["instrument_zh"], article=values["article"], in_force_from=values["in_force_from"]
    ).first()
    return (known or legal.made(actor, values)).pk


class _AtBasis(Entered):
    """Faults of a legal basis, as of that field of its entry."""

    def fault(self, name: str, code: str, detail: Any) -> None:
        """Note one fault."""
        super().fault(f"legal_basis/{name}", code, detail)


def _schemas(actor: Actor, now: datetime, pk: int, documents: list[Any]) -> None:
    """Add the schemas that follow those that are there; where the two histories differ, only the last one."""
    known = list(
        SchemaVersion.objects.filter(dataset_id=pk).order_by("number").values_list("document", flat=True)
    )
    if known and documents[: len(known)] != known:
        fresh = documents[-1:] if documents[-1:] != known[-1:] else []
    else:
        fresh = documents[len(known) :]
    for one in fresh:
        add_schema(actor=actor, now=now, dataset_id=pk, schema=one)


def _lead_to(actor: Actor, now: datetime, pk: int, entry: dict[str, Any]) -> None:
    """Publish and retire as far as the document says so, with the times it gives where they have been."""
    if entry["state"] not in Dataset.State.values:
        detail = _("There is no such state.")
        raise Invalid(detail, errors=[{"pointer": "/adms:status", "code": "not_a_choice", "detail": detail}])
    row = Dataset.objects.get(pk=pk)
    if row.state == Dataset.State.DRAFT and entry["state"] != Dataset.State.DRAFT:
        row = publish(actor=actor, now=now, dataset_id=pk)
        _date_back(row, now, entry)
    if row.state == Dataset.State.PUBLISHED and entry["state"] == Dataset.State.RETIRED:
        retire(actor=actor, now=now, dataset_id=pk)


def _date_back(row: Dataset, now: datetime, entry: dict[str, Any]) -> None:
    """An entry published elsewhere keeps the time of it, and of its confirmation: never later than now."""
    row.listed_at = min(entry["issued"] or now, now)
    if row.confirmed_at is not None and entry["confirmed_at"] is not None:
        row.confirmed_at = min(entry["confirmed_at"], now)
    acting.save(row, "listed_at", "confirmed_at")
