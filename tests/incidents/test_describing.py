"""Can an incident's head be put right, and only with what is fit to be kept?"""

from __future__ import annotations

from typing import Any

import pytest

from coordination.events.models import Event
from coordination.events.refused import Forbidden, Invalid
from incidents import actions, queries
from tests.incidents.cast import T0, City, explosion, fresh

SQUARE = [[121.0, 30.0], [121.1, 30.0], [121.1, 30.1], [121.0, 30.1]]


def test_what_is_not_named_stays(city: City) -> None:
    centre = city.actor("centre")
    incident = explosion(city, place="一号门", description="旧情况")
    actions.describe(
        actor=centre, now=T0, incident_id=incident.pk, description="新情况", headline_en="Glycol fire",
        area={"type": "Polygon", "coordinates": [SQUARE]}, if_version=1,
    )
    row = fresh(incident)
    assert (row.place, row.description, row.headline_en, row.headline_zh, row.version) == (
        "一号门", "新情况", "Glycol fire", "乙二醇装置爆炸", 2
    )
    assert row.area == {"type": "MultiPolygon", "coordinates": [[[*SQUARE, SQUARE[0]]]]}
    assert Event.objects.latest("pk").payload == {"fields": ["headline_en", "description", "area"]}
    found = [row["id"] for row in queries.search(actor=centre, text="glycol fire", now=T0)]
    assert found == [incident.pk]
    assert queries.search(actor=centre, text="旧情况", now=T0) == []
    same = actions.describe(actor=centre, now=T0, incident_id=incident.pk, description="新情况")
    assert same.version == 2
    with pytest.raises(Forbidden):
        actions.describe(actor=city.actor("city"), now=T0, incident_id=incident.pk, place="x")


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"headline_zh": "", "headline_en": ""}, "/headline_zh"),
        ({"latitude": 3.0}, "/longitude"),
        ({"type": "x"}, "/type"),
        ({"place": "x" * 201}, "/place"),
        ({"area": "here"}, "/area"),
        ({"area": {"type": "Point", "coordinates": [1, 2]}}, "/area"),
        ({"area": {"type": "Polygon", "coordinates": []}}, "/area"),
        ({"area": {"type": "Polygon", "coordinates": [SQUARE[:2]]}}, "/area"),
        ({"area": {"type": "Polygon", "coordinates": [[*SQUARE[:2], [200, 3]]]}}, "/area"),
        ({"area": {"type": "Polygon", "coordinates": [[*SQUARE[:2], ["a", 3]]]}}, "/area"),
        ({"area": {"type": "Polygon", "coordinates": [[*SQUARE[:2], [float("nan"), 3]]]}}, "/area"),
        ({"area": {"type": "Polygon", "coordinates": [[SQUARE[0], SQUARE[2], SQUARE[1], SQUARE[3]]]}}, "/area"),
        ({"area": {"type": "Polygon", "coordinates": [[[n / 1000, n / 2000] for n in range(100_000)]]}}, "/area"),
        ({"area": {"type": "MultiPolygon", "coordinates": [7]}}, "/area"),
    ],
)
def test_what_is_not_fit_is_refused(city: City, fields: dict[str, Any], pointer: str) -> None:
    incident = explosion(city)
    with pytest.raises(Invalid) as refused:
        actions.describe(actor=city.actor("centre"), now=T0, incident_id=incident.pk, **fields)
    assert [error["pointer"] for error in refused.value.errors] == [pointer]
    with pytest.raises(Invalid):
        explosion(city, **{"headline_zh": "好", "latitude": None, **fields, "region_code": "x"})


def test_a_full_area_is_no_burden(city: City) -> None:
    points = [[121 + n / 10_000, 30 + (n % 2) / 1_000] for n in range(499)]
    ring = [*points, *[[x, 31.0] for x, _y in reversed(points)]]
    made = explosion(city, area={"type": "Polygon", "coordinates": [ring]})
    assert made.area is not None and len(made.area["coordinates"][0][0]) == 999
