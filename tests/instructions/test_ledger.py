"""Is every second charged to exactly one party?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordination.deadlines.models import EngineGap
from coordination.instructions import queries
from coordination.instructions.queries.charging import Moment, Part, spread, without_outages
from tests import drawing
from tests.instructions.world import World, build, minutes

T = datetime(2026, 1, 1, tzinfo=UTC)
MICRO = timedelta(microseconds=1)
times = st.integers(0, 10**9).map(lambda n: T + n * MICRO)
parties = st.sampled_from(["platform", "1", "2", "3"])
moments = st.lists(st.builds(Moment, times, parties), min_size=1, max_size=30).map(
    lambda found: sorted(found, key=lambda moment: moment.at)
)
spans = st.lists(st.tuples(times, times).map(lambda pair: (min(pair), max(pair))), max_size=6)


def whole(parts: list[Part], start: datetime, end: datetime) -> None:
    """No gap, no overlap, the parts sum to the whole to the microsecond, neighbours differ."""
    assert sum((part.end - part.start for part in parts), timedelta()) == max(end - start, timedelta())
    if parts:
        assert (parts[0].start, parts[-1].end) == (start, end)
    for a, b in zip(parts, parts[1:], strict=False):
        assert a.end == b.start
        assert a.party != b.party
    assert all(part.start < part.end for part in parts)


@settings(max_examples=drawing.examples(1_000, 3_000), deadline=None)
@given(moments, times, spans)
def test_parts_sum_to_the_whole(line: list[Moment], end: datetime, gaps: list[tuple[datetime, datetime]]) -> None:
    end = max(end, line[-1].at)
    parts = spread(line, end)
    whole(parts, line[0].at, end)
    cut = without_outages(parts, gaps)
    whole(cut, line[0].at, end)
    for part in cut:
        middle = part.start + (part.end - part.start) / 2
        if not any(began <= middle < ended for began, ended in gaps):
            assert part.party == next(moment.party for moment in reversed(line) if moment.at <= middle)
        else:
            assert part.party == "platform"


@pytest.mark.django_db
def test_a_whole_story_is_charged_from_draft_to_close() -> None:
    world: World = build()
    began = world.now
    order = world.draft(targets=world.targets("fire", "police"))
    world.later(minutes(1))
    world.act("submit", order, "centre")
    world.later(minutes(2))
    world.act("approve", order, "centre.approver")
    world.later(minutes(3))
    world.act("issue", order, "centre")
    world.later(minutes(4))
    row = world.acknowledged(order, "fire")
    world.later(minutes(5))
    ask = world.act("ask", row, "fire", kind="clarify", reason="Which?")
    world.later(minutes(6))
    world.act("grant", ask, "centre", answer="The left")
    world.later(minutes(7))
    row = world.act("decline", row, "fire", reason="Not ours")
    world.later(minutes(8))
    heir = world.act("reassign", row, "centre", department=world.id("health"))
    world.later(minutes(9))
    world.act("acknowledge", heir, "health", version=1)
    world.later(minutes(10))
    heir = world.act("feedback", heir, "health", version=1, percent=100, text="Done", final=True, early_reason="Police")
    world.later(minutes(11))
    world.act("evaluate", heir, "centre", accepted=True, outcome="good")
    ended = world.now
    world.later(minutes(30))

    def sums(pk: int) -> tuple[dict[object, float], datetime, datetime]:
        parts = queries.ledger(actor=world.who("centre"), assignment_id=pk, now=world.now)
        found: dict[object, float] = {}
        for part in parts:
            key = part["party"] if part["party"] == "platform" else part["party"]["id"]
            found[key] = found.get(key, 0) + part["seconds"] / 60
        assert all(a["end"] == b["start"] for a, b in zip(parts, parts[1:], strict=False))
        return found, parts[0]["start"], parts[-1]["end"]

    centre, fire, health = world.id("centre"), world.id("fire"), world.id("health")
    mine, start, end = sums(heir.pk)
    assert (start, end) == (began, ended)
    # draft to issue 6, clarify 6, declined 8, evaluation 11; platform 4 before the first and 9 before the second left
    assert mine == {centre: 31, "platform": 13, fire: 12, health: 10}
    before, start, end = sums(row.pk)
    assert (start, end) == (began, heir.created_at + minutes(9))
    assert before == {centre: 20, "platform": 4, fire: 12, health: 9}
    EngineGap.objects.create(began_at=began, ended_at=began + minutes(2))
    assert sums(heir.pk)[0]["platform"] == 15
