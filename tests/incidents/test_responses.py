"""Does an incident open data sooner only for who is shown it as a department, and only where it is no exercise?"""

from __future__ import annotations

import pytest

from accounts.actions.proving import Proof
from coordination.events import clock
from incidents.models import Incident
from incidents.queries.responses import open_to, response_of
from sharing import access
from sharing.catalogue.actions import breaking
from tests.catalogue.conftest import ground as ground
from tests.catalogue.ground import Ground
from tests.catalogue.test_rules import joined

pytestmark = pytest.mark.django_db


def test_who_looks_on_by_break_glass_asks_for_nothing_there(ground: Ground) -> None:
    row, who = joined(ground, "health"), ground.actor("fire", "duty_officer")
    breaking.start(
        actor=who, now=clock.now(), proof=Proof(who.id or 0, "code"), reason="The plume drifts to us.",
        incident=row.number,
    )  # fmt: skip
    assert access.scope(who, Incident).filter(pk=row.pk).exists()
    assert (response_of(who, row.pk), open_to(who)) == (None, [])
    assert response_of(ground.actor("health", "duty_officer"), row.pk) == (row.number, True, None)


def test_an_exercise_is_no_open_incident(ground: Ground) -> None:
    row, who = joined(ground, "health"), ground.actor("health", "duty_officer")
    Incident.everything.filter(pk=row.pk).update(exercise=True)
    assert response_of(who, row.pk) == (row.number, False, None)
