"""Do two databases that differ only in what is hidden give the same answers, to the byte?"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coordination.events import clock
from sharing.catalogue.models import Dataset, Record
from tests.catalogue.ground import Ground
from tests.catalogue.test_pages import enter, plain_static
from tests.exchange.store import filled, opened, store

pytestmark = pytest.mark.django_db
__all__ = ["enter", "plain_static"]

SHOWN = {"id": "full", "tons": "full", "place": {"mask": "generalise"}, "full": {"mask": "constant"}}
"""A note is absent; of a place its square is told; of full that it is there."""
# what differs between any two requests, whatever the data: tokens, times, ids of requests, the date of a cursor
VOLATILE = re.compile(
    rb'(csrfmiddlewaretoken" value="[^"]*|nonce="[^"]*|data-now="[^"]*|X-CSRFToken[^}]*|after=[^"]*'
    rb'|"next": ?"[^"]*|"as_of": ?"[^"]*|As of: [^\r]*|\d\d:\d\d:\d\d)|"request_id":"[^"]*"|[0-9a-f-]{36}'
)
WHERES: list[Any] = [
    None, {"field": "tons", "op": "gte", "value": 1}, {"field": "note", "op": "eq", "value": "a"},
    {"field": "place", "op": "within", "value": [121, 31, 121.005, 31.005]},
    {"field": "full", "op": "eq", "value": True},
    {"or": [{"field": "tons", "op": "lt", "value": 1}, {"field": "note", "op": "eq", "value": "a"}]},
]  # fmt: skip
hidden = st.fixed_dictionaries(
    {
        "note": st.sampled_from(["a", "b", "x" * 500, "中文", "=1"]),
        "place": st.tuples(st.floats(121.0001, 121.0099), st.floats(31.0001, 31.0099)).map(list),
        "full": st.booleans(),
    }
)


def answers(client: Client, row: Dataset, where: Any, sort: str) -> list[Any]:
    """Every way to ask for the records, and what is said."""
    asked = {"where": json.dumps(where)} if where else {}
    typed = {"f-tons-min": "1", "f-note": "a", "f-full": "true", "f-place-w": "121"} if where else {}
    api, page = f"/api/v1/datasets/{row.pk}/records", f"/data/{row.pk}/records/"
    forms = ("csv", "json", "geojson")
    addresses = [
        (api, asked | {"sort": sort, "limit": 2}), (page, typed | {"sort": sort, "size": 25}), (page, {"show": "map"}),
        *((f"{api}/export", asked | {"format": form}) for form in forms),
        *((f"{page}download/", asked | {"format": form}) for form in forms),
    ]
    said = []
    for address, query in addresses:
        one = client.get(address, query)
        body = b"".join(one) if one.streaming else one.content  # type: ignore[arg-type]
        tag = one.get("ETag", "") if b'"next":null' in body.replace(b" ", b"") else ""
        said.append((one.status_code, tag, one.get("Content-Disposition"), VOLATILE.sub(b"~", body)))
    return said


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    both=st.lists(st.tuples(hidden, hidden), min_size=1, max_size=6), where=st.sampled_from(WHERES),
    sort=st.sampled_from(["tons", "-id", "note", "place", "full", "nobody"]),
)  # fmt: skip
def test_what_is_hidden_changes_no_answer(ground: Ground, enter: Any, both: Any, where: Any, sort: str) -> None:
    ground.now = clock.now()
    row = store(ground, f"n{Dataset.objects.count()}")
    plain = [{"id": f"s{n}", "tons": n % 3} for n in range(len(both))]
    filled(ground, row, [one | first for one, (first, _second) in zip(plain, both, strict=True)])
    opened(ground, row, fields=SHOWN)
    client = enter("fire/duty_officer")
    before = answers(client, row, where, sort)
    stored = Record.everything.filter(dataset=row).order_by("pk")
    for record, one, (_first, second) in zip(stored, plain, both, strict=True):
        record.data = one | second
        record.save()
    assert answers(client, row, where, sort) == before
    assert {said[0] for said in before} <= {200, 422}
