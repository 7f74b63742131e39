"""Is open, at each moment of a moved clock, what the rules say of who takes part, with no job ever run?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coordination.events.actor import SYSTEM, Actor
from sharing import access
from sharing.access import fields as masks
from sharing.access import filters
from sharing.access.queries.sight import Unseen
from sharing.catalogue.models import Code
from tests import drawing
from tests.access.city import T0, department, incident
from tests.access.model import Tree
from tests.access.rule_model import History, Rule
from tests.access.test_records import CLASSES, FEW, HIDES, ROWS, WEST

pytestmark = pytest.mark.django_db
DATASET = 7
ROLES = ["lead", "support", "informed"]
STEPS = ["join", "join", "join", "leave", "level", "level", "kind", "close", "reopen", "merge", "make", "make", "end"]
LATER = st.sampled_from([1, 4, 6, 23, 25]).map(lambda n: timedelta(hours=n))
HOURS = st.sampled_from([0, 1, 3, 7, 30]).map(lambda n: timedelta(hours=n))
RULES = st.fixed_dictionaries(
    {
        "role": st.sampled_from(ROLES),
        "fields": st.dictionaries(st.sampled_from(["name", "beds"]), st.sampled_from(HIDES), min_size=1),
        "filter": st.sampled_from([{}, FEW, WEST]),
        "ceiling": st.sampled_from([2, 2, 2, 3]),
        "type_path": st.sampled_from(["", "", "accident", "accident.fire", "accident.f"]),
        "lowest_level": st.sampled_from([4, 4, 2, 1]),
        "grace": st.sampled_from([None, None, timedelta(0), timedelta(hours=5)]),
        "personal": st.sampled_from([False, False, True]),
    }
)


class World:
    """The same departments, incidents and rules twice: in the database and as a history."""

    def __init__(self, draw: Callable[[Any], Any]) -> None:
        self.draw = draw
        size = draw(st.integers(2, 4))
        parents = [None, *(draw(st.one_of(st.none(), st.integers(0, n - 1))) for n in range(1, size))]
        centres = [draw(st.integers(0, 2)) == 0 for _n in range(size)]
        self.rows: list[Any] = []
        for n, parent in enumerate(parents):
            kind = "command_centre" if centres[n] else "bureau"
            self.rows.append(department(f"r{n}", self.rows[parent] if parent is not None else None, kind))
        self.departments = st.integers(0, size - 1)
        self.incidents = [incident(self.rows[0]) for _n in range(draw(st.integers(1, 2)))]
        self.told: list[History] = []
        for one in self.incidents:
            one.exercise = draw(st.integers(0, 3)) == 0
            one.save()
            self.told.append(History(Tree(parents, centres), one.exercise))
            self.told[-1].add(T0)
        self.merged: set[int] = set()
        self.rules: list[int] = []
        self.now = T0

    def begin(self) -> None:
        """Some rules stand, and somebody takes part."""
        for _n in range(self.draw(st.integers(1, 4))):
            self.make(self.incidents[0], self.told[0])
        for row, told in zip(self.incidents, self.told, strict=True):
            self.join(row, told)

    def step(self) -> None:
        """One thing happens."""
        self.now += self.draw(HOURS)
        n = self.draw(st.integers(0, len(self.incidents) - 1))
        getattr(self, self.draw(st.sampled_from(STEPS)))(self.incidents[n], self.told[n])

    def _take_part(self, row: Any, parts: dict[int, str]) -> None:
        for d, role in parts.items():
            access.join(
                actor=SYSTEM, incident_id=row.pk, department_id=self.rows[d].pk, role=role,
                response_level=row.response_level, opened_at=row.opened_at, now=self.now,
            )

    def join(self, row: Any, told: History) -> None:
        """A department joins, or gets another role."""
        d, role = self.draw(self.departments), self.draw(st.sampled_from(ROLES))
        if told.now.open:
            self._take_part(row, {d: role})
            told.add(self.now, parts=told.now.parts | {d: role})

    def leave(self, row: Any, told: History) -> None:
        """A department leaves."""
        d = self.draw(self.departments)
        if told.now.open and d in told.now.parts:
            access.leave(incident_id=row.pk, department_id=self.rows[d].pk, now=self.now)
            told.add(self.now, parts={one: role for one, role in told.now.parts.items() if one != d})

    def level(self, row: Any, told: History) -> None:
        """Another response level."""
        if told.now.open:
            row.response_level = self.draw(st.sampled_from([None, 1, 2, 3, 4]))
            row.save()
            access.relevel(incident_id=row.pk, response_level=row.response_level, now=self.now)
            told.add(self.now, level=row.response_level)

    def kind(self, row: Any, told: History) -> None:
        """It turns out to be something else."""
        if told.now.open:
            row.type = self.draw(st.sampled_from(["accident", "accident.fire", "accident.fire.wood", "natural"]))
            row.save()
            access.follow_head(incident_ids=[row.pk], now=self.now)
            told.add(self.now, kind=row.type)

    def close(self, row: Any, told: History) -> None:
        """It is closed."""
        if told.now.open:
            row.closed_at = self.now
            row.save()
            access.close(incident_id=row.pk, now=self.now)
            told.add(self.now, open=False)

    def reopen(self, row: Any, told: History) -> None:
        """It goes on."""
        if not told.now.open and row.pk not in self.merged:
            row.closed_at = None
            row.save()
            self._take_part(row, told.now.parts)
            told.add(self.now, open=True)

    def merge(self, row: Any, told: History) -> None:
        """It turns out to be the same as the other: whoever took part in either takes part in that one."""
        others = [(one, said) for one, said in zip(self.incidents, self.told, strict=True) if one.pk != row.pk]
        if others and told.now.open and others[0][1].now.open:
            survivor, said = others[0]
            row.closed_at, row.merged_into = self.now, survivor
            row.save()
            self.merged.add(row.pk)
            access.follow_head(incident_ids=[row.pk, survivor.pk], now=self.now)
            told.add(self.now, open=False)
            moved = {d: role for d, role in told.now.parts.items() if d not in said.now.parts}
            self._take_part(row, said.now.parts)
            self._take_part(survivor, moved)
            said.add(self.now, parts=said.now.parts | moved)

    def make(self, _row: Any, _told: History) -> None:
        """A steward makes a rule, from now on or from later on, for good or for some hours."""
        said, later = self.draw(RULES), self.draw(st.sampled_from([timedelta(0), timedelta(0), timedelta(hours=9)]))
        lasts = self.draw(st.sampled_from([None, None, timedelta(hours=20)]))
        since, owner = self.now + later, self.draw(self.departments)
        until = since + lasts if lasts else None
        rule, _concerned = access.make_rule(
            actor=SYSTEM, dataset_id=DATASET, department_id=self.rows[owner].pk, now=self.now,
            terms=access.RuleTerms(
                role=said["role"], fields=said["fields"], max_class=said["ceiling"], filter=said["filter"],
                type_path=said["type_path"], lowest_level=said["lowest_level"], valid_from=since, valid_to=until,
                grace=None if said["grace"] is None else int(said["grace"].total_seconds()),
                personal=said["personal"],
            ),
        )
        self.rules.append(rule.pk)
        self._say(rule.pk, Rule(**said, since=since, until=until, owner=owner))

    def end(self, _row: Any, _told: History) -> None:
        """A steward ends a rule."""
        if self.rules:
            pk = self.draw(st.sampled_from(self.rules))
            access.end_rules(actor=SYSTEM, rule_ids=[pk], why="over", now=self.now)
            old = self.told[0].now.rules[pk]
            self._say(pk, replace(old, until=min(old.until or self.now, self.now)))

    def _say(self, pk: int, rule: Rule) -> None:
        for told in self.told:
            told.add(self.now, rules=told.now.rules | {pk: rule})

    def expected(self, d: int, at: Any) -> dict[str, dict[str, str]]:
        """What of each record a department sees: how each field is shown."""
        ways = [rule for told in self.told for rule in told.open_to(d, at)]
        found = {}
        for number, row in enumerate(ROWS):
            mine = [way for way in ways if filters.opens(way.filter, row)]
            best: dict[str, tuple[int, str]] = {}
            for name, rule in ((name, rule) for way in mine for name, rule in way.fields.items()
                               if CLASSES[name] <= way.ceiling):
                kind = rule if isinstance(rule, str) else rule["mask"]
                best[name] = min(best.get(name, (99, "")), (masks.RANKS[kind], kind))
            if mine:
                found[str(number)] = {name: kind for name, (_rank, kind) in best.items() if name in row}
        return found


def shown(actor: Actor, at: Any) -> dict[str, dict[str, str]]:
    """The same as it is answered: full, or masked."""
    try:
        held = access.held(actor, DATASET, at)
    except Unseen:
        return {}
    rows = held.rows(Code.objects.filter(table="records").order_by("code"))
    return {
        row["code"]: {name: "masked" if name in row["masked"] else "full" for name in row["data"]}
        for row in held.shown(rows.values(), CLASSES)
    }


def plainly(found: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Masked, whatever by."""
    return {
        code: {name: "full" if kind == "full" else "masked" for name, kind in fields.items()}
        for code, fields in found.items()
    }


@settings(
    max_examples=drawing.examples(50, 400), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_what_is_open_is_what_the_rules_say_at_each_moment(data: st.DataObject) -> None:
    found = {}
    with transaction.atomic():
        Code.objects.bulk_create(Code(table="records", code=str(n), data=one) for n, one in enumerate(ROWS))
        world = World(data.draw)
        world.begin()
        for number in range(data.draw(st.integers(4, 12))):
            world.step()
            for at in (world.now, world.now + data.draw(LATER)):
                for d, row in enumerate(world.rows):
                    actor = Actor("person", 1, row.pk, frozenset({"commander"}))
                    found[number, at, d] = shown(actor, at), plainly(world.expected(d, at))
        off = access.drift(world.now)
        transaction.set_rollback(True)
    assert {where: got for where, (got, _wanted) in found.items()} == {
        where: wanted for where, (_got, wanted) in found.items()
    }
    assert off == (0, 0)
