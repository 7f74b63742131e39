"""Does hostile input get a clear no from every operation: no fault, no hang, no leak?"""

from __future__ import annotations

import copy
import json
import time
import uuid
from typing import Any

import pytest
from django.conf import LazySettings

from tests.api.test_reading import HOSTILE
from tests.permissions import asking, bodies
from tests.permissions import operations as ops
from tests.permissions.conftest import PLENTY
from tests.permissions.operations import Operation
from tests.permissions.world import World

ME = "centre/commander"
OFFICER = "fire/duty_officer"
# test_reading.py tries them all on the parser; here a few show that every operation reads by it
RAW = (
    *(
        HOSTILE[name]
        for name in ("nul in a value", "lone surrogate in a name", "100,000 deep", "5,000 digits", "1e400")
    ),
    b"[]",
    b"null",
    b"{}" * 2,
)
ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    1.5,
    10**18,
    1e308,
    "",
    "x" * 10_000,
    "0000-00-00",
    "9999-12-31T23:59:59+14:00",
    "<script>alert(1)</script>",
    "'; DROP TABLE incidents_incident; --",
    "\u202e\u0007",
    [],
    [[]],
    [None],
    {},
    {"a": {"b": []}},
    ["x"] * 300,
    "=1+1",
)


def declared(operation: Operation) -> Any:
    return getattr(getattr(operation.view, operation.method.lower(), None), "operation", None)


API = [one for one in ops.operations() if one.route.startswith("api/") and declared(one) is not None]
WRITES = [one for one in API if one.method != "GET" and declared(one).media == "application/json"]
READS = [one for one in API if one.method == "GET"]


@pytest.fixture(autouse=True)
def no_limits(settings: LazySettings) -> None:
    """Nobody is counted here."""
    settings.MUSTER_API_LIMITS = PLENTY


def send(operation: Operation, world: World, raw: bytes, who: str = ME) -> Any:
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    if declared(operation).may_decide:
        headers["If-Match"] = f'"{world.version_of(asking.noun(operation))}.x"'
    client = world.clients[who]
    cookies = copy.deepcopy(client.cookies)  # signing in or out is undone on the server, so in the client too
    began = time.process_time()
    answer = asking.undone(
        lambda: client.generic(
            operation.method, asking.path_of(operation, world, absent=False), raw, content_type="application/json",
            headers=headers | world.headers.get(who, {}),
        )
    )  # fmt: skip
    client.cookies = cookies
    assert time.process_time() - began < 2, "too slow"
    return answer


@pytest.mark.parametrize("operation", WRITES, ids=lambda one: one.key)
def test_hostile_json_is_400_everywhere(operation: Operation, world: World) -> None:
    for raw in RAW:
        answer = send(operation, world, raw)
        assert answer.status_code == 400, (raw[:40], answer.content[:300])
        assert answer["Content-Type"] == "application/problem+json"
        assert b"Traceback" not in answer.content


@pytest.mark.parametrize("operation", [one for one in WRITES if declared(one).body], ids=lambda one: one.key)
def test_no_odd_value_in_any_field_is_a_fault(operation: Operation, world: World) -> None:
    start = WRITES.index(operation)
    for index, name in enumerate(declared(operation).body().fields):
        for turn, odd in enumerate(ODD[(start + index) % 3 :: 3]):
            body = bodies.body_of(operation, world) | {name: odd}
            answer = send(operation, world, json.dumps(body).encode(), (ME, OFFICER)[turn % 2])
            assert answer.status_code < 500, (name, odd, answer.content[:500])


@pytest.mark.parametrize("operation", READS, ids=lambda one: one.key)
def test_no_odd_query_is_a_fault(operation: Operation, world: World) -> None:
    shape = declared(operation).query
    path = asking.path_of(operation, world, absent=False)
    for name in [*(shape().fields if shape else ()), "limit", "cursor", "fields", "nonsense"]:
        for odd in ("", "-1", "9" * 40, "0000-00-00", "1.1", "<script>", "中" * 300):
            query = (bodies.sample(shape(), world) if shape else {}) | {name: odd}
            answer = asking.undone(lambda query=query: world.clients[ME].get(path, query))
            assert answer.status_code < 500, (name, odd)
            if name == "nonsense":
                assert answer.status_code == 400


@pytest.mark.parametrize(
    "broken", [b"", b"--x", b"--x\r\nContent-Disposition: form-data; name=file\r\n\r\nabc", b"\xff" * 200]
)
def test_a_broken_form_is_400(broken: bytes, world: World) -> None:
    answer = world.clients[ME].generic(
        "POST", "/api/v1/attachments", broken, content_type="multipart/form-data; boundary=x",
        headers={"Idempotency-Key": str(uuid.uuid4())},
    )  # fmt: skip
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "kind", ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "x" * 500]
)
def test_a_form_without_a_fit_boundary_is_400(kind: str, world: World) -> None:
    answer = world.clients[ME].generic(
        "POST", "/api/v1/attachments", b"x", content_type=kind, headers={"Idempotency-Key": str(uuid.uuid4())}
    )
    assert answer.status_code in (400, 415)
