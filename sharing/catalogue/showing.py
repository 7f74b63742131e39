"""How does a value of a record look on a page, and where does a record lie on the map?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext as _

from sharing.access.fields import square

Row = Mapping[str, Any]
NOTHING = "–"
LONGEST_NAME = 60


def cells(columns: Sequence[Row], row: Row, codes: Mapping[str, Mapping[str, str]]) -> list[dict[str, Any]]:
    """The fields that are open of one record, each with its text; ``codes``: names of codes by table."""
    return [
        {
            "name": column["name"], "title": column["title"] or column["name"],
            "text": text_of(row["data"].get(column["name"]), column, codes), "masked": column["name"] in row["masked"],
            "number": column["type"] in ("number", "integer"), "mask": column["rule_name"],
        }
        for column in columns
    ]


def text_of(value: Any, column: Row, codes: Mapping[str, Mapping[str, str]]) -> str:
    """A value as people read it."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if column["type"] == "datetime" and isinstance(value, str) and value.endswith("Z"):
        return _local(value)
    if isinstance(value, list) and len(value) == 2:
        return f"{value[1]:.4f}, {value[0]:.4f}"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)[:500]
    if column["codes"]:
        return codes.get(column["codes"], {}).get(str(value), str(value))
    return str(value)


def _local(value: str) -> str:
    try:
        moment = datetime.fromisoformat(value).astimezone(ZoneInfo(settings.TIME_ZONE))
    except (ValueError, OverflowError):
        return value
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def on_map(place: str, rows: Sequence[Row], names: Sequence[str]) -> dict[str, Any]:
    """The records that have a place, as the map draws them: points, and for a masked place the square it lies in."""
    points: list[dict[str, Any]] = []
    areas: dict[tuple[float, ...], dict[str, Any]] = {}
    for row, name in zip(rows, names, strict=True):
        where = row["data"].get(place)
        if not isinstance(where, list):
            continue
        if place not in row["masked"]:
            points.append({"lat": where[1], "lon": where[0], "name": name[:LONGEST_NAME], "kind": "record"})
            continue
        area = areas.setdefault(
            tuple(where), {"names": [], "geometry": {"type": "Polygon", "coordinates": [square(where)]}}
        )
        area["names"].append(name[:LONGEST_NAME])
    drawn = [{"geometry": one["geometry"], "name": _several(one["names"])} for one in areas.values()]
    return {"points": points, "areas": drawn}


def _several(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else _("%(n)d records in this square") % {"n": len(names)}
