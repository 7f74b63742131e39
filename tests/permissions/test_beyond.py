"""What does the table's one object of a kind not show: drafts, another's part, what a roster says to whom?"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from accounts import queries as accounts
from coordination.events import clock
from coordination.events.actor import Actor
from tests.permissions.asking import reading
from tests.permissions.world import World


@pytest.mark.parametrize(
    ("principal", "status"),
    [
        ("centre/duty_officer", 200),
        ("centre/observer", 200),
        ("centre/client", 200),
        ("centre/administrator", 404),
        ("fire/commander", 404),
        ("health/head", 404),
        ("fire/client", 404),
        ("centre/display", 404),
        ("water/commander", 404),
    ],
)
def test_a_draft_stays_with_whoever_writes_it(principal: str, status: int, world: World) -> None:
    path = f"/api/v1/instructions/{world.ids['draft_id']}"
    found = reading(world, principal, path, {})
    assert found.status == status, found.body
    assert status == 200 or b"canary" not in found.body


@pytest.mark.parametrize(
    ("principal", "status"), [("fire/commander", 403), ("centre/commander", 200), ("health/commander", 409)]
)
def test_the_part_of_another_department_is_not_ones_own_to_change(principal: str, status: int, world: World) -> None:
    body = {"department": world.departments["health"].pk, "state": "stood_down" if status != 409 else "unknown"}
    if status == 409:
        body["state"] = "alerted"
    answer = world.clients[principal].post(
        f"/api/v1/incidents/{world.ids['incident_id']}/participations/change",
        json.dumps(body),
        content_type="application/json",
        headers={"Idempotency-Key": "00000000-0000-4000-8000-000000000001"},
    )
    assert answer.status_code == status, answer.content


def _roster(world: World, principal: str) -> dict[str, Any]:
    found = reading(world, principal, f"/api/v1/departments/{world.ids['department_id']}/roster", {})
    assert found.status == 200
    return dict(json.loads(found.body)["items"][0])


def test_a_hand_over_note_is_read_by_those_it_concerns_and_who_is_on_duty_by_all(world: World) -> None:
    mine, theirs = _roster(world, "centre/observer"), _roster(world, "fire/commander")
    assert (mine["note"], theirs["note"]) == ("canary-handover", "")
    assert mine["person"] == theirs["person"]
    assert _roster(world, "centre/client")["note"] == "canary-handover"
    page = reading(world, "fire/commander", f"/duty/{world.ids['department_id']}/", {})
    assert page.status == 200
    assert b"canary" not in page.body


def test_a_hand_over_note_is_read_from_above_and_not_from_below(world: World) -> None:
    now = clock.now()

    def notes(code: str) -> list[str]:
        actor = Actor("person", 1, world.departments[code].pk, frozenset({"head"}))
        rows = accounts.roster(actor, world.departments["centre"].pk, now, now + timedelta(days=1))
        return [row.note for row in rows]

    assert notes("city") == ["canary-handover"]
    assert notes("firej") == [""]
