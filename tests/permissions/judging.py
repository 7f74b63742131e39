"""What must hold of every answer, whoever got it?"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from tests.permissions import operations as ops
from tests.permissions.asking import Answer, ask, bare, path_of
from tests.permissions.operations import Operation
from tests.permissions.world import World

CANARY = b"canary-"  # a queue has a canary too; with the hyphen it is one of the world's texts
READ = ("GET", "HEAD")
# who is who, who is on duty and which codes there are is open to every department
OPEN_TO_ALL = re.compile(r"(api/v1/)?(departments|duty|shifts|codes)/")
# what a reading address may write: a wall was seen
# (and that what is confidential was handed out)
SEEN = {"wall/": {"accounts_display"}} | {
    route: {"events_readentry"}
    for route in (
        "api/v1/datasets", "api/v1/datasets/<str:dataset_id>", "api/v1/datasets/<str:dataset_id>/records", "data/",
        "data/<int:pk>/", "data/<int:pk>/records/", "data/<int:pk>/records/<int:record>/", "data/explain/",
        "api/v1/explain", "api/v1/access-log", "audit/", "audit/exports/<int:pk>/", "data/access-log/",
        "api/v1/datasets/<str:dataset_id>/share-rules", "data/requests/<int:pk>/",
        "api/v1/share-requests/<str:request_id>", "data/sharing/export/",
    )  # fmt: skip
}
REFUSED = (403, 404, 409, 410, 412, 422, 428)


def guarded(operation: Operation) -> bool:
    """Whether the address names an object that only some may know of."""
    names = set(re.findall(r"<(?:\w+:)?(\w+)>", operation.route)) - {"name", "tab", "uid", "token"}
    return bool(names) and not OPEN_TO_ALL.match(operation.route)


def tried(
    operation: Operation, world: World, cells: Iterable[tuple[str, str, str]]
) -> dict[tuple[str, str], Answer]:
    """Return the answer of each of these cells."""
    return {
        (relation, kind): ask(
            operation, world.archive() if relation == "archived" else world, principal, absent=relation == "absent"
        )
        for relation, kind, principal in cells
    }


def differences(row: dict[str, Any], answers: dict[tuple[str, str], Answer]) -> dict[str, Any]:
    """Return {cell: (wanted, got, beginning of the body)} where the table says otherwise."""
    found = {}
    for (relation, kind), answer in answers.items():
        wanted = ops.expected(row, relation, kind)
        if answer.said != wanted:
            found[f"{relation} {kind}"] = (wanted, answer.said, answer.body[:200])
    return found


def check(operation: Operation, world: World, answers: dict[tuple[str, str], Answer]) -> None:
    """What no answer may do, whatever the table says."""
    for cell, answer in answers.items():
        assert answer.status < 500, (cell, answer.body[:500])
        _leaves_nothing(operation, cell, answer)
        if cell[0] in (*ops.HIDDEN, "strangers"):
            said = answer.body + repr(answer.headers).encode()
            assert CANARY not in said, (cell, said[:3000])
    if guarded(operation):
        _hidden_is_absent(operation, world, answers)


def _leaves_nothing(operation: Operation, cell: tuple[str, str], answer: Answer) -> None:
    if operation.method in READ:
        assert answer.changed <= SEEN.get(operation.route, set()), (cell, "a read wrote", answer.changed)
        assert answer.refusals <= 1
        return
    if answer.status >= 400:
        assert not answer.changed, (cell, "a refused request left traces", answer.changed, answer.body[:300])
    if cell[0] == "strangers" and answer.status in (302, 303, 401) or answer.status in (401, 405, 200):
        return
    noting = operation.api and "^" not in operation.route and answer.status in REFUSED
    if operation.route in ops.ACTS and not operation.route.startswith("story/"):
        noting = answer.status in (403, 404, 409)  # a form that cannot be read was never asked to do anything
    if noting:
        assert answer.refusals == 1, (cell, answer.status, answer.refusals, "a refused write leaves one refusal")


def _hidden_is_absent(operation: Operation, world: World, answers: dict[tuple[str, str], Answer]) -> None:
    """To whom a thing is hidden it is as if it were not there, to the byte, in body and headers."""
    there, nowhere = (path_of(operation, world, absent=absent) for absent in (False, True))
    kinds = [kind for relation, kind in answers if relation == "foreign"]
    for kind in kinds:
        for relation in ops.HIDDEN:
            # asked by the same person: a page says whose it is
            principal = f"{ops.RELATIONS[relation]}/{kind}"
            foreign = relation == "foreign"
            nothing = answers["absent", kind] if foreign else ask(operation, world, principal, absent=True)
            hidden, absent = bare(answers[relation, kind], there), bare(nothing, nowhere)
            if (hidden[0], absent[0]) != (200, 200) or operation.method in READ:
                assert hidden == absent, (relation, kind)
    for relation in ("own", "participating", "shared"):
        for kind in kinds:
            answer = answers[relation, kind]
            if answer.status == 404:
                absent = ask(operation, world, f"{ops.RELATIONS[relation]}/{kind}", absent=True)
                assert bare(answer, there) == bare(absent, nowhere), (relation, kind)
