"""Has the same thing sent twice one effect, and another thing under the same name none?"""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from coordination.events.models import Event
from tests.input import places, table
from tests.permissions import asking, bodies
from tests.permissions import operations as ops
from tests.permissions.operations import Operation
from tests.permissions.world import World

(REPEATED,), (TWICE,) = table.at("repeated"), table.at("twice")
KEYED = [
    one
    for one in ops.operations()
    if one.method == "POST" and one.declared is not None and one.declared.keyed and not one.declared.public
    and one.declared.media == "application/json" and REPEATED.drawn(one.key)
]  # fmt: skip
FORMS = [
    one
    for one in ops.operations()
    if one.method == "POST" and not one.api and bodies.form_of(one) is not None and TWICE.drawn(one.key)
]


def principals(operation: Operation) -> list[str]:
    """Those who can do it, by the table of permissions; without one, whoever mostly can."""
    row = ops.table().get(ops.key_of(operation))
    kinds = [] if row is None else [
        f"{code}/{kind}"
        for relation, code in (("own", "centre"), ("participating", "fire"))
        for kind in ("commander", "duty_officer", "head", "administrator")
        if ops.expected(row, relation, kind) in places.DONE
    ]  # fmt: skip
    return kinds[:1]


def other(body: dict[str, Any]) -> dict[str, Any] | None:
    """The same body with one text changed; None where there is none to change."""
    for name, value in body.items():
        if isinstance(value, str) and value == "words":
            return body | {name: "other words"}
    return None


@pytest.mark.parametrize("operation", KEYED, ids=lambda one: one.key)
def test_a_key_with_another_body_is_422(operation: Operation, world: World) -> None:
    """B24: and what was asked first stays as it is."""
    for who in principals(operation):
        body = bodies.body_of(operation, world)
        headers = {"Idempotency-Key": str(uuid.uuid4())} | world.headers.get(who, {})
        if operation.declared.may_decide:
            headers["If-Match"] = f'"{world.version_of(asking.noun(operation))}.x"'
        path = asking.path_of(operation, world, absent=False)

        def send(body: Any, headers: dict[str, str], who: str = who, path: str = path) -> Any:
            return world.clients[who].post(path, json.dumps(body), content_type="application/json", headers=headers)

        first = send(body, headers)
        assert first.status_code in places.DONE, first.content
        changed = other(body)
        again = send(changed, headers) if changed else send(body, headers | {"If-Match": '"77.y"'})
        assert (again.status_code, json.loads(again.content)["code"]) == (422, "key_reused")
        repeated = send(body, headers)
        assert (repeated.status_code, repeated.content) == (first.status_code, first.content)
    assert operation.declared.keyed


@pytest.mark.parametrize("operation", FORMS, ids=lambda one: one.key)
def test_a_form_sent_twice_has_one_effect(operation: Operation, world: World) -> None:
    """B27: a double click, or the back button and once more."""
    who = places.who(operation)
    path = asking.path_of(operation, world, absent=False)
    command = str(uuid.uuid4())

    def send() -> int:
        body = bodies.body_of(operation, world) | {"command_id": command}
        answer = world.clients[who].post(path, body, headers=world.headers.get(who))
        assert answer.status_code < 500
        return int(answer.status_code)

    first, events = send(), Event.objects.count()
    second = send()
    assert Event.objects.count() == events
    if first in places.DONE:
        assert second in (*TWICE.answer, 404, 409), second  # done, and with it perhaps out of reach
