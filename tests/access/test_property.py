"""Is ``scope`` the set of what ``decide`` allows, and both what a small model says, whatever happens?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Department
from coordination.events.actor import SYSTEM, Actor
from coordination.instructions.models import Assignment, Instruction
from incidents.models import Incident, LogEntry, Participation
from sharing import access
from sharing.access.actions import emergency
from sharing.access.queries.reasons import reasons
from tests import drawing
from tests.access import model
from tests.access.city import T0, department, incident

pytestmark = pytest.mark.django_db
HOURS = st.integers(0, 30).map(lambda n: timedelta(hours=n))
LEVELS = st.sampled_from([None, 1, 2, 3, 4])
POSTS = st.sampled_from(
    [("commander",), ("head",), ("duty_officer",), ("observer",), ("auditor",), ("administrator",), ()]
)
RIGHTS = ("close", "log", "participation", "share", "attach")
PERSONS = (1, 2)
"""Who acts for each department; what is broken open is open to one of them."""


class World:
    """The same departments and incidents twice: in the database and in the model."""

    def __init__(self, draw: Callable[[Any], Any]) -> None:
        self.draw = draw
        size = draw(st.integers(2, 7))
        parents = [None, *(draw(st.one_of(st.none(), st.integers(0, n - 1))) for n in range(1, size))]
        centres = [draw(st.integers(0, 2)) == 0 for _n in range(size)]
        self.tree = model.Tree(parents, centres)
        self.rows: list[Department] = []
        for n, parent in enumerate(parents):
            kind = "command_centre" if centres[n] else "bureau"
            self.rows.append(department(f"d{n}", self.rows[parent] if parent is not None else None, kind))
        self.departments = st.integers(0, size - 1)
        self.incidents = [incident(self.rows[0], T0 + timedelta(hours=n)) for n in range(draw(st.integers(1, 2)))]
        self.models = [model.Incident(self.tree) for _one in self.incidents]
        self.now = T0

    def step(self) -> None:
        """One thing happens to one incident."""
        n = self.draw(st.integers(0, len(self.incidents) - 1))
        pk, judged, d = self.incidents[n].pk, self.models[n], self.draw(self.departments)
        self.now += self.draw(HOURS)
        what = self.draw(st.sampled_from(["join", "join", "join", "leave", "relevel", "close", "share", "break"]))
        if what == "join":
            role = self.draw(st.sampled_from(["lead", "support", "informed", "reporter"]))
            response = self.draw(LEVELS)
            access.join(
                actor=SYSTEM, incident_id=pk, department_id=self.rows[d].pk, role=role, response_level=response,
                opened_at=self.incidents[n].opened_at, now=self.now,
            )
            judged.join(d, role, response, self.now)
        elif what == "leave":
            access.leave(incident_id=pk, department_id=self.rows[d].pk, now=self.now)
            judged.leave(d, self.now)
        elif what == "relevel":
            response = self.draw(LEVELS)
            access.relevel(incident_id=pk, response_level=response, now=self.now)
            judged.relevel(response, self.now)
        elif what == "close":
            access.close(incident_id=pk, now=self.now)
            judged.close(self.now)
        elif what == "share":
            self._share(pk, judged, d)
        else:
            self._break(n)

    def _break(self, n: int) -> None:
        """Somebody opens an incident for an emergency, which may be made longer, or be taken back."""
        who, until = self.draw(st.sampled_from(PERSONS)), self.now + self.draw(HOURS) + timedelta(minutes=30)
        incident = self.incidents[n]
        grant = emergency.open_incident(
            incident_id=incident.pk, opened_at=incident.opened_at, person_id=who, because="break_glass:1",
            now=self.now, valid_to=until,
        )
        glass = self.models[n].shatter(who, self.now, until)
        then = self.draw(st.sampled_from(["", "", "lengthen", "take back"]))
        if then == "lengthen":
            glass.until = until + timedelta(hours=4)
            assert emergency.lengthen(grant_ids=[grant.pk], until=glass.until) == 1
        elif then == "take back":
            glass.stop(self.now)
            assert emergency.take_back(actor=SYSTEM, grant_ids=[grant.pk], why="enough", now=self.now) == 1

    def _share(self, pk: int, judged: model.Incident, d: int) -> None:
        reach, ceiling = self.draw(st.integers(1, 3)), self.draw(st.integers(1, 3))
        until = self.draw(st.one_of(st.none(), HOURS.map(lambda by: self.now + by + timedelta(hours=1))))
        access.share(
            actor=SYSTEM, incident_id=pk, department_id=self.rows[d].pk, reach=reach, max_class=ceiling,
            valid_to=until, now=self.now,
        )
        judged.share(d, reach, ceiling, until, self.now)

    def children(self) -> list[tuple[Any, int, dict[str, Any]]]:
        """Rows that hang on the incidents, with the number of theirs and what the model must know of each."""
        made: list[tuple[Any, int, dict[str, Any]]] = []
        for n, one in enumerate(self.incidents):
            made.append((one, n, {"reach": 1}))
            writer = self.draw(st.one_of(st.none(), self.departments))
            klass = self.draw(st.integers(1, 4))
            entry = LogEntry.everything.create(
                incident=one, text="x", classification=klass, at=T0,
                department=None if writer is None else self.rows[writer],
            )
            owners = frozenset() if writer is None else frozenset({writer})
            made.append((entry, n, {"reach": 3, "klass": klass, "owners": owners}))
            part = Participation.everything.create(
                incident=one, department=self.rows[self.draw(self.departments)], role="support", joined_at=T0
            )
            made.append((part, n, {"reach": 2}))
            issuer, executing = self.draw(self.departments), self.draw(st.sets(self.departments, max_size=2))
            state, sent = self.draw(
                st.sampled_from(
                    [("draft", None), ("cancelled", None), ("cancelled", T0), ("issued", T0), ("closed", T0)]
                )
            )
            instruction = Instruction.everything.create(
                state=state, incident=one, number=1, issuer=self.rows[issuer], basis="command",
                created_at=T0, moved_at=T0, effective_at=T0, issued_at=sent,
            )
            for d in sorted(executing):
                role = "lead" if d == min(executing) else "support"
                assignment = Assignment.everything.create(
                    instruction=instruction, department=self.rows[d], role=role, due_at=T0, created_at=T0,
                    moved_at=T0, effective_at=T0,
                )
                made.append((assignment, n, {"reach": 3, "owners": frozenset({d, issuer}), "alone": True}))
            owners = frozenset({issuer, *executing})
            kept_by = issuer if sent is None else None
            made.append((instruction, n, {"reach": 3, "owners": owners, "alone": True, "kept_by": kept_by}))
        return made

    def actors(self, posts: tuple[str, ...]) -> list[tuple[int, Actor]]:
        """The persons of each department, with these posts."""
        return [
            (d, Actor("person", who, row.pk, frozenset(posts))) for d, row in enumerate(self.rows) for who in PERSONS
        ]


def pages(actor: Actor, at: datetime) -> list[int]:
    """All pages of the list of incidents, one row each."""
    found, after = [], None
    while True:
        rows, after = access.page(actor, Incident, after=after, size=1, at=at)
        found += [row.pk for row in rows]
        if after is None:
            return found


@settings(
    max_examples=drawing.examples(30, 120),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_scope_decide_and_page_agree_with_the_model(data: st.DataObject) -> None:
    with transaction.atomic():
        drift = _compare(World(data.draw))
        transaction.set_rollback(True)
    assert drift == (0, 0)


def _compare(world: World) -> tuple[int, int]:
    """Compare every actor's rights with the model's; return how far the prepared rows are off."""
    for _n in range(world.draw(st.integers(1, 7))):
        world.step()
    at = world.now + world.draw(HOURS)
    rows = world.children()
    posts = world.draw(POSTS)
    for d, actor in world.actors(posts):
        seen = {}
        for kind in {type(row) for row, _n, _facts in rows}:
            seen[kind] = set(access.scope(actor, kind, at=at).values_list("pk", flat=True))
        for row, n, facts in rows:
            expected = bool(set(posts) & model.VIEWING) and world.models[n].sees(d, at, who=actor.id, **facts)
            told = f"{type(row).__name__} {facts} of incident {n} to {actor.id} of d{d} {posts}"
            assert (row.pk in seen[type(row)]) == expected, f"scope: {told}"
            decision = access.decide(actor, "view", row, at=at)
            assert (decision.allow, decision.seen) == (expected, expected), f"decide: {told}"
            why = reasons(actor, row, at)
            assert why.seen == expected, f"explain: {told} {why.steps}"
            assert bool(why.missing) != expected
            in_force = {one.grant.pk for one in why.grants if one.state == "in_force"}
            assert set(decision.grant_ids) <= in_force
        wanted = sorted(
            (one for one in world.incidents if one.pk in seen[Incident]), key=lambda one: one.opened_at, reverse=True
        )
        assert pages(actor, at) == [one.pk for one in wanted]
        _compare_rights(world, actor, d, at)
    return access.drift(at)


def _compare_rights(world: World, actor: Actor, d: int, at: datetime) -> None:
    for right in RIGHTS:
        allowed = {one.pk for one in world.incidents if access.may(actor, right, one, at=at)}
        assert set(access.scope(actor, Incident, action=right, at=at).values_list("pk", flat=True)) == allowed
        if right == "close":
            commanding = {
                one.pk for one, judged in zip(world.incidents, world.models, strict=True) if judged.commands(d, at)
            }
            assert allowed == (commanding if "commander" in actor.posts else set())
