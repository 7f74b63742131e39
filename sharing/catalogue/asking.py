"""Which records does the address of a page ask for?

A filter is plain parameters, one or a few for each field, so that the address can be shared: ``f-beds-min=10``,
``f-district=north``. Every part must hold. Whoever needs more says the tree itself as ``where`` in JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import QueryDict
from django.utils.translation import gettext as _

from coordination.events.refused import Invalid
from sharing.access.filters import ORDERED

EDGES = ("w", "s", "e", "n")
LONGEST, MOST_PURPOSE = 8_000, 200


class Unclear(Invalid):
    """An address that says something which cannot be read."""


@dataclass
class Asked:
    """A filter as a form shows it: for each field its inputs with what was typed, and what is wrong there."""

    controls: list[dict[str, Any]] = field(default_factory=list)
    parts: list[dict[str, Any]] = field(default_factory=list)
    given: dict[str, Any] = field(default_factory=dict)
    errors: list[dict[str, str]] = field(default_factory=list)

    @property
    def tree(self) -> dict[str, Any]:
        """The filter; empty for none."""
        return {"and": self.parts} if len(self.parts) > 1 else self.parts[0] if self.parts else {}


def tree_of(text: str) -> Any:
    """A filter given as JSON; None for none. Raises `Unclear` (422)."""
    if not text:
        return None
    try:
        if len(text) > LONGEST:
            raise ValueError
        return json.loads(text)
    except (ValueError, RecursionError):
        detail = _("This is no filter.")
        raise Unclear(detail, errors=[{"pointer": "/where", "code": "not_json", "detail": detail}]) from None


def purpose_of(given: QueryDict) -> str:
    """The purpose that an address states; raises `Unclear` (422) for one that cannot be kept."""
    text = given.get("purpose", "").strip()
    if len(text) > MOST_PURPOSE or not text.isprintable():
        detail = _("Up to 200 printable characters.")
        raise Unclear(detail, errors=[{"pointer": "/purpose", "code": "purpose", "detail": detail}])
    return text


def asked(given: QueryDict, columns: Sequence[Mapping[str, Any]], codes: Mapping[str, Sequence[Any]]) -> Asked:
    """The filter that an address names; ``columns``: as `sharing.catalogue.queries.Opened.columns` gives them;
    ``codes``: code tables by name, for fields whose values are codes.
    """
    found = Asked()
    for column in columns:
        if column["askable"]:
            found.controls.append(_control(found, given, column, codes.get(column["codes"], ())))
    return found


def _control(found: Asked, given: QueryDict, column: Mapping[str, Any], codes: Sequence[Any]) -> dict[str, Any]:
    name, kind = column["name"], column["type"]
    base = {"name": name, "label": column["title"] or name, "unit": column["unit_name"], "error": ""}

    def wrong(text: str) -> None:
        base["error"] = text
        found.errors.append({"id": f"f-{name}", "label": str(base["label"]), "text": text})

    if kind == "geopoint":
        return base | _box(found, given, name, wrong)
    if kind in ORDERED:
        return base | _range(found, given, name, kind, wrong)
    if codes or kind == "boolean":
        return base | _choice(found, given, name, kind, codes)
    text = given.get(f"f-{name}", "").strip()[:200]
    if text:
        found.given[f"f-{name}"] = text
        found.parts.append({"field": name, "op": "eq", "value": text.replace("\0", "")})
    return base | {"form": "text", "value": text}


def _choice(found: Asked, given: QueryDict, name: str, kind: str, codes: Sequence[Any]) -> dict[str, Any]:
    truths = [("true", _("Yes")), ("false", _("No"))]
    options = truths if kind == "boolean" else [(row.code, row.name) for row in codes]
    known = dict(options)
    chosen = [one for one in dict.fromkeys(given.getlist(f"f-{name}")) if one in known]
    if chosen:
        found.given[f"f-{name}"] = chosen
        values: list[Any] = [one == "true" for one in chosen] if kind == "boolean" else chosen
        one_of = {"field": name, "op": "in", "value": values}
        found.parts.append(one_of if len(values) > 1 else {"field": name, "op": "eq", "value": values[0]})
    return {"form": "choice", "options": [(value, text, value in chosen) for value, text in options],
            "open": bool(chosen)}  # fmt: skip


def _range(found: Asked, given: QueryDict, name: str, kind: str, wrong: Any) -> dict[str, Any]:
    shown = {"form": "range", "input": {"date": "date", "datetime": "datetime-local"}.get(kind, "number")}
    for edge, op in (("min", "gte"), ("max", "lte")):
        text = given.get(f"f-{name}-{edge}", "").strip()[:40]
        shown[edge] = text
        if not text:
            continue
        found.given[f"f-{name}-{edge}"] = text
        value = _value(kind, text)
        if value is None:
            wrong(_("Enter a number.") if shown["input"] == "number" else _("Enter a date that there is."))
        else:
            found.parts.append({"field": name, "op": op, "value": value})
    return shown


def _value(kind: str, text: str) -> Any:
    try:
        if kind in ("number", "integer"):
            number = float(text)
            if abs(number) > 1e15:  # also what is infinite; no number compares as less
                return None
            return int(number) if number == int(number) else number
        if kind == "date":
            return datetime.strptime(text, "%Y-%m-%d").date().isoformat()
        local = datetime.fromisoformat(text)
        moment = local if local.tzinfo else local.replace(tzinfo=ZoneInfo(settings.TIME_ZONE))
        return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError):
        return None


def _box(found: Asked, given: QueryDict, name: str, wrong: Any) -> dict[str, Any]:
    texts = [given.get(f"f-{name}-{edge}", "").strip()[:20] for edge in EDGES]
    shown = {"form": "box", "edges": list(zip(EDGES, _edge_names(), texts, strict=True))}
    if not any(texts):
        return shown
    found.given |= {f"f-{name}-{edge}": text for edge, text in zip(EDGES, texts, strict=True)}
    numbers = [_value("number", text) for text in texts]
    if None in numbers or not (-180 <= numbers[0] < numbers[2] <= 180 and -90 <= numbers[1] < numbers[3] <= 90):
        wrong(_("Give all four edges in degrees: west before east, south before north."))
    else:
        found.parts.append({"field": name, "op": "within", "value": numbers})
    return shown


def _edge_names() -> list[str]:
    return [_("West"), _("South"), _("East"), _("North")]
