"""Is this an area on the map?

GeoJSON (RFC 7946) polygons and multipolygons, longitude before latitude, WGS-84; rings closed, not crossing
themselves.
"""

from __future__ import annotations

import math
from typing import Any

from django.utils.translation import gettext_lazy as _

from incidents.entered import Entered

MOST_POINTS = 1_000
Point = tuple[float, float]


def checked(entered: Entered, value: Any) -> dict[str, Any] | None:
    """The area as it may be kept (open rings are closed), or None; faults are noted under ``/area``."""
    if value is None:
        return None
    polygons = _polygons(value)
    if polygons is None:
        entered.fault("area", "not_an_area", _("This must be a GeoJSON polygon or multipolygon."))
        return None
    if sum(len(ring) for polygon in polygons for ring in polygon if isinstance(ring, list)) > MOST_POINTS:
        entered.fault("area", "too_many_points", _("At most %(most)d points.") % {"most": MOST_POINTS})
        return None
    rings = [[_ring(ring) for ring in polygon] for polygon in polygons]
    if any(ring is None for polygon in rings for ring in polygon):
        entered.fault("area", "not_an_area", _("Each ring needs three points or more, as longitude and latitude."))
        return None
    if any(_crosses(ring) for polygon in rings for ring in polygon if ring is not None):
        entered.fault("area", "crosses_itself", _("The border of the area crosses itself."))
        return None
    kept = [[[list(point) for point in ring or ()] for ring in polygon] for polygon in rings]
    return {"type": "MultiPolygon", "coordinates": kept}


def _polygons(value: Any) -> list[list[Any]] | None:
    if not isinstance(value, dict) or not isinstance(value.get("coordinates"), list):
        return None
    kinds: dict[str, list[Any]] = {"Polygon": [value["coordinates"]], "MultiPolygon": value["coordinates"]}
    parts = kinds.get(str(value.get("type")))
    if not parts or not all(isinstance(polygon, list) and polygon for polygon in parts):
        return None
    return parts


def _ring(value: Any) -> list[Point] | None:
    if not isinstance(value, list):
        return None
    points = [_point(entry) for entry in value]
    found = [point for point in points if point is not None]
    if len(found) < len(points):
        return None
    if found and found[0] != found[-1]:
        found.append(found[0])
    return found if len(set(found)) >= 3 else None


def _point(value: Any) -> Point | None:
    if not isinstance(value, list) or len(value) not in (2, 3):
        return None
    if any(isinstance(part, bool) or not isinstance(part, int | float) for part in value):
        return None
    longitude, latitude = float(value[0]), float(value[1])
    if not (math.isfinite(longitude) and math.isfinite(latitude)):
        return None
    return (longitude, latitude) if abs(longitude) <= 180 and abs(latitude) <= 90 else None


def _crosses(ring: list[Point]) -> bool:
    """Whether two sides that are no neighbours meet (each pair once: at most half a million for a full area)."""
    sides = list(zip(ring, ring[1:], strict=False))
    last = len(sides) - 1
    boxes = [(min(a[0], b[0]), max(a[0], b[0]), min(a[1], b[1]), max(a[1], b[1])) for a, b in sides]
    for i, (a, b) in enumerate(sides):
        west, east, south, north = boxes[i]
        for j in range(i + 2, len(sides)):
            other = boxes[j]
            if other[0] > east or other[1] < west or other[2] > north or other[3] < south or (i == 0 and j == last):
                continue
            if _meet(a, b, *sides[j]):
                return True
    return False


def _meet(a: Point, b: Point, c: Point, d: Point) -> bool:
    def side(p: Point, q: Point, r: Point) -> float:
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    across_first = (side(a, b, c) > 0) != (side(a, b, d) > 0)
    across_second = (side(c, d, a) > 0) != (side(c, d, b) > 0)
    return across_first and across_second
