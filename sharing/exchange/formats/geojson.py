"""How do records look on a map (GeoJSON, RFC 7946)? What the download says of itself stands in members of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from sharing.access.fields import square
from sharing.exchange.formats.json import about
from sharing.exchange.formats.sheet import Batches, End, Format, Head, Row


def write(head: Head, batches: Batches, end: End) -> Iterator[bytes]:
    """Yield the file; a masked place is the square that it lies in, never a point."""
    yield b'{"type": "FeatureCollection", "about": ' + about(head) + b', "features": ['
    between = b"\n"
    for rows in batches:
        piece = b""
        for row in rows:
            piece += between + orjson.dumps(_feature(row, head.place))
            between = b",\n"
        yield piece
    yield b'\n], "end": ' + orjson.dumps(end.said()) + b"}\n"


def _feature(row: Row, place: str) -> dict[str, Any]:
    rest = {name: value for name, value in row["data"].items() if name != place}
    return {
        "type": "Feature", "id": row["id"], "geometry": geometry(row, place),
        "properties": rest | {"masked": row["masked"]} if "masked" not in rest else rest,
    }


def geometry(row: Row, place: str) -> dict[str, Any] | None:
    """Where a record is: a point, the square that hides it, or nothing."""
    value = row["data"].get(place)
    if not isinstance(value, list):
        return None
    if place in row["masked"]:
        return {"type": "Polygon", "coordinates": [square(value)]}
    return {"type": "Point", "coordinates": value}


FORMAT = Format("geojson", "application/geo+json", "geojson", write, places=True)
