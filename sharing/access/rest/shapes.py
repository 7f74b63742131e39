"""What shapes may come in and go out?

Serializers declare both. Input is validated by them, and a name they do not know is an error. Output is cut to the
declared names by a plain function: rows come from queries already projected, so running a serializer over each
would only cost time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from coordination.events import writing

FIRST = datetime(1970, 1, 1, tzinfo=UTC)
LAST = datetime(2100, 1, 1, tzinfo=UTC)
BIG = 2**63 - 1
_RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ](?:[01][0-9]|2[0-3]):[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,12})?)?"
    r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-9]{2})"
)


class Moment(serializers.DateTimeField):
    """A point in time, RFC 3339 with its offset, 1970 to 2099."""

    def to_internal_value(self, value: Any) -> datetime:
        """Return an aware datetime; a text without offset is refused, it would mean another moment elsewhere."""
        moment = None
        if isinstance(value, str) and len(value) <= 40 and _RFC_3339.fullmatch(value):
            try:
                moment = parse_datetime(value.upper())
            except ValueError:
                moment = None
        if moment is None or moment.tzinfo is None:
            raise serializers.ValidationError(
                _("Give date, time and offset, like 2026-05-01T08:30:00+08:00."), code="date"
            )
        try:
            if not FIRST <= moment < LAST:
                raise serializers.ValidationError(_("Only the years 1970 to 2099 are taken."), code="date_range")
        except OverflowError as error:
            raise serializers.ValidationError(_("Only the years 1970 to 2099 are taken."), code="date_range") from error
        return moment.astimezone(UTC)


class Text(serializers.CharField):
    """Text without characters that cannot be stored; only a JSON string (or form text) counts as text."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Take what nobody can see for empty."""
        if isinstance(data, str) and self.trim_whitespace:
            data = writing.trimmed(data)
        return super().run_validation(data)

    def to_internal_value(self, data: Any) -> str:
        """Return the text, trimmed."""
        if not isinstance(data, str):
            raise serializers.ValidationError(_("This must be a text."), code="type")
        if not writing.is_storable(data):
            raise serializers.ValidationError(_("The text contains a character that is not allowed."), code="character")
        return super().to_internal_value(data)


class Whole(serializers.IntegerField):
    """A whole number (in query and form text, its digits)."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("min_value", 0)
        kwargs.setdefault("max_value", 2**31 - 1)
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> int:
        """Return the number; true, 1.5 and "1e3" are none."""
        if isinstance(data, bool | float) or (isinstance(data, str) and not re.fullmatch(r"-?[0-9]{1,19}", data)):
            raise serializers.ValidationError(_("This must be a whole number."), code="type")
        return super().to_internal_value(data)


class Id(Whole):
    """The id of an object."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"min_value": 1, "max_value": BIG} | kwargs))


class Yes(serializers.BooleanField):
    """true or false (in query and form text, the words)."""

    def to_internal_value(self, data: Any) -> bool:
        """Return the truth value; 1 and "on" are none."""
        words = {True: True, False: False, "true": True, "false": False}
        if isinstance(data, bool | str) and data in words:
            return words[data]
        raise serializers.ValidationError(_("This must be true or false."), code="type")


class Latitude(serializers.FloatField):
    """Degrees north, WGS84."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"min_value": -90, "max_value": 90} | kwargs))


class Longitude(serializers.FloatField):
    """Degrees east, WGS84."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"min_value": -180, "max_value": 180} | kwargs))


class Shape(serializers.Serializer[Any]):
    """Base of everything that comes in or goes out. Unknown names are refused, not ignored."""

    def to_internal_value(self, data: Any) -> Any:
        """Validate ``data``; each unknown name is an error of its own."""
        if not isinstance(data, Mapping):
            raise serializers.ValidationError({"non_field_errors": [_("This must be an object.")]}, code="type")
        unknown = [str(name) for name in data if name not in self.fields or self.fields[name].read_only]
        if unknown:
            message = serializers.ErrorDetail(str(_("There is no such field here.")), code="unknown_field")
            raise serializers.ValidationError({name[:80]: [message] for name in unknown[:20]})
        return super().to_internal_value(data)


class Problem(Shape):
    """An answer that says no (RFC 9457)."""

    class Detail(Shape):
        pointer = serializers.CharField()
        code = serializers.CharField()
        detail = serializers.CharField()

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField(help_text="Stable machine word.")
    detail = serializers.CharField()
    request_id = serializers.CharField()
    errors = Detail(  # type: ignore[assignment]
        many=True, required=False, help_text="Single fields, as JSON pointers."
    )
    state = serializers.CharField(required=False, help_text="Of a refused move: the state now.")
    allowed = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="Of a refused move: the moves allowed now."
    )


_compiled: dict[type, tuple[tuple[str, str, type | None], ...]] = {}


def cut(shape: type[serializers.Serializer[Any]], value: Any) -> Any:
    """Return ``value`` (mapping, dataclass, model row or a list of them) with the declared names only.

    A declared name that the value lacks is left out; None stays None.
    """
    if value is None:
        return None
    mapping = isinstance(value, dict)  # asked first: rows of long lists are dicts, and the other questions cost more
    if not mapping and (isinstance(value, list | tuple) or hasattr(value, "iterator")):
        return [cut(shape, one) for one in value]
    mapping = mapping or isinstance(value, Mapping)
    done: dict[str, Any] = {}
    for name, source, inner in _names(shape):
        if mapping:
            key = name if name in value else source
            if key not in value:
                continue
            found = value[key]
        else:
            found = getattr(value, source, _compiled)
            if found is _compiled:
                continue
        done[name] = cut(inner, found) if inner is not None else found
    return done


def declared(shape: type[serializers.Serializer[Any]]) -> frozenset[str]:
    """The names that a shape declares."""
    return frozenset(name for name, _source, _inner in _names(shape))


def _names(shape: type[serializers.Serializer[Any]]) -> tuple[tuple[str, str, type | None], ...]:
    if shape not in _compiled:
        rows = []
        for name, field in shape().fields.items():
            inner: type | None = None
            if isinstance(field, serializers.ListSerializer):
                inner = type(field.child)
            elif isinstance(field, serializers.Serializer):
                inner = type(field)
            rows.append((name, field.source or name, inner))
        _compiled[shape] = tuple(rows)
    return _compiled[shape]
