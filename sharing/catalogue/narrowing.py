"""Is what is granted no more than what was asked, and how does a schema offer a field?

A grant is held against the request rule by rule. Whatever cannot be shown to tell no more is refused: of two masks of
different kinds only ``constant`` and ``null`` are known to tell less than any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from coordination.events.refused import Invalid
from sharing.access import fields as masks
from sharing.access import filters
from sharing.access.fields import FULL, Rule

SHOWN_OF_TEXT = {"mask": "partial", "start": 3, "end": 2}
Fields = Mapping[str, Rule]


def types_of(document: Mapping[str, Any], *, filterable: bool = False) -> dict[str, str]:
    """Fields of a schema and their types; ``filterable``: only those one may filter by."""
    return {
        one["name"]: one.get("type", "string") for one in document["fields"] if one.get("filterable") or not filterable
    }


def classes_of(document: Mapping[str, Any]) -> dict[str, int]:
    """Fields of a schema and their classification."""
    return {one["name"]: max(int(one.get("classification", 1)), 1) for one in document["fields"]}


def offered(field: Mapping[str, Any]) -> Rule:
    """How a field is given where nobody says otherwise: whole, or by the mask that the schema names for it."""
    kind = field.get("mask", "")
    if not kind:
        return FULL
    rule: dict[str, Any] = dict(SHOWN_OF_TEXT) if kind == "partial" else {"mask": kind}
    try:
        masks.checked({field["name"]: rule}, {field["name"]: field.get("type", "string")})
    except masks.BadFields:
        return {"mask": "null"}  # a mask that needs more words, or another type: it hides all rather than nothing
    return rule


def checked_fields(given: object, document: Mapping[str, Any]) -> dict[str, Rule]:
    """A field policy over the fields of a schema; names alone are taken as the schema offers them (422 else)."""
    if isinstance(given, list | tuple):
        known = {one["name"]: one for one in document["fields"]}
        given = {
            name: offered(known[name]) if isinstance(name, str) and name in known else FULL
            for name in given if isinstance(name, str)
        }
    return masks.checked(given, types_of(document))


def checked_rows(given: object, document: Mapping[str, Any]) -> dict[str, Any]:
    """A row filter over the filterable fields of a schema (422 else)."""
    return filters.checked(given, types_of(document, filterable=True))


def together(asked: filters.Tree, more: filters.Tree) -> dict[str, Any]:
    """The records that pass both filters."""
    if not asked or not more or asked == more:
        return dict(asked or more)
    return {"and": [dict(asked), dict(more)]}


def require_no_more(given: Fields, asked: Fields) -> None:
    """Refuse (422) what shows a field that was not asked for, or shows more of one."""
    errors = [
        {
            "pointer": f"/fields/{name}", "code": "more_than_asked",
            "detail": _("This would show more of the field %(name)s than was asked for.") % {"name": name},
        }
        for name, rule in given.items()
        if name not in asked or not tells_no_more(rule, asked[name])
    ]
    if errors:
        raise Invalid(_("Nobody is given more than was asked for."), code="more_than_asked", errors=errors)


def tells_no_more(given: Rule, asked: Rule) -> bool:
    """Whether a rule surely tells nothing of a value that another does not."""
    if asked == FULL or given == asked:
        return True
    if isinstance(given, str) or isinstance(asked, str):
        return False
    if given["mask"] in ("null", "constant"):
        return asked["mask"] != "null" or given["mask"] == "null"
    if given["mask"] != asked["mask"]:
        return False
    # fewer characters kept are not less told: a short text is starred whole only while it is no longer than them
    return given["mask"] == "bucket" and set(given["edges"]) <= set(asked["edges"])
