"""How does an answer become bytes?"""

from __future__ import annotations

from typing import Any

import orjson
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer


class AnyAnswer(BaseContentNegotiation):
    """Problems are JSON whatever is asked for; which form an answer has is judged with the rest of the request."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        """Return the parser of the sent media type, None where there is none (415)."""
        sent = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == sent), None)

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        """Return the only one."""
        return renderers[0], renderers[0].media_type


class Json(BaseRenderer):
    """JSON by orjson: dates as RFC 3339, decimals as numbers."""

    media_type = "application/json"
    format = "json"

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        """Return the bytes."""
        return dump(data)


def dump(data: Any) -> bytes:
    """Return ``data`` as JSON bytes; dates in UTC as RFC 3339, decimals as numbers, translations as text."""
    return orjson.dumps(data, default=_plain, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z)


def _plain(value: Any) -> Any:
    if isinstance(value, set | frozenset):
        return sorted(value)
    if hasattr(value, "as_integer_ratio"):
        return float(value)
    return str(value)
