"""Which entries of the catalogue match, in which order, and how many has each facet?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Value
from django.db.models.functions import Coalesce, NullIf
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from coordination.events.actor import Actor
from coordination.events.at_once import at_once
from coordination.events.refused import Invalid
from coordination.events.text import localized
from sharing.catalogue.models import Dataset
from sharing.catalogue.queries.entries import Row, listed, names, seen

FACETS = ("department", "sharing", "classification", "theme", "area", "frequency", "personal")
"""What a list can be narrowed by, in the order they are shown."""
SORTS = ("newest", "title")
MOST_VALUES = 50
_COLUMN = {"department": "department_id"}
Page = tuple[list[Row], list[Any] | None]


def datasets(
    *,
    actor: Actor,
    now: datetime,
    q: str = "",
    state: str = "published",
    sort: str = "newest",
    after: Sequence[Any] | None = None,
    size: int = 50,
    **chosen: Any,
) -> Page:
    """Entries the actor may know of, and the cursor of the next page (None at the end).

    ``q``: every word must stand in code, title, description, department or fields; ``chosen``: a value for any of
    `FACETS` (``department``: id); ``state``: draft, published or retired; ``sort``: newest, or by title.
    """
    rows = _matching(actor, q, state, chosen).select_related("department")
    if sort == "title":
        rows = rows.annotate(sorted_by=_title()).order_by("sorted_by", "pk")
    else:
        rows = rows.order_by("-listed_at", "-pk")
    if after is not None:
        rows = rows.filter(_beyond(sort, after))
    found = list(rows[: size + 1])
    following = None
    if len(found) > size:
        found = found[:size]
        last = found[-1]
        key = last.sorted_by if sort == "title" else last.listed_at.isoformat()  # type: ignore[attr-defined]
        following = [sort, get_language() or "", key, last.pk]
    codes = names()
    return [listed(row, codes) for row in found], following


def facets(
    *, actor: Actor, now: datetime, q: str = "", state: str = "published", **chosen: Any
) -> dict[str, list[Row]]:
    """For each facet its values with their counts, the most frequent first: ``{value, name, count, chosen}``.

    A facet's counts hold under all other choices, not under its own, so that one sees what another value would give.
    Only entries that the actor may know of are counted. One statement for all, and one for names.
    """
    questions = [_counted(_matching(actor, q, state, chosen, but=facet), facet) for facet in FACETS]
    answers = at_once(*questions)
    codes = names()
    found: dict[str, list[Row]] = {}
    for facet, rows in zip(FACETS, answers, strict=True):
        found[facet] = [
            {
                "value": row["value"], "name": _name(facet, row, codes), "count": row["count"],
                "chosen": chosen.get(facet) is not None and chosen[facet] == row["value"],
            }
            for row in rows
        ]
    return found


def _matching(actor: Actor, q: str, state: str, chosen: Mapping[str, Any], but: str = "") -> QuerySet[Dataset]:
    rows = seen(actor).filter(state=state)
    if q:
        rows = rows.filter(words__found=q)
    for facet, value in chosen.items():
        if facet not in FACETS:
            raise TypeError(f"{facet} is no facet")
        if value is not None and facet != but:
            rows = rows.filter(**{_COLUMN.get(facet, facet): value})
    return rows


def _counted(rows: QuerySet[Dataset], facet: str) -> QuerySet[Any, Any]:
    column = _COLUMN.get(facet, facet)
    named = {"zh": F("department__name_zh"), "en": F("department__name_en")} if facet == "department" else {}
    counted = rows.order_by().values(value=F(column), **named).annotate(count=Count("pk"))
    return counted.order_by("-count", "value")[:MOST_VALUES]


def _name(facet: str, row: Row, codes: Mapping[str, Mapping[str, Any]]) -> str:
    value = row["value"]
    if facet == "department":
        return localized(row["zh"], row["en"])
    if facet == "sharing":
        return str(Dataset.Sharing(value).label)
    if facet == "personal":
        return str(_("Personal data") if value else _("No personal data"))
    if facet == "classification":
        return str(CLASSES[value])
    if facet == "area":
        return value or str(_("Not limited to an area"))
    table = {"theme": "data_theme", "frequency": "update_frequency"}[facet]
    if value in codes[table]:
        return str(codes[table][value].name)
    return value or str(_("Without a theme"))


CLASSES = {
    1: _("Class 1, public"), 2: _("Class 2, internal"), 3: _("Class 3, restricted"), 4: _("Class 4, confidential"),
}


def _title() -> Coalesce:
    first, second = ("zh", "en") if (get_language() or "").startswith("zh") else ("en", "zh")
    return Coalesce(NullIf(F(f"title_{first}"), Value("")), F(f"title_{second}"))


def _beyond(sort: str, after: Sequence[Any]) -> Q:
    """What comes after a cursor; one of another order or language is refused, it would skip rows."""
    if len(after) != 4 or after[0] != sort or (sort == "title" and after[1] != (get_language() or "")):
        detail = _("Use next of the earlier answer as it is.")
        raise Invalid(detail, errors=[{"pointer": "/cursor", "code": "cursor", "detail": detail}])
    key, pk = after[2], after[3]
    if sort == "title":
        return Q(sorted_by__gt=key) | Q(sorted_by=key, pk__gt=pk)
    moment = datetime.fromisoformat(key)
    return Q(listed_at__lt=moment) | Q(listed_at=moment, pk__lt=pk)
