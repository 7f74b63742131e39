"""What of a dataset's records is open to an actor now, and by what may they be asked for?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from coordination.events import reads
from coordination.events.actor import Actor
from coordination.events.refused import Invalid
from sharing import access
from sharing.access import fields as masks
from sharing.access import filters
from sharing.catalogue.models import Dataset, Record, SchemaVersion, Transfer
from sharing.catalogue.queries.entries import MASK_NAMES, Row, names, schema_row, seen_one

COLUMNS = ("id", "since", "data")
SORTABLE = (*filters.ORDERED, "string", "boolean", "time", "year", "yearmonth")
"""Types whose values have an order that people know, and that their JSON keeps."""


class NoGrant(access.NotYourRight):
    """What the entry says is open; its records are not opened to this actor now. They can be asked for."""


class NoSuchTransfer(Invalid):
    """The dataset has no transfer of this number."""

    code = "no_such_transfer"


@dataclass(frozen=True)
class Opened:
    """A dataset's records as far as they are open to an actor at a moment; ``as_of``: as that transfer left them."""

    actor: Actor
    dataset: Dataset
    held: Any
    schema: SchemaVersion | None
    as_of: int | None = None

    @cached_property
    def fields(self) -> list[Row]:
        """The fields of the current schema, as its document has them."""
        return list(self.schema.document["fields"]) if self.schema else []

    @cached_property
    def classes(self) -> dict[str, int]:
        """Classification of each field, as `classes_of` says."""
        return classes_of(self.dataset, self.schema)

    @cached_property
    def types(self) -> dict[str, str]:
        """Type of each field by which may be filtered: every grant shows it whole."""
        askable = self.held.askable(self.classes)
        return {
            one["name"]: one.get("type", "string")
            for one in self.fields if one.get("filterable") and one["name"] in askable
        }

    @cached_property
    def rules(self) -> dict[str, masks.Rule]:
        """How each field that is open at all is shown where it is shown best."""
        found = {}
        for name, level in self.classes.items():
            ways = [rule for one in self.held.openings if (rule := one.rule(name, level)) is not None]
            if ways:
                found[name] = masks.least(ways)
        return found

    @cached_property
    def classification(self) -> int:
        """The highest class of what is open: the dataset's, or that of one field."""
        return max([self.dataset.classification, *(self.classes[name] for name in self.rules)])

    @property
    def restricted(self) -> bool:
        """Whether it leaves for a stated purpose alone."""
        return self.classification >= reads.KEPT_FROM

    @property
    def takes_along(self) -> bool:
        """Whether anything of it may leave as a file: not of class 4, and not by break-glass alone."""
        return self.dataset.classification < 4 and any(one.exportable for one in self.held.openings)

    @property
    def masks_any(self) -> bool:
        """Whether any field of any grant is masked, so that small numbers are not told."""
        return any(
            one.rule(name, level) not in (None, masks.FULL)
            for one in self.held.openings for name, level in self.classes.items()
        )

    @property
    def of_others(self) -> bool:
        """Whether the records are another department's."""
        return self.dataset.department_id != self.actor.department_id

    @property
    def place(self) -> str:
        """The field that says where a record is, if it is open; else empty."""
        kinds = {one["name"]: one.get("type") for one in self.fields}
        return next((name for name in self.rules if kinds[name] == "geopoint"), "")

    def rows(self, where: Mapping[str, Any] | None = None) -> QuerySet[Record, Any]:
        """The records that pass, in no order. Raises `filters.BadFilter` for what cannot be asked."""
        tree = filters.checked(where, self.types)
        found = Record.everything.filter(filters.condition(tree), self._standing(), dataset=self.dataset)
        passed: QuerySet[Record, Any] = self.held.rows(found)
        return passed

    def _standing(self) -> Q:
        if self.as_of is None:
            return Q(until=None)
        return Q(since__lte=self.as_of) & (Q(until=None) | Q(until__gt=self.as_of))

    def values(self, rows: QuerySet[Record, Any], *more: str) -> QuerySet[Any, Any]:
        """The columns that `shown` needs, and ``more``."""
        marks = [f"opened{number}" for number in range(len(self.held.openings))]
        found: QuerySet[Any, Any] = rows.values(*COLUMNS, *more, *marks)
        return found

    def shown(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
        """Each of the rows as far as it is open, with what decides whether it is kept that it was read."""
        about = {
            "classification": self.classification, "of_persons": self.dataset.personal,
            "of_others": self.of_others,
        }
        for row in self.held.shown(rows, self.classes):
            yield row | about

    def columns(self) -> list[Row]:
        """Every field as a table's head shows it: ``rule`` is full, a kind of mask, or absent."""
        if self.schema is None:
            return []
        found = []
        for field in schema_row(self.schema, names())["fields"]:
            rule = self.rules.get(field["name"])
            kind = "absent" if rule is None else rule if isinstance(rule, str) else rule["mask"]
            found.append(
                field | {
                    "rule": kind,
                    "rule_name": str(MASK_NAMES.get(kind, "")),
                    "askable": field["name"] in self.types,
                    "sortable": self.types.get(field["name"]) in SORTABLE,
                }
            )
        return found


def opened(
    *, actor: Actor, now: datetime, dataset_id: int, purpose: str = "", as_of: int | None = None, bulk: bool = False
) -> Opened:
    """What is open; 404 for an entry that is hidden, `NoGrant` (403) where its records are not opened.

    ``bulk``: to leave as a file, which nothing does that break-glass alone opens (`access.NotForExport`, 403).
    """
    dataset = seen_one(actor, dataset_id)
    schema = SchemaVersion.objects.filter(dataset=dataset, current=True).first()
    held = open_to(actor, dataset, schema, now, purpose=purpose, bulk=bulk)
    if as_of is not None and not Transfer.objects.filter(dataset=dataset, number=as_of).exists():
        detail = _("There is no transfer of this number.")
        raise NoSuchTransfer(detail, errors=[{"pointer": "/as_of", "code": "no_such_transfer", "detail": detail}])
    return Opened(actor, dataset, held, schema, as_of)


def classes_of(dataset: Dataset, schema: SchemaVersion | None) -> dict[str, int]:
    """Class of each field: never below the dataset's, so that raising that narrows what was given."""
    fields = schema.document["fields"] if schema else []
    least = max(dataset.classification, 1)
    return {one["name"]: max(int(one.get("classification", 1)), least) for one in fields}


def open_to(
    actor: Actor, dataset: Dataset, schema: SchemaVersion | None, now: datetime, *, purpose: str = "",
    bulk: bool = False,
) -> Any:
    """What the actor holds of it. A grant that shows no field any more, since the class was raised, opens no record.

    How many records there are, and which, is of that class too. Raises `NoGrant` where nothing is open.
    """
    try:
        held = access.held(actor, dataset.pk, now, purpose=purpose)
    except access.Unseen:
        held = None
    classes = classes_of(dataset, schema).items()
    shows = held and tuple(one for one in held.openings if not classes or any(one.rule(*each) for each in classes))
    if not held or not shows:
        raise NoGrant(_("These records are not open to you. Ask for access, and say what for."), right="view")
    held = replace(held, openings=shows)
    return held.exportable() if bulk else held


def last_transfer(dataset: Dataset) -> int | None:
    """The number of the newest transfer; None before the first."""
    rows = Transfer.objects.filter(dataset=dataset).order_by("-number")
    return rows.values_list("number", flat=True).first()


def histories(opened: Opened, record_id: int) -> QuerySet[Record, Any]:
    """Every state of the record that one id names, as far as it is open; the newest first."""
    key = Record.everything.filter(dataset=opened.dataset, pk=record_id).values("key")
    rows = Record.everything.filter(dataset=opened.dataset, key__in=key)
    found: QuerySet[Record, Any] = opened.held.rows(rows).order_by(F("since").desc())
    return found
