"""Do lists, searches and counts tell nothing to those who see none of it?

A list asked about something hidden must answer as if asked about nothing: the same bytes, the same headers.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.permissions import operations as ops
from tests.permissions.asking import Answer, bare, path_of, reading
from tests.permissions.bodies import NOBODYS
from tests.permissions.world import World

ASKERS = ("water/duty_officer", "water/auditor", "water/administrator", "water/client", "water/display")
LISTS = [one for one in ops.operations() if one.api and one.declared and one.declared.listing and "<" not in one.route]
PAGES = ("/search/", "/incidents/", "/instructions/", "/departments/", "/notices/", "/desk/", "/data/")
WORDS = ("canary", "canary-fire", "canary-clear", "码头")


def _queries(one: ops.Operation, world: World) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Pairs of questions: about what is there and hidden, and about what is nowhere."""
    ids = {"incident": "incident_id", "department": "department_id", "instruction": "instruction_id"}
    found: list[tuple[dict[str, Any], dict[str, Any]]] = [({}, {})]
    shape = one.declared.query
    for name in shape().fields if shape else ():
        if name in ids:
            found.append(({name: world.ids[ids[name]]}, {name: NOBODYS}))
        elif name == "q":
            found += [({name: word}, {name: "q" * len(word)}) for word in WORDS]
    return found


@pytest.mark.parametrize("operation", LISTS, ids=lambda one: one.key)
def test_a_list_asked_about_the_hidden_answers_as_about_nothing(operation: ops.Operation, world: World) -> None:
    path = path_of(operation, world, absent=False)
    for principal in ASKERS:
        for there, nowhere in _queries(operation, world):
            hidden, absent = reading(world, principal, path, there), reading(world, principal, path, nowhere)
            _says_nothing(hidden, there, (principal, there))
            if "departments" not in path and "department" not in there:
                assert bare(hidden, _asked(path, there)) == bare(absent, _asked(path, nowhere)), (principal, there)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_searched_for_the_hidden_shows_nothing_of_it(path: str, world: World) -> None:
    for principal in ASKERS[:3]:
        for word in WORDS[:2]:
            found = reading(world, principal, path, {"q": word})
            assert found.status == 200
            _says_nothing(found, {"q": word}, (principal, word))


def test_a_list_of_the_hidden_has_no_items_and_no_further_page(world: World) -> None:
    for route in ("incidents", "instructions", "assignments", "reports", "notices"):
        for principal in (*ASKERS, "centre/administrator", "centre/auditor"):
            found = reading(world, principal, f"/api/v1/{route}", {})
            assert found.status == 200
            assert found.body == b'{"items":[],"next":null}', (route, principal)
            assert "Link" not in found.headers


def _asked(path: str, query: dict[str, Any]) -> str:
    return path + "?" + "&".join(f"{name}={value}" for name, value in query.items())


def _says_nothing(answer: Answer, query: dict[str, Any], about: Any) -> None:
    said = answer.body + repr(answer.headers).encode()
    for word in query.values():
        said = said.replace(str(word).encode(), b"")
    assert b"canary" not in said, (about, said[:2000])
