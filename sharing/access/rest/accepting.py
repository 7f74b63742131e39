"""In which form does the caller want the answer, and can it be given?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from coordination.events.refused import Refused

JSON = "application/json"
GEOJSON = "application/geo+json"
_RANGE = re.compile(r"\s*([a-z0-9!#$&^_.+*-]{1,60}/[a-z0-9!#$&^_.+*-]{1,60})\s*((?:;[^,]{0,200})?)", re.IGNORECASE)
_QUALITY = re.compile(r";\s*q\s*=\s*(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)\s*(?:;|$)", re.IGNORECASE)
_MOST = 2000


class NotAcceptable(Refused):
    """None of the forms asked for can be given."""

    status = 406
    code = "not_acceptable"


def chosen(header: str | None, offered: Sequence[str]) -> str:
    """The first of the media types ``offered`` that the Accept header likes best; without one the first.

    The more exact range counts (RFC 9110 12.5.1). Raises `NotAcceptable` (406).
    """
    if not header or not header.strip():
        return offered[0]
    ranges = [_range(part) for part in header[:_MOST].split(",")] if len(header) <= _MOST else []
    wanted = [one for one in ranges if one is not None]
    rated = [(_quality(media, wanted), media) for media in offered]
    best = max(quality for quality, _media in rated)
    if best <= 0:
        raise NotAcceptable(_("Nothing can be given in the form asked for."), offered=list(offered))
    return next(media for quality, media in rated if quality == best)


def _range(part: str) -> tuple[str, float] | None:
    found = _RANGE.fullmatch(part)
    if found is None:
        return None
    quality = _QUALITY.search(found[2])
    return found[1].lower(), float(quality[1]) if quality else 1.0


def _quality(media: str, wanted: Iterable[tuple[str, float]]) -> float:
    best, exact = 0.0, -1
    for name, quality in wanted:
        depth = _depth(name, media)
        if depth > exact:
            best, exact = quality, depth
        elif depth == exact and depth >= 0:
            best = max(best, quality)
    return best


def _depth(name: str, media: str) -> int:
    """How exactly a range names a media type; -1 where it does not."""
    if name == media:
        return 2
    if name == f"{media.partition('/')[0]}/*":
        return 1
    return 0 if name == "*/*" else -1


def as_map(items: Sequence[dict[str, Any]], rows: Sequence[dict[str, Any]], cursor: str | None) -> dict[str, Any]:
    """A page as a FeatureCollection (RFC 7946: longitude first, WGS84); ``rows`` say where, ``items`` what is shown."""
    features = []
    for item, row in zip(items, rows, strict=True):
        lat, lon = row.get("latitude"), row.get("longitude")
        where = None if lat is None or lon is None else {"type": "Point", "coordinates": [lon, lat]}
        shown = {name: value for name, value in item.items() if name not in ("latitude", "longitude")}
        features.append({"type": "Feature", "id": row["id"], "geometry": where, "properties": shown})
    return {"type": "FeatureCollection", "features": features, "next": cursor}
