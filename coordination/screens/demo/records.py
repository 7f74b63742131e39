"""What do the datasets of the demo city hold, now?"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from coordination.events.actor import SYSTEM
from sharing.catalogue import actions
from sharing.catalogue.models import Dataset, Transfer

_FILE = Path(__file__).with_name("records.yaml")
_SURNAMES, _GIVEN = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗", "海燕志强丽华国平晓东雪梅永康文静振华春生慧敏立新思远"
_METRES = 111_320.0
_CELLS = (18, 12)
_CELL = 0.01
_GROUPS = ("A", "B", "AB", "O")


def load_records(*, now: datetime) -> int:
    """Deliver what each dataset of the demo city lacks; what is measured all the time anew. How many were delivered.

    Drawn from the dataset's code (and the hour, of what moves): a second start at the same hour changes nothing.
    """
    content = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    there = set(Transfer.objects.values_list("dataset_id", flat=True).distinct())
    delivered = 0
    for dataset in Dataset.objects.filter(state=Dataset.State.PUBLISHED).order_by("pk"):
        rows = _rows_of(dataset.code, content, now, again=dataset.pk in there)
        if rows:
            actions.deliver(actor=SYSTEM, now=now, dataset_id=dataset.pk, records=rows)
            delivered += len(rows)
    return delivered


def _rows_of(code: str, content: Mapping[str, Any], now: datetime, *, again: bool) -> list[dict[str, Any]]:
    made = _MADE.get(code)
    recipe = content["records"].get(code)
    if (made is None and recipe is None) or (again and not (recipe or {}).get("moving")):
        return []
    if made is not None:
        return made(random.Random(code))  # noqa: S311 - invented data, the same each time
    hour = now.replace(minute=0, second=0, microsecond=0)
    draw = _Draw(random.Random(code), random.Random(f"{code} {hour.isoformat()}"), content, hour)  # noqa: S311 - as above
    return [draw.row(code, recipe, number) for number in range(1, recipe["n"] + 1)]


class _Draw:
    """Draws values: what stays the same from one start to the next, and what moves by the hour."""

    def __init__(self, stays: random.Random, moves: random.Random, content: Mapping[str, Any], hour: datetime) -> None:
        self.stays, self.moves, self.hour = stays, moves, hour
        self.content = content

    def row(self, code: str, recipe: Mapping[str, Any], number: int) -> dict[str, Any]:
        """One record."""
        fields = recipe["fields"]
        words = {
            "n": number, "road": self.stays.choice(self.content["roads"]),
            "quarter": self.stays.choice(self.content["quarters"]), "firm": self.stays.choice(self.content["firms"]),
        }  # fmt: skip
        self.place = self._place()
        key = {"bus-routes": "route"}.get(code, "number")
        row: dict[str, Any] = {key: recipe["number"].format(**words) or f"{number}路"}
        if "name" in recipe:
            row |= {"name": recipe["name"].format(**words), "place": self.place}
        moving = recipe.get("moving", False)
        for name, (kind, *given) in fields.items():
            row[name] = _KINDS[kind](self, self.moves if moving else self.stays, given, words)
        return row

    def _place(self) -> list[float]:
        longitude, latitude = self.stays.choice(self.content["centres"])
        spread = self.stays.gauss
        return [round(longitude + spread(0, 0.022), 6), round(latitude + spread(0, 0.016), 6)]

    def line(self, metres: float) -> dict[str, Any]:
        """A road or pipe of about this length, from the record's place."""
        points, (longitude, latitude) = [self.place], self.place
        angle = self.stays.uniform(0, 2 * math.pi)
        for _part in range(4):
            angle += self.stays.uniform(-0.5, 0.5)
            latitude += math.sin(angle) * metres / 4 / _METRES
            longitude += math.cos(angle) * metres / 4 / (_METRES * math.cos(math.radians(latitude)))
            points.append([round(longitude, 6), round(latitude, 6)])
        return {"type": "LineString", "coordinates": points}


def _person(draw: random.Random) -> str:
    return draw.choice(_SURNAMES) + "".join(draw.sample(_GIVEN, 2))


_Kind = Callable[[_Draw, random.Random, list[Any], Mapping[str, Any]], Any]
_KINDS: dict[str, _Kind] = {
    "pick": lambda _of, draw, given, _words: draw.choice(given),
    "int": lambda _of, draw, given, _words: draw.randrange(given[0], given[1] + 1, given[2]),
    "num": lambda _of, draw, given, _words: round(draw.uniform(given[0], given[1]), given[2]),
    "share": lambda _of, draw, given, _words: draw.random() < given[0],
    "text": lambda _of, _draw, given, words: given[0].format(**words),
    "person": lambda _of, draw, _given, _words: _person(draw),
    "phone": lambda _of, draw, _given, _words: f"1390000{draw.randrange(10_000):04d}",
    "ago": lambda of, draw, given, _words: (of.hour - timedelta(minutes=draw.randrange(given[0]))).isoformat(),
    "ahead": lambda of, draw, given, _words: (of.hour + timedelta(minutes=30 + draw.randrange(given[0]))).isoformat(),
    "line": lambda of, _draw, given, _words: of.line(given[0]),
}


def _blood(draw: random.Random) -> list[dict[str, Any]]:
    centres = ("市血液中心", "金湾血站", "江东血站", "南浦血站")
    return [{"centre": one, "group": group, "units": draw.randrange(12, 640)} for one in centres for group in _GROUPS]


def _population(draw: random.Random) -> list[dict[str, Any]]:
    """One record for each square of 0.01° of the district; in every fourth somebody who needs help."""
    rows = []
    for east in range(_CELLS[0]):
        for north in range(_CELLS[1]):
            residents = int(draw.lognormvariate(6.2, 0.9))
            cell = f"E{121.24 + east * _CELL:.2f}N{30.66 + north * _CELL:.2f}"
            row = {"cell": cell, "residents": residents, "present": int(residents * draw.uniform(0.4, 1.8))}
            rows.append(row | ({"person_name": _person(draw)} if draw.random() < 0.25 else {}))
    return rows


_MADE: dict[str, Callable[[random.Random], list[dict[str, Any]]]] = {
    "blood-stocks": _blood, "population-grid": _population,
}  # fmt: skip
