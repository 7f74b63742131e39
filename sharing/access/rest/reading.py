"""Is what came in the JSON we allow?

Stock parsers let through what PostgreSQL or a later encoder chokes on. One scan over the bytes and one walk over
the result refuse it before anything else sees it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import IO, Any

import orjson
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.utils.translation import gettext_lazy as _
from rest_framework.parsers import BaseParser, MultiPartParser

from coordination.events.refused import Refused

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32
MAX_DIGITS = 30
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKET = re.compile(rb"[\[\]{}]")
_LONG_NUMBER = re.compile(rb"[-+0-9.eE]{%d,}" % (MAX_DIGITS + 1))
_EXPONENT = re.compile(rb"[0-9.][eE][+-]?0*([0-9]{3,})")


class Malformed(Refused):
    """What was sent cannot be read at all."""

    status = 400
    code = "malformed"


class TooBig(Refused):
    """More bytes than are taken here."""

    status = 413
    code = "too_big"


class Packed(Refused):
    """The body is compressed; it is taken as it is only."""

    status = 415
    code = "unsupported_coding"


def require_plain(coding: str | None) -> None:
    """Refuse a body whose ``Content-Encoding`` is any but identity. Raises `Packed` (415)."""
    if (coding or "identity").strip().lower() != "identity":
        raise Packed(_("Send the body as it is, without Content-Encoding."))


class StrictJson(BaseParser):
    """JSON of at most 1 MiB, 32 levels, without NUL, lone surrogates, doubled names, or numbers beyond all use."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the decoded value. Raises `Malformed` (400) or `TooBig` (413)."""
        try:
            body = stream.read(MAX_BYTES + 1)
        except RequestDataTooBig as error:
            raise TooBig(_("The body is larger than 1 MiB.")) from error
        return decode(body)


class LdJson(StrictJson):
    """The same of a JSON-LD document: it is read as JSON, and nothing it names is fetched."""

    media_type = "application/ld+json"


class Upload(MultiPartParser):
    """Files with their fields; refused by its declared size before a byte is read, and by its form when broken."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        """Return data and files as DRF has them. Raises `TooBig` (413); a broken form is a 400."""
        context = parser_context or {}
        length = str(context["request"].META.get("CONTENT_LENGTH") or "")
        if not length.isdigit():
            raise Malformed(_("Say how long the body is."))
        if int(length) > settings.MAX_UPLOAD_SIZE + MAX_BYTES:
            raise TooBig(_("The file is too big."))
        return super().parse(stream, media_type, parser_context)


def decode(body: bytes) -> Any:
    """Return what ``body`` says. Raises `Malformed` or `TooBig`."""
    if len(body) > MAX_BYTES:
        raise TooBig(_("The body is larger than 1 MiB."))
    if not body.strip():
        return {}
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(_("The body is not UTF-8.")) from error
    try:
        value = orjson.loads(body)  # first: what follows may rely on closed strings, so that it stays linear
    except orjson.JSONDecodeError as error:
        raise Malformed(_("The body is not JSON.")) from error
    _scan(body)
    _walk(value)
    if _count_names(value) != _names_written(body):
        raise Malformed(_("A name stands twice in one object."))
    return value


def _scan(body: bytes) -> None:
    """Refuse depth and numbers by the text, before anything walks the value."""
    bare = _STRING.sub(b'""', body)
    depth = 0
    for bracket in _BRACKET.findall(bare):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            raise Malformed(_("The JSON is nested too deeply."))
    if _LONG_NUMBER.search(bare) or _EXPONENT.search(bare):
        raise Malformed(_("A number is too long."))


def _walk(value: Any) -> None:
    if isinstance(value, str):
        _text(value)
    elif isinstance(value, dict):
        for name, inner in value.items():
            _text(name)
            _walk(inner)
    elif isinstance(value, list):
        for inner in value:
            _walk(inner)
    elif isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**63:
        raise Malformed(_("A number is too long."))


def _text(value: str) -> None:
    if "\x00" in value:
        raise Malformed(_("A text contains the character NUL."))


def _count_names(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(_count_names(inner) for inner in value.values())
    if isinstance(value, list):
        return sum(_count_names(inner) for inner in value)
    return 0


def _names_written(body: bytes) -> int:
    return _STRING.sub(b"", body).count(b":")
