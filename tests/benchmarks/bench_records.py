"""What do row filters and masks add to a page of a dataset's records, of a million?

Floor: the same request by the department that keeps the dataset, to which one grant opens all of it, whole. Floor and
page take turns, so that both meet the same load.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext, override_settings

from accounts.models import Membership, Person, Post
from coordination.events import clock
from coordination.events.actor import SYSTEM
from sharing import access
from sharing.access.actions.opening import Holder, Terms
from sharing.access.fields import FULL
from sharing.catalogue import actions as catalogue
from sharing.catalogue.models import Dataset
from tests.benchmarks import scale
from tests.benchmarks.bench_pages import PLENTY, TURNS, ask, seconds, signed_in
from tests.benchmarks.figures import Figure, growth, middle

SIZES = {True: (10_000, 100_000, 1_000_000), False: (1_000, 10_000)}
KEEPER = "b000"
FEW = 20
"""How many records the sparse viewer sees, at any size."""
SCHEMA = {
    "fields": [
        {"name": "number", "type": "string", "title_en": "Number", "constraints": {"required": True}},
        {"name": "kind", "type": "string", "title_en": "Kind", "filterable": True},
        {"name": "station", "type": "string", "title_en": "Station", "filterable": True},
        {"name": "quantity", "type": "number", "title_en": "Quantity", "filterable": True},
        {"name": "place", "type": "geopoint", "format": "array", "title_en": "Place"},
        {"name": "manager", "type": "string", "title_en": "Manager", "classification": 3, "mask": "partial"},
        {"name": "phone", "type": "string", "title_en": "Telephone", "classification": 3, "mask": "partial"},
    ],
    "primaryKey": ["number"],
}
MASKED: dict[str, Any] = {
    "number": FULL, "kind": FULL, "station": FULL, "quantity": {"mask": "bucket", "edges": [10, 100, 500]},
    "place": {"mask": "generalise"}, "manager": {"mask": "pseudonym"}, "phone": {"mask": "partial", "start": 3},
}  # fmt: skip
FILTERS: dict[str, tuple[str, Mapping[str, Any]]] = {
    "masks alone": ("b001", {}),
    "three kinds of ten, masks": ("b002", {"field": "kind", "op": "in", "value": ["k1", "k2", "k3"]}),
    f"{FEW} records, masks": ("b003", {"field": "station", "op": "eq", "value": "rare"}),
}
_ROWS = """
INSERT INTO catalogue_record (dataset_id, key, data, since)
SELECT %s, 'N' || g, jsonb_build_object(
  'number', 'N' || g, 'kind', 'k' || (g %% 10), 'station', CASE WHEN g <= %s THEN 'rare' ELSE 's' || (g %% 5000) END,
  'quantity', g %% 1000, 'place', jsonb_build_array(121 + (g %% 1000) / 1000.0, 30 + (g %% 777) / 777.0),
  'manager', 'Manager ' || g, 'phone', '139' || lpad(g::text, 8, '0')), 1
FROM generate_series(%s, %s) g
"""


def measure(*, full: bool = False, rounds: int = 3) -> list[Figure]:
    """All holders at all sizes."""
    connection.settings_dict["CONN_MAX_AGE"] = None
    connection.close()
    city = scale.build()
    dataset = _dataset(city)
    found: list[Figure] = []
    costs: dict[str, list[float]] = {name: [] for name in FILTERS}
    counts: set[int] = set()
    there = 0
    with override_settings(MUSTER_API_LIMITS=PLENTY):
        for size in SIZES[full]:
            with connection.cursor() as cursor:
                cursor.execute("SET statement_timeout = 0")
                cursor.execute(_ROWS, [dataset.pk, FEW, there + 1, size])
                cursor.execute("VACUUM ANALYZE catalogue_record")
            there = size
            for name, (code, _filter) in FILTERS.items():
                page, floor, asked = _page(city, code, f"/api/v1/datasets/{dataset.pk}/records?limit=50", rounds)
                counts.add(asked)
                costs[name].append(page)
                found.append(Figure(f"50 records, {name}", f"{size:,}", page * 1000, "ms", floor * 1000, page / floor,
                                    ("ratio", "<=", 1.5), f"{asked} statements"))  # fmt: skip
    named = [f"{size:,}" for size in SIZES[full]]
    found += [growth(f"50 records, {name}", named, values, 1.3) for name, values in costs.items()]
    found.append(Figure("numbers of statements met, over sizes and holders", named[-1], len(counts), "",
                        goal=("value", "=", 1), note=f"{sorted(counts)} statements a request"))  # fmt: skip
    return found


def _dataset(city: scale.City) -> Dataset:
    """One of class 2, kept by a bureau, opened to three others on terms of their own."""
    now = clock.now()
    keeper = city.departments[KEEPER]
    steward = Person.objects.create(username="steward", name_zh="管理员", name_en="Steward", password="!")
    post, _made = Post.objects.get_or_create(department=keeper, kind="data_steward")
    Membership.objects.create(person=steward, post=post, valid_from=now)
    row = catalogue.draft(
        actor=SYSTEM, now=now, department_id=keeper.pk, code="stores", title_en="Stores", frequency="monthly",
        contact="Duty desk",
    )  # fmt: skip
    catalogue.add_schema(actor=SYSTEM, now=now, dataset_id=row.pk, schema=SCHEMA)
    row = catalogue.publish(actor=SYSTEM, now=now, dataset_id=row.pk)
    for code, tree in FILTERS.values():
        access.open_dataset(
            dataset_id=row.pk, holders=[Holder("department", str(city.departments[code].pk))],
            terms=Terms(fields=MASKED, max_class=3, source="agreement", valid_from=now, filter=tree,
                        pseudonym_key="ab" * 32),
        )  # fmt: skip
    return row


def _page(city: scale.City, code: str, path: str, rounds: int) -> tuple[float, float, int]:
    """Seconds of the page and of its floor, medians over all turns, and the statements of one request."""
    client, keeper = signed_in(city, code), signed_in(city, KEEPER)
    for _ in range(5):
        ask(client, path)
        ask(keeper, path)
    with CaptureQueriesContext(connection) as seen:
        ask(client, path)
    asked = len(seen)
    ours, bare = [], []
    for _ in range(rounds * TURNS):
        ours.append(seconds(lambda: ask(client, path)))
        bare.append(seconds(lambda: ask(keeper, path)))
    return middle(ours), middle(bare), asked
