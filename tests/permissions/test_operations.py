"""Does every operation answer every kind of actor as the table says, and give nothing away?

``MUSTER_RECORD=api/ pytest tests/permissions/test_operations.py -k table`` writes the rows whose route begins so
(``all``: every row) anew from what the code answers now; read the difference before you commit it.
"""

from __future__ import annotations

import os
import re
from typing import Any

import pytest
import yaml
from django.conf import LazySettings

from tests.permissions import operations as ops
from tests.permissions.operations import Operation
from tests.permissions.world import World

READ = ("GET", "HEAD")
PLENTY = {"read": 10**6, "write": 10**6, "loop": 10**6, "sign_in": 10**6}
CANARIES = (
    b"canary-incident",
    b"canary-report",
    b"canary-log",
    b"canary-objective",
    b"canary-file",
    b"canary-instruction",
)
OPERATIONS = ops.operations()


def table() -> dict[tuple[str, str, str], dict[str, Any]]:
    rows = yaml.safe_load(ops.TABLE.read_text(encoding="utf-8")) if ops.TABLE.exists() else []
    return {(row["method"], row["route"], row.get("name", "")): row for row in rows}


ROWS = table()


@pytest.fixture(autouse=True)
def no_limits(settings: LazySettings) -> None:
    """Nobody is counted here."""
    settings.MUSTER_API_LIMITS = PLENTY


def test_the_table_has_a_row_for_each_operation_and_no_other(world: World) -> None:
    if os.environ.get("MUSTER_RECORD"):
        _record(world, os.environ["MUSTER_RECORD"])
    wanted = {(one.method, one.route, one.name) for one in OPERATIONS} | {("WS", route, "") for route in ops.sockets()}
    assert wanted - set(table()) == set(), "operations without a row"
    assert set(table()) - wanted == set(), "rows without an operation"


def _record(world: World, wanted: str) -> None:
    rows = []
    for one in OPERATIONS:
        key = (one.method, one.route, one.name)
        anew = (
            wanted == "all" or one.route.startswith(wanted) or (wanted == "pages" and not one.route.startswith("api/"))
        )
        if anew or (wanted == "missing" and key not in ROWS):
            rows.append(ops.row_of(one, world))
        elif key in ROWS:
            rows.append(ROWS[key])
    rows += [{"method": "WS", "route": route} for route in ops.sockets()]
    text = "".join(f"- {yaml.safe_dump(row, default_flow_style=True, sort_keys=False, width=10_000)}" for row in rows)
    ops.TABLE.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.key)
def test_each_actor_gets_the_listed_answer(operation: Operation, world: World) -> None:
    row = ROWS[(operation.method, operation.route, operation.name)]
    wrong = {}
    foreign: dict[str, bytes] = {}
    for relation, kind, principal in ops.cells(operation):
        answer = ops.ask(operation, world, principal, absent=relation == "absent")
        wanted = ops.expected(row, relation, kind)
        if answer.status_code != wanted:
            wrong[f"{relation} {kind}"] = (wanted, answer.status_code, answer.content_bytes[:200])
        assert answer.status_code < 500, (relation, kind, answer.content_bytes[:500])
        _refused_changes_nothing(operation, answer)
        if relation in ("foreign", "strangers"):
            assert not [one for one in CANARIES if one in answer.content_bytes], (relation, kind)
        if relation == "foreign" and answer.status_code == 404:
            foreign[kind] = answer.content_bytes
        if (
            relation == "absent"
            and answer.status_code == 404
            and kind in foreign
            and operation.route.startswith("api/")
        ):
            assert answer.content_bytes == foreign[kind], "hidden and absent differ"
    assert wrong == {}


def _refused_changes_nothing(operation: Operation, answer: Any) -> None:
    if operation.method in READ:
        assert answer.events == 0, "a read wrote into the log"
    if answer.status_code >= 400:
        assert answer.events == 0, "a refused request left events"
        if (
            operation.route.startswith("api/")
            and operation.method not in READ
            and answer.status_code in (403, 404, 409, 412, 422)
        ):
            assert answer.refusals == 1 or "^" in operation.route, "a refused write must leave one refusal"


@pytest.mark.parametrize(
    "operation", [one for one in OPERATIONS if one.route.startswith("api/")], ids=lambda one: one.key
)
def test_nobody_unknown_gets_in(operation: Operation) -> None:
    row = ROWS[(operation.method, operation.route, operation.name)]
    public = {"api/v1/session", "api/v1/oauth/token", "api/v1/schema", "api/v1/docs", "api/v1/^"}
    if operation.route not in public:
        for stranger in ("anonymous", "expired", "deactivated"):
            assert ops.expected(row, "strangers", stranger) == 401
        for relation, kind, _principal in ops.cells(operation):
            if kind in ("reader", "display") and operation.method != "GET" and relation != "strangers":
                assert ops.expected(row, relation, kind) in (403, 404), (relation, kind)


# who is who, who is on duty and which codes there are is open to every department
OPEN_TO_ALL = re.compile(r"(api/v1/)?(departments|duty|shifts|codes)/")
GUARDED = [one for one in OPERATIONS if "<" in one.route and not OPEN_TO_ALL.match(one.route)]


@pytest.mark.parametrize("operation", GUARDED, ids=lambda one: one.key)
def test_what_is_foreign_is_as_if_it_were_not_there(operation: Operation) -> None:
    row = ROWS[(operation.method, operation.route, operation.name)]
    for kind in ("duty_officer", "client", "display"):
        assert ops.expected(row, "foreign", kind) == ops.expected(row, "absent", kind)
