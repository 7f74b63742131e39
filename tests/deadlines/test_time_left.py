"""Whatever is held, paused, resumed and swept in whatever order: is each second counted once?"""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coordination.deadlines import actions, engine
from tests.deadlines.city import City, arm, steps

TERM = 600.0
acts = st.one_of(
    st.tuples(st.just("pass"), st.integers(1, 400)),
    *(st.tuples(st.just(name), st.just(0)) for name in ("hold", "resume", "pause", "go_on")),
)


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=st.lists(acts, max_size=25))
def test_a_deadline_fires_when_its_running_time_is_over_and_only_then(city: City, plan: list[tuple[str, int]]) -> None:
    incident = city.incident()
    arm(incident, city.now, TERM, ladder=[[0, "remind_duty"]])
    at, left, held, paused, fired = city.now, TERM, False, False, False
    for act, amount in plan:
        if act == "pass":
            at += timedelta(seconds=amount)
            if not held and not paused:
                left -= amount
        elif act == "hold":
            actions.hold(subject=incident, why="asked", now=at)
            held = True
        elif act == "resume":
            actions.resume(subject=incident, now=at)
            held = False
        elif act == "pause":
            actions.hold_incident(incident.pk, at)
            paused = True
        else:
            actions.resume_incident(incident.pk, at)
            paused = False
        engine.sweep(at)
        fired = fired or (left <= 0 and not held and not paused)
        assert steps(incident) == (["remind_duty"] if fired else [])
