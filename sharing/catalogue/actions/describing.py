"""How is an entry of the catalogue drafted, and how is put right what it says?"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from accounts import queries as accounts
from coordination.events.actor import Actor
from coordination.events.command import action
from coordination.events.refused import Conflict
from sharing import access
from sharing.access.actions.opening import Holder, Terms
from sharing.access.fields import EVERY_FIELD, FULL
from sharing.catalogue import stewards, table_schema
from sharing.catalogue.actions import acting, ruling
from sharing.catalogue.entered import Entered, row_id
from sharing.catalogue.models import Dataset, LegalBasis

CODE = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}")
LONGEST_GRACE = 366 * 86400
FIELDS = (
    "title_zh", "title_en", "description_zh", "description_en", "area", "theme", "frequency", "grace", "sharing",
    "classification", "legal_basis_id", "conditions_zh", "conditions_en", "personal", "emergency_release", "contact",
)
"""What a steward says of an entry; the code stays as it was drafted."""
TERMS = ("sharing", "classification", "legal_basis_id", "conditions_zh", "conditions_en", "emergency_release")
"""Fields whose change says anew on what terms the data may be had: the year of the confirmation begins again."""


class Same:
    """Stands for a field that is not to be changed."""


SAME: Final = Same()


class CodeTaken(Conflict):
    """The department has another entry of this code."""

    code = "code_taken"


@action("dataset.draft")
def draft(
    *,
    actor: Actor,
    now: datetime,
    code: str,
    frequency: str,
    title_zh: str = "",
    title_en: str = "",
    description_zh: str = "",
    description_en: str = "",
    area: str = "",
    theme: str = "",
    grace: int = 0,
    sharing: str = "unconditional",
    classification: int = 2,
    legal_basis_id: int | None = None,
    conditions_zh: str = "",
    conditions_en: str = "",
    personal: bool = False,
    emergency_release: bool = False,
    contact: str = "",
    department_id: int | None = None,
) -> Dataset:
    """Begin an entry of the actor's own department (the platform names one); its data stewards become its stewards.

    ``frequency``: code of ``update_frequency``; ``grace`` in seconds; ``area``: division code; ``sharing``:
    unconditional, conditional or none; ``classification`` 1 to 4.
    """
    access.require(actor, "steward")
    home = department_id if actor.kind == "system" else actor.department_id
    raw = {name: value for name, value in locals().items() if name in FIELDS}
    entered = Entered()
    code = checked_code(entered, code)
    if home is None or not accounts.departments(ids=[home]):
        entered.fault("department", "unknown", _("There is no such department."))
    values = checked(entered, raw)
    dataset = Dataset(**values, code=code, department_id=int(home or 0), listed_at=now)
    acting.index(dataset, None)
    try:
        with transaction.atomic():
            dataset.save(force_insert=True)
    except IntegrityError:
        said = _("Your department has an entry of this code.")
        raise CodeTaken(said, errors=[{"pointer": "/code", "code": "code_taken", "detail": said}]) from None
    stewards.entrust(dataset)
    access.open_dataset(
        dataset_id=dataset.pk, holders=[Holder("department", str(home))],
        terms=Terms(fields={EVERY_FIELD: FULL}, max_class=4, source="owner", valid_from=now),
    )
    acting.note(dataset, "dataset.drafted")
    return dataset


@action("dataset.change")
def change(
    *,
    actor: Actor,
    now: datetime,
    dataset_id: int,
    title_zh: str | Same = SAME,
    title_en: str | Same = SAME,
    description_zh: str | Same = SAME,
    description_en: str | Same = SAME,
    area: str | Same = SAME,
    theme: str | Same = SAME,
    frequency: str | Same = SAME,
    grace: int | Same = SAME,
    sharing: str | Same = SAME,
    classification: int | Same = SAME,
    legal_basis_id: int | None | Same = SAME,
    conditions_zh: str | Same = SAME,
    conditions_en: str | Same = SAME,
    personal: bool | Same = SAME,
    emergency_release: bool | Same = SAME,
    contact: str | Same = SAME,
    if_version: int | None = None,
) -> Dataset:
    """Change what an entry says; what is not named stays as it is. Other terms count as confirmed now."""
    given = {name: value for name, value in locals().items() if name in FIELDS and not isinstance(value, Same)}
    dataset = acting.lock(actor, dataset_id, "change", now=now, if_version=if_version)
    values = checked(Entered(), {name: given.get(name, getattr(dataset, name)) for name in FIELDS})
    schema = acting.current_schema(dataset)
    different = [name for name in FIELDS if getattr(dataset, name) != values[name]]
    before, levels = dataset.classification, acting.levels(dataset, schema)
    for name in different:
        setattr(dataset, name, values[name])
    faults = Entered()
    if schema is not None:
        check_field_classes(faults, dataset.classification, schema.document, "classification")
    if dataset.state == Dataset.State.PUBLISHED:
        check_publishable(faults, dataset, now)
    faults.done()
    if not different:
        return dataset
    if ruling.narrower(dataset, different, before):
        ruling.end_all(actor=actor, dataset=dataset, why=str(_("The terms have changed.")), now=now)
    if dataset.state == Dataset.State.PUBLISHED and set(different) & set(TERMS):
        dataset.confirmed_at = now if dataset.restricted else None
    acting.index(dataset, schema)
    lowered = acting.lowers(dataset, levels, schema, now)
    acting.save(dataset, *(name.removesuffix("_id") for name in different), "confirmed_at", "words", "lowered_at")
    acting.note(dataset, "dataset.changed", fields=different)
    if lowered:
        acting.note_lowered(dataset)
    return dataset


def checked_code(entered: Entered, code: Any) -> str:
    """A code of small letters, digits and ``. _ -``, at most 60."""
    found = entered.text("code", code, 60, needed=True)
    if found and not CODE.fullmatch(found):
        entered.fault("code", "not_a_code", _("Small Latin letters, digits and . _ - only."))
    return found


def checked(entered: Entered, raw: dict[str, Any]) -> dict[str, Any]:
    """Every field as it may be kept; refuses with every fault (422). The database holds the same rules."""
    values: dict[str, Any] = {
        "title_zh": " ".join(entered.text("title_zh", raw["title_zh"], 120).split()),
        "title_en": " ".join(entered.text("title_en", raw["title_en"], 160).split()),
        "description_zh": entered.text("description_zh", raw["description_zh"], 4000),
        "description_en": entered.text("description_en", raw["description_en"], 4000),
        "area": entered.region(raw["area"], "area"),
        "theme": entered.code("theme", "data_theme", raw["theme"], needed=False),
        "frequency": entered.code("frequency", "update_frequency", raw["frequency"]),
        "grace": _whole(entered, "grace", raw["grace"], 0, LONGEST_GRACE),
        "sharing": entered.choice("sharing", raw["sharing"], Dataset.Sharing.values) or "",
        "classification": _whole(entered, "classification", raw["classification"], 1, 4),
        "conditions_zh": entered.text("conditions_zh", raw["conditions_zh"], 2000),
        "conditions_en": entered.text("conditions_en", raw["conditions_en"], 2000),
        "personal": raw["personal"] is True,
        "emergency_release": raw["emergency_release"] is True,
        "contact": entered.text("contact", raw["contact"], 200),
        "legal_basis_id": None,
    }
    if not (values["title_zh"] or values["title_en"]):
        entered.fault("title_zh", "required", _("A title in Chinese or English is needed."))
    basis = raw["legal_basis_id"]
    if basis is not None:
        known: int = row_id(basis) or 0
        values["legal_basis_id"] = known
        if not LegalBasis.objects.filter(pk=known).exists():
            entered.fault("legal_basis", "unknown", _("There is no such legal basis."))
    elif values["sharing"] in ("conditional", "none"):
        entered.fault("legal_basis", "required", _("Restricted sharing must name its legal basis."))
    if values["classification"] >= 3 and values["sharing"] == "unconditional":
        entered.fault("sharing", "too_open", _("Classes 3 and 4 are never shared unconditionally."))
    entered.done()
    return values


def check_field_classes(entered: Entered, classification: int, document: dict[str, Any], name: str) -> None:
    """Only an entry of class 4 has fields of class 4: an open entry would show that there are such."""
    if classification < 4 and table_schema.highest_class(document) == 4:
        entered.fault(name, "field_above", _("A field of class 4 needs an entry of class 4."))


def check_publishable(entered: Entered, dataset: Dataset, now: datetime) -> None:
    """What others must find in an entry: whom to ask, and on restricted terms which, and a basis in force."""
    if not dataset.contact:
        entered.fault("contact", "required", _("Say whom others ask about this data."))
    if dataset.sharing == Dataset.Sharing.CONDITIONAL and not (dataset.conditions_zh or dataset.conditions_en):
        entered.fault("conditions_zh", "required", _("Say on which conditions this is shared."))
    basis = LegalBasis.objects.filter(pk=dataset.legal_basis_id or 0).first() if dataset.restricted else None
    if basis is not None and not basis.in_force(acting.today(now)):
        entered.fault("legal_basis", "not_in_force", _("This legal basis is not in force today."))


def _whole(entered: Entered, name: str, value: Any, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        entered.fault(
            name, "out_of_range", _("A whole number from %(least)d to %(most)d.") % {"least": least, "most": most}
        )
        return least
    return value
