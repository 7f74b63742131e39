"""Is this document a Table Schema that we can hold data to?

The Table Schema of the Frictionless Data standard (https://datapackage.org/standard/table-schema/), in the types and
constraints that we can check, with properties of our own for each field: titles in two languages, unit, code list,
classification, default mask, filterable. Whatever we do not know is an error with its JSON pointer, never ignored:
a rule that nobody keeps is worse than none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from coordination.events.writing import is_storable
from sharing.catalogue import field_values
from sharing.catalogue.queries import tables

TYPES: dict[str, tuple[str, ...]] = {
    "string": ("default", "email", "uri", "uuid"),
    "integer": ("default",),
    "number": ("default",),
    "boolean": ("default",),
    "date": ("default",),
    "time": ("default",),
    "datetime": ("default",),
    "year": ("default",),
    "yearmonth": ("default",),
    "duration": ("default",),
    "geopoint": ("default", "array", "object"),
    "geojson": ("default",),
}
"""Types we support, each with its formats."""
ORDERED = ("integer", "number", "date", "time", "datetime", "year", "yearmonth")
MASKS = ("null", "constant", "partial", "generalise", "bucket", "pseudonym")
TOP = {"fields", "primaryKey", "uniqueKeys", "missingValues"}
OF_A_FIELD = {
    "name", "title", "description", "type", "format", "constraints", "title_zh", "title_en", "unit", "codes",
    "classification", "mask", "filterable",
}
MOST_FIELDS = 300
MOST_ENUM = 1000
MOST_PATTERN = 200
# no __ and no _ at the end: a question asked by such a name would look for a field inside of a field
_NAME = re.compile(r"(?!.*__)([A-Za-z]|[A-Za-z_][A-Za-z0-9_]{0,61}[A-Za-z0-9])")

Fault = Callable[[str, str, Any], None]


def check(document: Any, fault: Fault, at: str = "") -> None:
    """Call ``fault(pointer, code, detail)`` for everything that is wrong; pointers begin with ``at``."""
    if not isinstance(document, Mapping):
        fault(at, "not_an_object", _("A Table Schema is a JSON object."))
        return
    _unknown(document, TOP, fault, at)
    fields = document.get("fields")
    if not isinstance(fields, list) or not fields:
        fault(f"{at}/fields", "required", _("Name at least one field."))
        return
    if len(fields) > MOST_FIELDS:
        fault(f"{at}/fields", "too_many", _("At most %(most)d fields.") % {"most": MOST_FIELDS})
        return
    names: set[str] = set()
    known = {name: {row.code for row in tables.codes(name)} for name in tables.table_names()}
    for number, field in enumerate(fields):
        _field(field, fault, f"{at}/fields/{number}", names, known)
    _keys(document, names, fault, at)
    missing = document.get("missingValues", [""])
    if not _texts(missing, 40, 20):
        fault(f"{at}/missingValues", "not_texts", _("A list of at most 20 short texts."))


def _field(
    field: Any, fault: Fault, at: str, names: set[str], known: Mapping[str, Collection[str]]
) -> None:
    if not isinstance(field, Mapping):
        fault(at, "not_an_object", _("A field is a JSON object."))
        return
    _unknown(field, OF_A_FIELD, fault, at)
    _name(field.get("name"), fault, at, names)
    kind = field.get("type", "string")
    if not isinstance(kind, str) or kind not in TYPES:
        fault(f"{at}/type", "unknown_type", _("One of: %(types)s.") % {"types": ", ".join(TYPES)})
        kind = ""
    elif field.get("format", "default") not in TYPES[kind]:
        fault(f"{at}/format", "unknown_format", _("One of: %(formats)s.") % {"formats": ", ".join(TYPES[kind])})
    for name, most in (("title", 120), ("title_zh", 120), ("title_en", 120), ("description", 1000)):
        if name in field and not _text(field[name], most):
            fault(f"{at}/{name}", "not_text", _("A text of at most %(most)d characters.") % {"most": most})
    if not any(field.get(name) for name in ("title", "title_zh", "title_en")):
        fault(f"{at}/title_zh", "required", _("A title in Chinese or English is needed."))
    _ours(field, fault, at, known)
    if "constraints" in field:
        _constraints(field["constraints"], kind, fault, f"{at}/constraints")


def _name(name: Any, fault: Fault, at: str, names: set[str]) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        said = _("Latin letters, digits and single _ between them, at most 63, not beginning with a digit.")
        fault(f"{at}/name", "not_a_name", said)
    elif name.lower() in {one.lower() for one in names}:
        fault(f"{at}/name", "repeated", _("Two fields have this name."))
    else:
        names.add(name)


def _ours(field: Mapping[str, Any], fault: Fault, at: str, known: Mapping[str, Collection[str]]) -> None:
    unit = field.get("unit", "")
    if unit and not (_text(unit, 40) and unit in known.get("unit", ())):
        fault(f"{at}/unit", "unknown_code", _("This code is not in the table %(table)s.") % {"table": "unit"})
    codes = field.get("codes", "")
    if codes and not (_text(codes, 40) and codes in known):
        fault(f"{at}/codes", "unknown_table", _("There is no such code table."))
    classification = field.get("classification", 1)
    if isinstance(classification, bool) or classification not in (1, 2, 3, 4):
        fault(f"{at}/classification", "out_of_range", _("From 1 to 4."))
    mask = field.get("mask", "")
    if mask not in ("", *MASKS):
        fault(f"{at}/mask", "unknown_mask", _("One of: %(masks)s.") % {"masks": ", ".join(MASKS)})
    if not isinstance(field.get("filterable", False), bool):
        fault(f"{at}/filterable", "not_boolean", _("true or false."))


def _constraints(given: Any, kind: str, fault: Fault, at: str) -> None:
    if not isinstance(given, Mapping):
        fault(at, "not_an_object", _("Constraints are a JSON object."))
        return
    allowed = {"required", "unique", "enum"}
    allowed |= {"minLength", "maxLength", "pattern"} if kind == "string" else set()
    allowed |= {"minimum", "maximum"} if kind in ORDERED else set()
    _unknown(given, allowed, fault, at)
    for name in ("required", "unique"):
        if not isinstance(given.get(name, False), bool):
            fault(f"{at}/{name}", "not_boolean", _("true or false."))
    lengths = [_length(given, name, fault, at) for name in ("minLength", "maxLength") if name in allowed]
    if len(lengths) == 2 and None not in lengths and lengths[0] > lengths[1]:  # type: ignore[operator]
        fault(f"{at}/maxLength", "out_of_range", _("The greatest lies below the least."))
    if kind:
        _bounds(given, kind, fault, at, allowed)
        _enum(given, kind, fault, at)
    if "pattern" in given and "pattern" in allowed:
        _pattern(given["pattern"], fault, f"{at}/pattern")


def _length(given: Mapping[str, Any], name: str, fault: Fault, at: str) -> int | None:
    value = given.get(name)
    if value is None and name not in given:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 1_000_000:
        fault(f"{at}/{name}", "not_a_length", _("A whole number from 0 to 1000000."))
        return None
    return value


def _bounds(given: Mapping[str, Any], kind: str, fault: Fault, at: str, allowed: Collection[str]) -> None:
    found = []
    for name in ("minimum", "maximum"):
        if name in given and name in allowed:
            value = field_values.ordered(kind, given[name])
            if value is None:
                fault(f"{at}/{name}", "not_of_type", _("This is no value of the type %(type)s.") % {"type": kind})
            else:
                found.append(value)
    if len(found) == 2 and found[0] > found[1]:
        fault(f"{at}/maximum", "out_of_range", _("The greatest lies below the least."))


def _enum(given: Mapping[str, Any], kind: str, fault: Fault, at: str) -> None:
    if "enum" not in given:
        return
    values = given["enum"]
    if not isinstance(values, list) or not 0 < len(values) <= MOST_ENUM:
        fault(f"{at}/enum", "not_a_list", _("A list of 1 to %(most)d values.") % {"most": MOST_ENUM})
        return
    seen: set[str] = set()
    for number, value in enumerate(values):
        if not field_values.fits(kind, value):
            fault(
                f"{at}/enum/{number}", "not_of_type", _("This is no value of the type %(type)s.") % {"type": kind}
            )
        elif repr(value) in seen:
            fault(f"{at}/enum/{number}", "repeated", _("This value stands twice."))
        seen.add(repr(value))


def _pattern(pattern: Any, fault: Fault, at: str) -> None:
    if not _text(pattern, MOST_PATTERN) or not pattern:
        fault(at, "not_text", _("A text of at most %(most)d characters.") % {"most": MOST_PATTERN})
        return
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        fault(at, "not_a_pattern", _("This is no regular expression."))
        return
    if _runs_away(pattern):
        fault(at, "runs_away", _("A repetition inside of a repetition, or a back reference: this may never end."))


def _runs_away(pattern: str) -> bool:
    """Whether matching may take exponential time: a repeated group that itself repeats or chooses, a back reference."""
    bare = re.sub(r"\\[^0-9]|\[(?:\\.|[^\]\\])*\]", "x", pattern)
    if re.search(r"\\[0-9]|\(\?P=", bare):
        return True
    while groups := list(re.finditer(r"\(([^()]*)\)(\*|\+|\{[0-9]+,[0-9]*\})?", bare)):
        for group in reversed(groups):
            inner = group.group(1)
            if group.group(2) and re.search(r"[*+|]|\{[0-9]+,\}", inner):
                return True
            kept = "+" if re.search(r"[*+]|\{[0-9]+,\}", inner) else "|" if "|" in inner.removeprefix("?:") else "x"
            bare = bare[: group.start()] + f"x{kept}" + bare[group.end() :]
    return False


def _keys(document: Mapping[str, Any], names: Collection[str], fault: Fault, at: str) -> None:
    if "primaryKey" in document:
        key = document["primaryKey"]
        _key([key] if isinstance(key, str) else key, names, fault, f"{at}/primaryKey")
    if "uniqueKeys" in document:
        keys = document["uniqueKeys"]
        if not isinstance(keys, list) or not 0 < len(keys) <= 20:
            fault(f"{at}/uniqueKeys", "not_a_list", _("A list of 1 to %(most)d values.") % {"most": 20})
            return
        for number, key in enumerate(keys):
            _key(key, names, fault, f"{at}/uniqueKeys/{number}")


def _key(key: Any, names: Collection[str], fault: Fault, at: str) -> None:
    if not isinstance(key, list) or not key or not all(isinstance(name, str) for name in key):
        fault(at, "not_a_key", _("A key is a list of field names."))
    elif len(set(key)) < len(key):
        fault(at, "repeated", _("This value stands twice."))
    else:
        for number, name in enumerate(key):
            if name not in names:
                fault(f"{at}/{number}", "unknown_field", _("There is no field of this name."))


def _unknown(given: Mapping[str, Any], known: Collection[str], fault: Fault, at: str) -> None:
    for name in [str(name) for name in given if name not in known][:20]:
        fault(f"{at}/{_escaped(name[:80])}", "unknown_property", _("We do not know this property."))


def _escaped(name: str) -> str:
    """A name as a part of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def _text(value: Any, most: int) -> bool:
    return isinstance(value, str) and len(value) <= most and is_storable(value)


def _texts(value: Any, longest: int, most: int) -> bool:
    return isinstance(value, list) and len(value) <= most and all(_text(one, longest) for one in value)


def key_of(document: Mapping[str, Any]) -> list[str]:
    """The names of the fields that make the primary key."""
    key = document.get("primaryKey", [])
    return [key] if isinstance(key, str) else list(key)


def highest_class(document: Mapping[str, Any]) -> int:
    """The highest classification that a field of a checked document has."""
    return max(int(field.get("classification", 1)) for field in document["fields"])
