"""How do times and ladders become rows?

The YAML files beside this one are the defaults. A document reads ``{"ladders": {kind: ladder}, "sets": {set:
{"ladders": {...}?, level: {"wait", "within", "ladders"?}}}}``; the nearest ``ladders`` counts.
"""

from __future__ import annotations

from typing import Any

from django.db.models import F

from coordination.deadlines import queries
from coordination.deadlines.models import Policy
from coordination.deadlines.steps import STEPS


class BadPolicyError(ValueError):
    """A document that is not of the form above; the message names the place."""


def load(document: Any) -> int:
    """Take the policies of a parsed document; return how many it holds.

    What changed gets the next version; ladders frozen in live deadlines stay as they are. Raises BadPolicyError.
    """
    if not isinstance(document, dict) or not isinstance(document.get("sets"), dict):
        raise BadPolicyError("sets are needed")
    count = 0
    for name, levels in document["sets"].items():
        if not isinstance(levels, dict):
            raise BadPolicyError(f"set {name}: levels are needed")
        common = levels.get("ladders", document.get("ladders"))
        for level, entry in levels.items():
            if level == "ladders":
                continue
            place = f"set {name}, level {level}"
            if level not in range(5) or not isinstance(entry, dict):
                raise BadPolicyError(f"{place}: levels are 0 to 4")
            _save(str(name), level, _values(place, entry, common))
            count += 1
    return count


def _values(place: str, entry: dict[str, Any], common: Any) -> dict[str, Any]:
    wait, within, ladders = entry.get("wait"), entry.get("within"), entry.get("ladders", common)
    if not _positive(wait):
        raise BadPolicyError(f"{place}: wait must be a number of seconds")
    if not isinstance(within, dict) or not all(_positive(value) for value in within.values()):
        raise BadPolicyError(f"{place}: within must be seconds by kind")
    if not isinstance(ladders, dict) or "default" not in ladders:
        raise BadPolicyError(f"{place}: ladders must hold one called default")
    for kind, ladder in ladders.items():
        _check(f"{place}, ladder {kind}", ladder)
    values = {"within": within, "wait": wait, "ladders": ladders}
    for kind in ladders:
        try:
            queries.ladder(Policy(**values), kind, 60)
        except queries.BadLadderError as error:
            raise BadPolicyError(f"{place}, ladder {kind}: {error}") from error
    return values


def _check(place: str, ladder: Any) -> None:
    if not isinstance(ladder, list):
        raise BadPolicyError(f"{place}: a list of [offset, step] is needed")
    for entry in ladder:
        if not isinstance(entry, list) or not 2 <= len(entry) <= 4 or not all(map(_positive, entry[2:])):
            raise BadPolicyError(f"{place}: {entry!r} is not [offset, step] or [offset, step, every, cap]")
        if entry[1] not in STEPS:
            raise BadPolicyError(f"{place}: there is no step {entry[1]!r}")
        if len(entry) > 2 and entry is not ladder[-1]:
            raise BadPolicyError(f"{place}: only the last step repeats")


def _positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e9


def _save(name: str, level: int, values: dict[str, Any]) -> None:
    row, new = Policy.objects.get_or_create(set=name, response_level=level, defaults=values)
    if not new and any(getattr(row, key) != value for key, value in values.items()):
        Policy.objects.filter(pk=row.pk).update(**values, version=F("version") + 1)
