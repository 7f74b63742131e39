"""Do ``scope``, ``decide``, ``page``, ``held`` and the explanation of records agree with a small model?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Department, Display
from coordination.events.actor import SYSTEM, Actor
from sharing import access
from sharing.access.actions.opening import Holder, Terms
from sharing.access.models import Grant, Scope
from sharing.access.queries.reasons import reasons
from sharing.catalogue.models import Dataset, Record
from tests import drawing
from tests.access.city import T0, department
from tests.access.model import Tree
from tests.access.opened_model import Given, Looker, best

pytestmark = pytest.mark.django_db
CLASSES = {"name": 1, "beds": 2, "phone": 3, "patient": 4}
ROWS = [
    {"name": "North", "beds": 3, "phone": "13900000001", "patient": "Li"},
    {"name": "South", "beds": 40, "phone": "13900000002", "patient": "Wu"},
    {"name": "West", "beds": None, "phone": "13900000003"},
]
HIDES = st.sampled_from(["full", {"mask": "partial", "end": 2}, {"mask": "null"}, {"mask": "pseudonym"}])
FILTERS = st.sampled_from(
    [{}, {"field": "beds", "op": "lt", "value": 10}, {"field": "name", "op": "in", "value": ["West", "South"]}]
)
HOURS = st.integers(0, 4).map(lambda n: timedelta(hours=n))
POSTS = ("commander", "data_steward", "observer", "auditor", "administrator")


class World:
    """Departments, two datasets with records, and grants on them: in the database and in the model."""

    def __init__(self, draw: Callable[[Any], Any]) -> None:
        self.draw = draw
        size = draw(st.integers(2, 5))
        parents = [None, *(draw(st.one_of(st.none(), st.integers(0, n - 1))) for n in range(1, size))]
        self.tree = Tree(parents, [False] * size)
        self.rows: list[Department] = []
        for n, parent in enumerate(parents):
            self.rows.append(department(f"d{n}", self.rows[parent] if parent is not None else None))
        self.departments = st.integers(0, size - 1)
        self.wall = draw(self.departments)
        self.display = Display.objects.create(department=self.rows[self.wall], name="wall")
        self.datasets = [
            Dataset.objects.create(
                code=f"s{n}", title_en="x", department=self.rows[0], frequency="daily", listed_at=T0
            )
            for n in range(2)
        ]
        self.records = [
            (n, row, Record.everything.create(dataset=one, key=str(k), data=row, since=1))
            for n, one in enumerate(self.datasets)
            for k, row in enumerate(ROWS)
        ]
        self.given = [self._give() for _n in range(draw(st.integers(0, 6)))]
        self._retire()

    def _holder(self) -> tuple[tuple[str, Any], Holder]:
        kind = self.draw(st.sampled_from(["department", "subtree", "post", "person", "display", "every_department"]))
        d = self.draw(self.departments)
        pk = self.rows[d].pk
        if kind == "post":
            post = self.draw(st.sampled_from(POSTS))
            return (kind, (d, post)), Holder(kind, f"{pk}/{post}")
        if kind == "person":
            number = self.draw(st.integers(1, 2))
            return (kind, number), Holder(kind, str(number))
        if kind == "display":
            return (kind, self.display.pk), Holder(kind, str(self.display.pk))
        if kind == "every_department":
            return (kind, None), Holder(kind, "")
        return (kind, d), Holder(kind, str(pk))

    def _give(self) -> Given:
        draw = self.draw
        key, holder = self._holder()
        since = T0 + draw(HOURS)
        made = Given(
            dataset=draw(st.integers(0, 1)), holder=key,
            fields=draw(st.dictionaries(st.sampled_from(sorted(CLASSES)), HIDES, min_size=1)),
            ceiling=draw(st.integers(1, 4)), rows=draw(FILTERS), since=since,
            until=draw(st.one_of(st.none(), HOURS.map(lambda by: since + by))),
        )
        (grant,) = access.open_dataset(
            dataset_id=self.datasets[made.dataset].pk, holders=[holder],
            terms=Terms(
                fields=made.fields, max_class=made.ceiling, source="agreement", valid_from=since,
                valid_to=made.until, filter=made.rows,
            ),
        )
        if draw(st.integers(0, 3)) == 0:
            made.revoked = T0 + draw(HOURS)
            access.close_dataset(actor=SYSTEM, grant_ids=[grant.pk], why="x", now=made.revoked)
        return made

    def _retire(self) -> None:
        """Take one holder away with all that it holds."""
        if self.given and self.draw(st.integers(0, 3)) == 0:
            gone = self.draw(st.sampled_from(self.given)).holder
            scopes = {pk: kept for kept, pk in zip(self.given, Grant.objects.order_by("pk").values_list("scope"),
                                                   strict=True)}
            wanted = [pk for (pk,), kept in scopes.items() if kept.holder == gone]
            Scope.objects.filter(pk__in=wanted).update(retired_at=T0)
            for one in self.given:
                one.retired = one.retired or one.holder == gone

    def lookers(self) -> list[tuple[Looker, Actor]]:
        """Two persons of each department, a system of each, and the wall."""
        found = []
        for d, row in enumerate(self.rows):
            for number in (1, 2):
                posts = tuple(sorted(self.draw(st.sets(st.sampled_from(POSTS), max_size=2))))
                actor = Actor("person", number, row.pk, frozenset(posts))
                found.append((Looker("person", number, d, posts), actor))
            found.append((Looker("client", 7, d), Actor("client", 7, row.pk)))
        wall = Actor("display", self.display.pk, self.rows[self.wall].pk)
        return [*found, (Looker("display", self.display.pk, self.wall), wall)]


def pages(actor: Actor, model: Any, at: Any) -> list[int]:
    """All pages, one row each."""
    found, after = [], None
    while True:
        rows, after = access.page(actor, model, after=after, size=1, at=at)
        found += [row.pk for row in rows]
        if after is None:
            return found


@settings(
    max_examples=drawing.examples(15, 80), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_all_that_answers_for_datasets_and_records_agrees_with_the_model(data: st.DataObject) -> None:
    with transaction.atomic():
        seen = _compare(World(data.draw))
        transaction.set_rollback(True)
    assert all(seen)


def _compare(world: World) -> list[bool]:
    at = T0 + world.draw(HOURS)
    agreed = []
    for looker, actor in world.lookers():
        holding = [one for one in world.given if one.holds(looker, world.tree, at)]
        for model, rows in _expected(world, holding).items():
            wanted = {row.pk for row, ways in rows if ways}
            told = f"{model.__name__} to {looker}: {[(row.pk, len(ways)) for row, ways in rows]}"
            assert set(access.scope(actor, model, at=at).values_list("pk", flat=True)) == wanted, f"scope: {told}"
            assert pages(actor, model, at) == sorted(wanted, reverse=True), f"page: {told}"
            for row, ways in rows:
                decision = access.decide(actor, "view", row, at=at)
                assert (decision.allow, decision.seen, len(decision.grant_ids)) == (bool(ways), bool(ways), len(ways))
                assert not access.decide(actor, "close", row, at=at).allow
                why = reasons(actor, row, at, CLASSES)
                assert why.seen == bool(ways), f"explain: {told} {why.steps}"
                shown = {one.name: one.shown for one in why.fields}
                assert shown == {
                    name: best([one.field(name, level, looker) for one in ways]) for name, level in CLASSES.items()
                }, told
                agreed.append(True)
        agreed.append(_held_agrees(world, actor, at))
    return agreed


def _expected(world: World, holding: list[Given]) -> dict[Any, list[tuple[Any, list[Given]]]]:
    """Every dataset and record with the grants that open it."""
    return {
        Dataset: [
            (row, [one for one in holding if one.dataset == n]) for n, row in enumerate(world.datasets)
        ],
        Record: [
            (row, [one for one in holding if one.dataset == n and one.shows(plain)])
            for n, plain, row in world.records
        ],
    }


def _held_agrees(world: World, actor: Actor, at: Any) -> bool:
    """What is handed out of the records is the rows of ``scope``, with the fields that the explanation names."""
    for row in world.datasets:
        records = Record.everything.filter(dataset=row).order_by("pk")
        try:
            held = access.held(actor, row.pk, at)
        except access.Unseen:
            assert not access.scope(actor, Record, at=at).filter(dataset=row).exists()
            continue
        shown = list(held.shown(held.rows(records).values(), CLASSES))
        assert [one["id"] for one in shown] == list(
            access.scope(actor, Record, at=at).filter(dataset=row).order_by("pk").values_list("pk", flat=True)
        )
        for one in shown:
            told = reasons(actor, records.get(pk=one["id"]), at, CLASSES).fields
            there = {field.name for field in told if field.shown != "absent"}
            masked = {field.name for field in told if field.shown not in ("absent", "full")}
            assert set(one["data"]) == there & set(records.get(pk=one["id"]).data)
            assert set(one["masked"]) == masked
    return True
