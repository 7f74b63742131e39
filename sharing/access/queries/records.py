"""Which records of a dataset does an actor see, and of each record which fields?

A dataset is opened by grants, each with a field policy and a row filter. Grants only add, and they add row by row: a
record is shown by the grants whose filter it passes, never one grant's rows with another's fields. Whether a grant
holds is a test of time in every question, so that none is left open by a job that has not run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, cast

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet, Value
from django.utils.translation import gettext_lazy as _

from coordination.events.actor import Actor
from coordination.events.at_once import at_once
from coordination.events.kept import kept
from coordination.events.refused import Forbidden
from sharing.access import fields as masks
from sharing.access import filters
from sharing.access.guarded import Opened
from sharing.access.models import Grant
from sharing.access.queries.hidden import Unseen
from sharing.access.queries.scopes import in_scope
from sharing.access.rights import right

DATASET = "catalogue.dataset"
ABSENT = None
CLASSES = (1, 2, 3, 4)
# A wall hangs where visitors stand: nothing above internal (2) is shown there, whatever its department sees.
DISPLAY_MAX_CLASS = 2


class NotForExport(Forbidden):
    """The data is open by break-glass alone, which exports nothing and shares nothing on."""

    code = "not_for_export"


@dataclass(frozen=True, slots=True)
class Opening:
    """What one or several like grants open: ``fields`` of the records that pass ``filter``, up to ``max_class``.

    ``exportable``: whether it may leave the platform as a file or be handed on; what break-glass opens may not.
    """

    fields: masks.Fields
    filter: filters.Tree
    max_class: int
    key: str
    grant_ids: tuple[int, ...]
    exportable: bool = True

    def rule(self, name: str, classification: int) -> masks.Rule | None:
        """How a field of a class is shown; None: not at all."""
        if classification > self.max_class:
            return ABSENT
        return self.fields.get(name, self.fields.get(masks.EVERY_FIELD))

    def names(self, name: str) -> bool:
        """Whether a field is named at all, whatever its class."""
        return name in self.fields or masks.EVERY_FIELD in self.fields

    def whole(self, most: int) -> bool:
        """Whether it shows every field of every record up to class ``most``, and lets them leave."""
        every = self.fields.get(masks.EVERY_FIELD) == masks.FULL and len(self.fields) == 1
        return every and not self.filter and self.max_class >= most and self.exportable


@dataclass(frozen=True, slots=True)
class Held:
    """What an actor holds of one dataset at a moment: at least one opening.

    ``purposes``: what the grants are for, also those that a declared purpose leaves aside.
    """

    dataset_id: int
    at: datetime
    openings: tuple[Opening, ...]
    purposes: tuple[str, ...] = ()

    @property
    def grant_ids(self) -> tuple[int, ...]:
        """The grants that it rests on."""
        return tuple(sorted({pk for opening in self.openings for pk in opening.grant_ids}))

    def covers(self, other: Held) -> bool:
        """Whether everything that ``other`` opened is open here as well, by whatever grants."""
        now = [(one.fields, one.filter, one.max_class, one.key) for one in self.openings]
        return all((one.fields, one.filter, one.max_class, one.key) in now for one in other.openings)

    @property
    def glass_ids(self) -> tuple[int, ...]:
        """The grants of break-glass among them: whatever is read by them is kept."""
        return tuple(pk for opening in self.openings if not opening.exportable for pk in opening.grant_ids)

    def exportable(self) -> Held:
        """What of it may leave as a file or be handed on. Raises `NotForExport` (403) where nothing may."""
        openings = tuple(opening for opening in self.openings if opening.exportable)
        if not openings:
            raise NotForExport(_("What is opened by break-glass can be looked at here, and not taken away."))
        return replace(self, openings=openings)

    def rows(self, records: QuerySet[Any], data: str = "data") -> QuerySet[Any]:
        """Those of ``records`` that an opening shows; ``opened``: for each opening in its order, whether it does."""
        passed = [filters.condition(opening.filter, data) for opening in self.openings]
        marks = {
            f"opened{number}": ExpressionWrapper(one, output_field=BooleanField()) if one else Value(True)
            for number, one in enumerate(passed)
        }
        rows: QuerySet[Any] = records.annotate(**marks)
        return rows.filter(reduce(or_, passed)) if all(passed) else rows

    def askable(self, classes: Mapping[str, int]) -> frozenset[str]:
        """The fields by which one may filter, sort, group and search: those that every opening shows whole.

        ``classes``: classification by field. A field that one opening masks would be told by what a question finds.
        """
        return frozenset(
            name for name, level in classes.items()
            if all(opening.rule(name, level) == masks.FULL for opening in self.openings)
        )

    def shown(self, rows: Iterable[Mapping[str, Any]], classes: Mapping[str, int]) -> Iterator[dict[str, Any]]:
        """Rows of ``.values()`` of `rows` with their ``data`` cut down to what is shown; all else stays as it is.

        ``classes``: classification by field. ``masked``: the fields that are shown in part.
        """
        known: dict[tuple[bool, ...], list[tuple[str, masks.Rule, bytes]]] = {}
        names = [f"opened{number}" for number in range(len(self.openings))]
        for row in rows:
            if not isinstance(row, Mapping):
                raise TypeError("shown takes rows of .values() only")
            passed = tuple(bool(row[name]) for name in names)
            rules = known.get(passed)
            if rules is None:
                rules = known[passed] = self._rules(passed, classes)
            yield _cut(row, rules)

    def _rules(self, passed: Sequence[bool], classes: Mapping[str, int]) -> list[tuple[str, masks.Rule, bytes]]:
        """How each field is shown of records that pass these filters: of several openings, what hides least."""
        found = []
        for name, level in classes.items():
            ways = [
                (rule, opening.key)
                for opening, passes in zip(self.openings, passed, strict=True)
                if passes and (rule := opening.rule(name, level)) is not None
            ]
            if ways:
                rule, key = min(ways, key=lambda way: masks.rank(way[0]))
                found.append((name, rule, key.encode()))
        return found


def _cut(row: Mapping[str, Any], rules: list[tuple[str, masks.Rule, bytes]]) -> dict[str, Any]:
    data = row["data"]
    done = {name: value for name, value in row.items() if name != "data" and not name.startswith("opened")}
    done["data"] = {name: masks.masked(data[name], rule, key) for name, rule, key in rules if name in data}
    done["masked"] = sorted(name for name, rule, _key in rules if rule != masks.FULL)
    return done


def held(actor: Actor, dataset_id: int, at: datetime, *, purpose: str = "") -> Held:
    """What the actor holds of a dataset; one statement. Raises `Unseen` (404) for whoever holds nothing.

    ``purpose``: only grants for that purpose, and those for none in particular.
    """
    found = None if not right("view").open_to(actor) else _held(actor, dataset_id, at, purpose)
    if found is None:
        raise Unseen
    return found


def _held(actor: Actor, dataset_id: int, at: datetime, purpose: str) -> Held | None:
    (grants,) = at_once(kept(_grants, actor, dataset_id, at))
    openings = _openings(actor, grants, purpose)
    purposes = tuple(sorted({grant.purpose for grant in grants if grant.purpose}))
    return Held(dataset_id, at, openings, purposes) if openings else None


def _openings(actor: Actor, grants: Iterable[Grant], purpose: str = "") -> tuple[Opening, ...]:
    """What grants on one dataset open, like ones together. On a wall nothing above internal, whatever they say."""
    like: dict[tuple[object, ...], list[Grant]] = {}
    for grant in grants:
        if not purpose or grant.purpose in ("", purpose):
            glass = grant.source == Grant.Source.BREAK_GLASS
            key = (grant.fields_id, grant.policy.max_class, repr(grant.filter), grant.pseudonym_key, glass)
            like.setdefault(key, []).append(grant)
    most = DISPLAY_MAX_CLASS if actor.kind == "display" else max(CLASSES)
    found = tuple(
        Opening(
            some[0].fields.fields, some[0].filter, min(some[0].policy.max_class, most), some[0].pseudonym_key,
            tuple(grant.pk for grant in some), some[0].source != Grant.Source.BREAK_GLASS,
        )
        for some in like.values()
        if some[0].fields is not None
    )
    # its keeper: what a grant to those above it shows masked must not take away what to ask by, nor tell it less
    return tuple(one for one in found if one.whole(most)) or found


def _grants(actor: Actor, dataset_id: int, at: datetime) -> QuerySet[Grant]:
    return standing(actor, at).filter(object_id=dataset_id).select_related("policy", "fields").order_by("pk")


def standing(actor: Actor, at: datetime) -> QuerySet[Grant]:
    """The actor's grants on datasets that hold at a moment."""
    return Grant.objects.filter(
        Q(valid_to=None) | Q(valid_to__gt=at),
        Q(revoked_at=None) | Q(revoked_at__gt=at),
        in_scope(actor),
        object_type=DATASET,
        valid_from__lte=at,
        actions__contains=["view"],
    )


def opened_rows(actor: Actor, model: type[Any], at: datetime, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Those of the rows of an `Opened` table that a grant opens; asks for the grants at once, then is one condition."""
    by_dataset: dict[int, list[Grant]] = {}
    for grant in standing(actor, at).select_related("policy", "fields").order_by("pk"):
        by_dataset.setdefault(grant.object_id, []).append(grant)
    held = {pk: _openings(actor, grants) for pk, grants in by_dataset.items()}
    lookup, data = model.guard_dataset, model.guard_data
    whole = [pk for pk, openings in held.items() if any(not (data and one.filter) for one in openings)]
    opened = Q(**{f"{lookup}__in": whole})
    for pk in held.keys() - set(whole):
        for opening in held[pk]:
            opened |= Q(**{lookup: pk}) & filters.condition(opening.filter, data)
    return rows.filter(opened)


def openings_of(actor: Actor, obj: Opened, at: datetime) -> tuple[Opening, ...]:
    """What opens one row of an `Opened` table to the actor; empty where nothing does."""
    pk, data = reduce(getattr, obj.guard_dataset.split("__"), obj), obj.guard_data
    found = _held(actor, cast(int, pk), at, "") if right("view").open_to(actor) else None
    openings = found.openings if found else ()
    return tuple(one for one in openings if not data or filters.opens(one.filter, getattr(obj, data)))
