"""Does one record fit its schema, and in which one form are its values kept?

Of each value there is one form, so that filters and keys compare like with like: moments in UTC to the second, places
as ``[longitude, latitude]`` (WGS 84), all else as JSON has it.
"""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from coordination.events.writing import is_storable
from sharing.catalogue import field_values
from sharing.catalogue.queries import tables

LONGEST_TEXT, LONGEST_SHAPE = 10_000, 20_000
DEEPEST_SHAPE = 20
GREATEST = 2**53
"""Beyond, a JSON number is no longer exact."""
GEOMETRIES = (
    "Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection", "Feature",
)  # fmt: skip
_DURATION = re.compile(r"P(?=.)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}")
_URI = re.compile(r"[a-z][a-z0-9+.-]*:\S+", re.IGNORECASE)
_POINT = re.compile(r"\s*(-?\d{1,3}(?:\.\d{1,15})?)\s*,\s*(-?\d{1,2}(?:\.\d{1,15})?)\s*")

Fault = Callable[[str, str, Any], None]


class Unfit(ValueError):
    """A value that is none of its type."""


@dataclass(frozen=True)
class Field:
    """One field of a schema, ready to read values with."""

    name: str
    kind: str
    form: str
    rules: Mapping[str, Any]
    needed: bool
    codes: Collection[str] | None
    pattern: re.Pattern[str] | None

    def kept(self, value: Any) -> Any:
        """The value in its one form. Raises `Unfit`."""
        return _READ.get(self.kind, _ordered)(self, value)


class Reader:
    """Reads records of one schema."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        key = document.get("primaryKey", [])
        self.key: list[str] = [key] if isinstance(key, str) else list(key)
        self.missing = frozenset(document.get("missingValues", [""]))
        tables_named = {field["codes"] for field in document["fields"] if field.get("codes")}
        codes = {name: frozenset(row.code for row in tables.codes(name)) for name in tables_named}
        self.fields = {field["name"]: _field(field, self.key, codes) for field in document["fields"]}
        self.unique: list[list[str]] = [
            [name] for name, field in self.fields.items() if field.rules.get("unique") and [name] != self.key
        ] + [list(one) for one in document.get("uniqueKeys", [])]

    @property
    def place(self) -> str:
        """The field that says where a record is; empty where none does."""
        return next((name for name, field in self.fields.items() if field.kind == "geopoint"), "")

    def read(self, record: Any, fault: Fault, at: str) -> dict[str, Any]:
        """The record as it is kept; ``fault(pointer, code, detail)`` for each value that does not fit."""
        if not isinstance(record, Mapping):
            fault(at, "not_an_object", _("A record is a JSON object."))
            return {}
        for name in [str(name) for name in record if name not in self.fields][:20]:
            fault(f"{at}/{_escaped(name[:80])}", "unknown_field", _("There is no field of this name."))
        found: dict[str, Any] = {}
        for name, field in self.fields.items():
            value = record.get(name)
            if value is None or (isinstance(value, str) and value in self.missing):
                if field.needed:
                    fault(f"{at}/{name}", "required", _("This must not be empty."))
                continue
            try:
                found[name] = kept = field.kept(value)
            except Unfit:
                fault(f"{at}/{name}", "not_of_type", _("This is no value of the type %(type)s.") % {"type": field.kind})
                continue
            reason = _broken(field, kept)
            if reason:
                fault(f"{at}/{name}", reason, _("This value breaks a rule of its field: %(rule)s.") % {"rule": reason})
        return found

    def key_of(self, data: Mapping[str, Any]) -> str:
        """The record's key as one text; empty for a schema without one."""
        return text_of([data.get(name) for name in self.key]) if self.key else ""


def text_of(values: Sequence[Any]) -> str:
    """Values of a key as one text, by which no two keys are the same."""
    return "\x1f".join(f"{type(value).__name__[0]}{value}" for value in values)


def _field(field: Mapping[str, Any], key: Collection[str], codes: Mapping[str, Collection[str]]) -> Field:
    rules = field.get("constraints", {})
    return Field(
        name=field["name"], kind=field.get("type", "string"), form=field.get("format", "default"), rules=rules,
        needed=bool(rules.get("required")) or field["name"] in key, codes=codes.get(field.get("codes", "")),
        pattern=re.compile(rules["pattern"]) if "pattern" in rules else None,
    )


def _broken(field: Field, value: Any) -> str:
    """The rule that a value of the right type breaks; empty for none."""
    rules = field.rules
    if field.codes is not None and not (isinstance(value, str) and value in field.codes):
        return "unknown_code"
    if "enum" in rules and text_of([value]) not in {text_of([_alike(one)]) for one in rules["enum"]}:
        return "enum"
    if field.kind == "string":
        if not rules.get("minLength", 0) <= len(value) <= rules.get("maxLength", LONGEST_TEXT):
            return "length"
        return "pattern" if field.pattern is not None and not field.pattern.fullmatch(value) else ""
    if "minimum" in rules or "maximum" in rules:
        here = field_values.ordered(field.kind, value)
        least, most = (field_values.ordered(field.kind, rules.get(name)) for name in ("minimum", "maximum"))
        if (least is not None and here < least) or (most is not None and here > most):
            return "range"
    return ""


def _alike(one: Any) -> Any:
    """A number of an enumeration as a record would keep it."""
    return int(one) if isinstance(one, float) and one == int(one) else one


def _string(field: Field, value: Any) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or not is_storable(value):
        raise Unfit
    if field.form == "uuid":
        try:
            return str(uuid.UUID(value))
        except ValueError:
            raise Unfit from None
    shape = {"email": _EMAIL, "uri": _URI}.get(field.form)
    if shape is not None and not shape.fullmatch(value):
        raise Unfit
    return value


def _number(field: Field, value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Unfit
    if abs(value) > GREATEST or (field.kind == "integer" and value != int(value)):
        raise Unfit
    return int(value) if value == int(value) else value


def _boolean(_field: Field, value: Any) -> bool:
    if not isinstance(value, bool):
        raise Unfit
    return value


def _ordered(field: Field, value: Any) -> Any:
    """A date, time, year or month, as it stands."""
    if field_values.ordered(field.kind, value) is None:
        raise Unfit
    return value


def _moment(field: Field, value: Any) -> str:
    found: datetime | None = field_values.ordered(field.kind, value)
    if found is None:
        raise Unfit
    try:
        return f"{found.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    except OverflowError:
        raise Unfit from None


def _duration(_field: Field, value: Any) -> str:
    if not isinstance(value, str) or len(value) > 60 or not _DURATION.fullmatch(value):
        raise Unfit
    return value


def _place(field: Field, value: Any) -> list[float]:
    if field.form == "default":
        match = _POINT.fullmatch(value) if isinstance(value, str) else None
        pair: Any = [float(part) for part in match.groups()] if match else None
    elif field.form == "object":
        pair = [value.get("lon"), value.get("lat")] if isinstance(value, Mapping) and len(value) == 2 else None
    else:
        pair = value
    if not isinstance(pair, list) or len(pair) != 2:
        raise Unfit
    if any(isinstance(one, bool) or not isinstance(one, int | float) for one in pair):
        raise Unfit
    if not (abs(pair[0]) <= 180 and abs(pair[1]) <= 90):
        raise Unfit
    return [float(one) for one in pair]


def _shape(_field: Field, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or value.get("type") not in GEOMETRIES or _deeper(value, DEEPEST_SHAPE):
        raise Unfit
    if len(repr(value)) > LONGEST_SHAPE or not is_storable(repr(value)):
        raise Unfit
    return value


def _deeper(value: Any, most: int) -> bool:
    """Whether it is nested more deeply: what is, no answer could be made of."""
    level = [value]
    for _step in range(most):
        held = [one for one in level if isinstance(one, dict | list)]
        level = [inner for one in held for inner in (one.values() if isinstance(one, dict) else one)]
    return any(isinstance(one, dict | list) for one in level)


def _escaped(name: str) -> str:
    """A name as a part of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


_READ: dict[str, Callable[[Field, Any], Any]] = {
    "string": _string, "integer": _number, "number": _number, "boolean": _boolean, "datetime": _moment,
    "duration": _duration, "geopoint": _place, "geojson": _shape,
}  # fmt: skip
