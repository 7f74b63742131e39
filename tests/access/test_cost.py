"""What does it cost to ask, at two sizes?"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import Q

from coordination.events.actor import SYSTEM
from coordination.events.refused import Invalid
from incidents.models import Incident, LogEntry, Participation
from sharing import access
from sharing.access.queries import paging
from tests.access.city import T0, department, incident, person

pytestmark = pytest.mark.django_db


def fill(size: int) -> tuple[object, list[Incident]]:
    """A department that takes part in ``size`` incidents, each opened a minute later, and as many it does not see."""
    root = department("root", kind="district")
    lead, other = department("lead", root), department("other", root)
    made = []
    for n in range(size):
        for who in (lead, other):
            one = incident(who, T0 + timedelta(minutes=n))
            access.join(
                actor=SYSTEM, incident_id=one.pk, department_id=who.pk, role="lead", response_level=4,
                opened_at=one.opened_at, now=T0,
            )
            LogEntry.everything.create(incident=one, text="x", at=T0)
            Participation.everything.create(incident=one, department=who, role="lead", joined_at=T0)
            if who is lead:
                made.append(one)
    return person(lead), made


@pytest.mark.parametrize("size", [3, 40])
def test_reads_cost_the_same_at_any_size(size: int, django_assert_num_queries) -> None:
    actor, made = fill(size)
    with django_assert_num_queries(1):
        assert access.scope(actor, Incident, at=T0).count() == size
    with django_assert_num_queries(1):
        assert len(access.scope(actor, LogEntry, at=T0)) == size
    with django_assert_num_queries(1):
        assert access.get(actor, Incident, made[0].pk, now=T0) == made[0]
    with django_assert_num_queries(2):
        rows, _after = access.page(actor, Incident, size=20, at=T0)
    assert rows == made[::-1][:20]
    with django_assert_num_queries(1):
        assert len(access.readable(actor, [f"incident:{one.pk}" for one in made], T0)) == size
    with django_assert_num_queries(1):
        assert access.decide(actor, "close", made[0], at=T0).allow


@pytest.mark.parametrize("depth", [2, 12])
def test_joining_costs_the_same_at_any_depth(depth: int, django_assert_max_num_queries) -> None:
    above = None
    for n in range(depth):
        above = department(f"d{n}", above)
    one = incident(above)
    with django_assert_max_num_queries(20):
        access.join(
            actor=SYSTEM, incident_id=one.pk, department_id=above.pk, role="lead", response_level=4,
            opened_at=one.opened_at, now=T0,
        )
    assert len(access.readers_of(one.pk, T0)) == depth


@pytest.mark.parametrize("size", [3, 40])
def test_filtered_lists_cost_the_same_at_any_size(size: int, django_assert_num_queries, monkeypatch) -> None:
    actor, made = fill(size)
    even = [one.pk for one in made[::2]]
    with django_assert_num_queries(2):
        rows, _after = access.page(actor, Incident, queryset_filter=Q(pk__in=even), size=50, at=T0)
    assert [row.pk for row in rows] == even[::-1]
    monkeypatch.setattr(paging, "CANDIDATES", 2)
    for wanted in (Q(pk__in=even), lambda rows: rows.filter(pk__in=even)):
        found, after = [], None
        while True:
            rows, after = access.page(actor, Incident, queryset_filter=wanted, after=after, size=1, at=T0)
            found += [row.pk for row in rows]
            if after is None:
                break
        assert found == even[::-1]


def test_pages_follow_each_other_without_gap_or_double() -> None:
    actor, made = fill(7)
    found, after = [], None
    while True:
        rows, after = access.page(actor, Incident, after=after, size=3, at=T0)
        found += rows
        if after is None:
            break
    assert found == made[::-1]
    rows, after = access.page(actor, LogEntry, size=3, at=T0)
    assert len(rows) == 3
    more, _after = access.page(actor, LogEntry, after=after, size=50, at=T0)
    assert len(more) == 4
    assert not {row.pk for row in rows} & {row.pk for row in more}


@pytest.mark.parametrize(
    "after",
    [
        "x", [1], ["x", 1], ["2026-01-01", 1], {"a": 1},
        *([T0.isoformat(), last] for last in ("1", -1, True, 2**70)),
    ],
)
def test_a_cursor_of_somebody_else_is_refused(after: object) -> None:
    actor, _made = fill(1)
    with pytest.raises(Invalid) as refused:
        access.page(actor, Incident, after=after, at=T0)
    assert refused.value.code == "bad_cursor"
