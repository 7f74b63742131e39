"""Do lists cost the same at every size, and does every offered action lead somewhere?"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import resolve

from coordination.events import clock
from coordination.instructions import actions as loop
from incidents import actions as incidents
from tests.permissions.world import World

Speak = Callable[[str], Any]


def more(world: World, count: int) -> None:
    """Add instructions with parts and feedback, incidents and reports."""
    now = clock.now()
    commander, officer = world.actor("centre/commander"), world.actor("fire/duty_officer")
    for n in range(count):
        incidents.receive_report(actor=officer, now=now, channel="hotline", text=f"more smoke {n}")
        incidents.open_incident(
            actor=commander, now=now, type="accident.fire", headline_zh=f"火灾{n}", headline_en=f"Fire {n}",
            lead_department_id=world.departments["centre"].pk,
            commander_department_id=world.departments["centre"].pk,
        )  # fmt: skip
        order = loop.draft(
            actor=world.actor("centre/duty_officer"), now=now, incident_id=world.ids["incident_id"],
            headline_zh=f"冷却{n}", headline_en=f"Cool {n}", text="Cool.", what=f"tank {n}", urgency="immediate",
            due_at=now + timedelta(hours=2), targets=[{"department": world.departments["fire"].pk, "role": "lead"}],
        )  # fmt: skip
        loop.issue_first(actor=commander, now=now, instruction_id=order.pk, reason="fire spreads")
        part = order.assignments.get()
        loop.acknowledge(actor=officer, now=now, assignment_id=part.pk, version=1)
        loop.start(actor=officer, now=now, assignment_id=part.pk, who_goes="a team")
        loop.feedback(actor=officer, now=now, assignment_id=part.pk, version=1, percent=10, text="begun")


@pytest.mark.parametrize(
    "path",
    ["/incidents", "/instructions", "/assignments", "/reports", "/duty", "/departments", "/search?q=smoke",
     "/incidents/{incident_id}", "/incidents/{incident_id}/timeline", "/incidents/{incident_id}/log", "/notices"],
)  # fmt: skip
def test_a_list_asks_the_database_as_often_at_every_size(path: str, world: World, speak: Speak) -> None:
    me = speak("centre/commander")
    address = path.format(**world.ids)

    def asked() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert me.get(address).status_code == 200
        return len(queries)

    more(world, 1)
    asked()
    few = asked()
    more(world, 4)
    assert asked() <= few


def walk(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield from value.get("allowed_actions", [])
        for inner in value.values():
            yield from walk(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from walk(inner)


@pytest.mark.parametrize(
    "who", ["centre/commander", "centre/duty_officer", "centre/head", "fire/duty_officer", "fire/client"]
)
def test_every_offered_action_leads_to_an_operation_that_takes_its_fields(who: str, world: World, speak: Speak) -> None:
    me = speak(who)
    offered = 0
    for path in ("/incidents/{incident_id}", "/instructions/{instruction_id}", "/assignments/{assignment_id}",
                 "/asks/{ask_id}", "/reports/{report_id}", "/instructions/{draft_id}"):  # fmt: skip
        answer = me.get(path.format(**world.ids))
        for action in walk(answer.json()) if answer.status_code == 200 else ():
            offered += 1
            view = resolve(action["href"]).func.cls
            operation = view.post.operation
            known = set(operation.body().fields) if operation.body else set()
            assert {field["name"] for field in action["fields"]} <= known, action
            assert operation.decides == action["if_match"], action
    assert offered


def test_an_offered_action_is_not_forbidden(world: World, speak: Speak) -> None:
    """What is offered may be done: a wrong field is the worst that can stand in its way."""
    for who in ("centre/commander", "fire/duty_officer", "fire/client"):
        me = speak(who)
        for kind in ("instruction", "assignment", "ask"):
            seen = me.get(f"/{kind}s/{world.ids[f'{kind}_id']}")
            for action in seen.json()["allowed_actions"]:
                answer = me.client.post(
                    action["href"], json.dumps({}), content_type="application/json",
                    headers=me.headers | {"Idempotency-Key": str(uuid.uuid4()), "If-Match": '"0.x"'},
                )  # fmt: skip
                assert answer.status_code not in (403, 404, 409), (who, action["action"], answer.content)
