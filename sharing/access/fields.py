"""Which fields of a record does a grant show, and which of them only masked?

A field policy is a plain mapping ``{"name": "full" | {"mask": kind, ...}}``; a field that it does not name is absent.
The kinds and what they take, from the least to the most that they hide:

=========== =============================================== =====================================================
bucket      ``edges``: numbers, ascending                   the half-open interval of the number, ``"10..50"``
generalise                                                  a place: the south-west corner of its square of 0.01°;
                                                            a moment: its day; a date: its month
partial     ``start``, ``end``: characters kept (0 to 8)    the rest as ``***``, whatever its length
pseudonym                                                   HMAC-SHA-256 under a key of the agreement, 16 hex digits
constant    ``value``: text (default ``***``)               the same for every value
null                                                        nothing
=========== =============================================== =====================================================
"""

from __future__ import annotations

import bisect
import hashlib
import hmac
import math
from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from coordination.events.refused import Invalid
from coordination.events.writing import is_storable

FULL = "full"
EVERY_FIELD = "*"
"""The name that stands for all fields, also for those of a later schema: the owner's alone."""
Rule = str | Mapping[str, Any]
Fields = Mapping[str, Rule]
RANKS = {FULL: 0, "bucket": 1, "generalise": 2, "partial": 3, "pseudonym": 4, "constant": 5, "null": 6}
"""The more a rule hides, the higher; absent is above all of them."""
_TAKES = {"bucket": {"edges"}, "partial": {"start", "end"}, "constant": {"value"}}
MOST_EDGES, MOST_KEPT, LONGEST_CONSTANT = 50, 8, 40
STARS = "***"
LARGEST = 1e15
"""No number of a mask, nor of a record that is asked for, lies beyond."""
SQUARES = 100
"""How many squares of the generalised place fit into one degree."""


class BadFields(Invalid):
    """A field policy that cannot be: ``errors`` name each field by its pointer."""

    code = "bad_fields"


def checked(given: object, types: Mapping[str, str]) -> dict[str, Rule]:
    """A field policy as it is kept; ``types``: the schema's fields and their types. Raises `BadFields` (422)."""
    if not isinstance(given, Mapping) or not given:
        raise BadFields(_("Name the fields that are shown, each as full or masked."), errors=[_wrong("", "empty")])
    errors = [
        _wrong(f"/{name}", reason)
        for name, rule in given.items()
        if (reason := "unknown_field" if name not in types else _fault(rule, types[name]))
    ]
    if errors:
        raise BadFields(_("Some fields cannot be shared like this."), errors=errors)
    return {str(name): rule for name, rule in given.items()}


def _wrong(pointer: str, code: str) -> dict[str, str]:
    return {"pointer": f"/fields{pointer}", "code": code}


def _fault(rule: object, kind: str) -> str:
    """Why a rule cannot be applied to values of a type; empty when it can."""
    if rule == FULL:
        return ""
    if not isinstance(rule, Mapping) or not isinstance(rule.get("mask"), str) or rule["mask"] not in RANKS:
        return "unknown_mask"
    mask = rule["mask"]
    if mask == FULL or set(rule) - {"mask"} - _TAKES.get(mask, set()):
        return "unknown_mask"
    look = _PARTS.get(mask)
    return look(rule, kind) if look else ""


def _fault_of_bucket(rule: Mapping[str, Any], kind: str) -> str:
    edges = rule.get("edges")
    if kind not in ("number", "integer"):
        return "mask_needs_number"
    if not isinstance(edges, list) or not 0 < len(edges) <= MOST_EDGES or not all(map(_is_number, edges)):
        return "bad_edges"
    return "" if edges == sorted(set(edges)) else "bad_edges"


def _fault_of_generalise(_rule: Mapping[str, Any], kind: str) -> str:
    return "" if kind in ("geopoint", "datetime", "date") else "mask_needs_place_or_time"


def _fault_of_partial(rule: Mapping[str, Any], kind: str) -> str:
    kept = [rule.get("start", 0), rule.get("end", 0)]
    whole = all(isinstance(one, int) and not isinstance(one, bool) and 0 <= one <= MOST_KEPT for one in kept)
    if kind != "string":
        return "mask_needs_text"
    return "" if whole and sum(kept) > 0 else "bad_length"


def _fault_of_constant(rule: Mapping[str, Any], _kind: str) -> str:
    value = rule.get("value", STARS)
    fits = isinstance(value, str) and len(value) <= LONGEST_CONSTANT and is_storable(value)
    return "" if fits else "bad_constant"


_PARTS: dict[str, Callable[[Mapping[str, Any], str], str]] = {
    "bucket": _fault_of_bucket, "generalise": _fault_of_generalise, "partial": _fault_of_partial,
    "constant": _fault_of_constant,
}  # fmt: skip


def _is_number(one: object) -> bool:
    return isinstance(one, int | float) and not isinstance(one, bool) and abs(one) <= LARGEST


def rank(rule: Rule) -> int:
    """How much a rule hides."""
    return RANKS[FULL if isinstance(rule, str) else rule["mask"]]


def least(rules: list[Rule]) -> Rule:
    """The rule that hides least; of equals the first."""
    return min(rules, key=rank)


def masked(value: Any, rule: Rule, key: bytes) -> Any:
    """What is shown of a value; ``key``: the agreement's, for pseudonyms. An absent value stays absent."""
    if isinstance(rule, str) or value is None:
        return value
    return _MASKS[rule["mask"]](value, rule, key)


def _bucket(value: Any, rule: Mapping[str, Any], _key: bytes) -> str | None:
    if not _is_number(value):
        return None
    edges = rule["edges"]
    place = bisect.bisect_right(edges, value)
    if place == 0:
        return f"<{edges[0]}"
    return f">={edges[-1]}" if place == len(edges) else f"{edges[place - 1]}..{edges[place]}"


def _generalise(value: Any, _rule: Mapping[str, Any], _key: bytes) -> Any:
    if isinstance(value, list) and len(value) == 2 and all(map(_is_number, value)):
        return [math.floor(one * SQUARES) / SQUARES for one in value]
    if not isinstance(value, str):
        return None
    return value[:10] if len(value) > 10 else value[:7]  # 2026-03-01T08:00Z: its day; 2026-03-01: its month


def square(corner: list[float]) -> list[list[float]]:
    """The ring of the square whose south-west corner a generalised place names, counter-clockwise."""
    west, south = corner
    east, north = round(west + 1 / SQUARES, 4), round(south + 1 / SQUARES, 4)
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def _partial(value: Any, rule: Mapping[str, Any], _key: bytes) -> str:
    text, start, end = str(value), rule.get("start", 0), rule.get("end", 0)
    if len(text) <= start + end:  # it would be shown whole
        return STARS
    return text[:start] + STARS + (text[-end:] if end else "")


def _pseudonym(value: Any, _rule: Mapping[str, Any], key: bytes) -> str:
    return hmac.new(key, repr(value).encode(), hashlib.sha256).hexdigest()[:16]


_MASKS: dict[str, Callable[[Any, Mapping[str, Any], bytes], Any]] = {
    "bucket": _bucket, "generalise": _generalise, "partial": _partial, "pseudonym": _pseudonym,
    "constant": lambda _value, rule, _key: rule.get("value", STARS), "null": lambda _value, _rule, _key: None,
}  # fmt: skip
