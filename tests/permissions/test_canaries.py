"""Does any answer, to anybody, in any state of a grant, hold a value that is not theirs?

Every reading address is asked about the dataset by every kind of actor (some, drawn by the seed; all with
``MUSTER_CELLS=all``), then by questions that try to have a hidden value told: filters, sorting, searching, counting.
"""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from coordination.events import clock
from sharing.catalogue import actions as catalogue
from tests import drawing
from tests.permissions import operations as ops
from tests.permissions.asking import Answer, ask, reading
from tests.permissions.bodies import NOBODYS
from tests.permissions.lent import FIELDS, STATES, Lent, lend, value
from tests.permissions.world import POSTS, World

READS = [one for one in ops.operations() if one.method == "GET"]
DATA = ("records", "dataset", "data", "grant", "transfer", "share", "export", "access-log", "explain", "audit")
PARTS = 16 if drawing.whole() else 1
"""In how many tests the addresses are asked, so that none takes minutes."""
KEPT = {"catalogue_record"}
"""The one table in which the values stand."""


@pytest.fixture
def about(world: World) -> tuple[World, Lent]:
    """The world, in which addresses of datasets are those of the one lent."""
    lent = lend(world)
    return replace(world, ids=world.ids | {"dataset_id": lent.dataset_id, "data_id": lent.dataset_id}), lent


def _kinds(key: str, code: str, *, closely: bool) -> list[str]:
    known = [*POSTS, *(("client", "reader", "display") if code not in ("health", "police") else ())]
    if drawing.whole():
        return known
    chance = random.Random(f"{drawing.seed()} {key} {code}")
    return chance.sample(known, 2 if closely else 1)


def _told(lent: Lent, code: str, answer: Answer) -> set[bytes]:
    return lent.forbidden(code, answer.body + repr(answer.headers).encode())


@pytest.mark.parametrize("part", range(PARTS))
def test_no_reading_address_shows_what_is_not_open(about: tuple[World, Lent], part: int) -> None:
    world, lent = about
    leaks, asked, mine = {}, 0, READS[part::PARTS]
    for operation in mine:
        closely = any(word in operation.route for word in DATA)
        codes = list(STATES) if closely or drawing.whole() else ["water"]
        for code in codes:
            for kind in _kinds(operation.key, code, closely=closely):
                answer = ask(operation, world, f"{code}/{kind}")
                asked += 1
                assert answer.status < 500, (operation.key, code, kind, answer.body[:500])
                if found := _told(lent, code, answer):
                    leaks[operation.key, STATES[code], kind] = found
    assert leaks == {}
    assert asked > len(mine)


def _questions() -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """(what, a question about a hidden value, the same about one that nobody has)."""
    found = []
    for name in ("secret", "hidden", "told"):
        for op in ("eq", "lt", "gte"):
            there = {"field": name, "op": op, "value": value(name, 1)}
            nowhere = {"field": f"no{name}"[: len(name)], "op": op, "value": value(name, 1)}
            found.append((f"{name} {op}", {"where": json.dumps(there)}, {"where": json.dumps(nowhere)}))
        found.append((f"sort {name}", {"sort": name}, {"sort": f"no{name}"[: len(name)]}))
    return found


def _name(asked: dict[str, Any]) -> bytes:
    """The field that a question is about: an error may repeat it."""
    said: str = json.loads(asked["where"])["field"] if "where" in asked else asked["sort"]
    return said.encode()


@pytest.mark.parametrize("code", ["firej", "health", "water", "rail"])
def test_a_question_by_a_masked_field_is_answered_as_by_one_that_is_not_there(
    about: tuple[World, Lent], code: str
) -> None:
    world, lent = about
    path = f"/api/v1/datasets/{lent.dataset_id}/records"
    tried = 0
    for what, there, nowhere in _questions():
        for kind in ("duty_officer", "data_steward"):
            hidden, absent = (reading(world, f"{code}/{kind}", path, asked) for asked in (there, nowhere))
            said = hidden.body.replace(_name(there), b"NAME"), absent.body.replace(_name(nowhere), b"NAME")
            assert (hidden.status, said[0]) == (absent.status, said[1]), (what, kind)
            assert _told(lent, code, hidden) == set()
            tried += 1
    assert tried > 10


def test_a_search_finds_no_value_of_a_record(about: tuple[World, Lent]) -> None:
    world, lent = about
    for path in ("/search/", "/data/", "/api/v1/datasets", "/api/v1/search"):
        for word in (value("secret", 1), value("open", 1)):
            found = reading(world, "water/duty_officer", path, {"q": word})
            again = reading(world, "water/duty_officer", path, {"q": "q" * len(word)})
            assert found.status == again.status
            assert len(found.body.replace(word.encode(), b"")) == len(again.body.replace(b"q" * len(word), b"")), path


def test_values_stand_in_one_table_alone(about: tuple[World, Lent]) -> None:
    """Neither the log nor notices, messages, kept answers, refusals or counts repeat what a record says."""
    world, lent = about
    body = {"records": [{"number": value("number", 9), "secret": value("secret", 9), "wrong": value("hidden", 9)}]}
    path = f"/api/v1/datasets/{lent.dataset_id}/transfers"
    steward = world.clients["centre/data_steward"]
    for number, sent in enumerate((body, {"mode": "part", "records": [{"number": value("number", 8)}]})):
        key = f"00000000-0000-4000-8000-00000000000{number}"
        answer = steward.post(
            path, json.dumps(sent), content_type="application/json", headers={"Idempotency-Key": key}
        )
        assert answer.status_code == (422, 201)[number], answer.content
    for code in STATES:
        reading(world, f"{code}/duty_officer", f"/api/v1/datasets/{lent.dataset_id}/records", {})
    catalogue.deliver(
        actor=world.actor("centre/data_steward"), now=clock.now(), dataset_id=lent.dataset_id, mode="part",
        records=[{"number": value("number", 1), "secret": value("secret", 2)}],
    )  # fmt: skip
    holding = {table for table in _tables() if _holds(table)}
    assert holding == KEPT


def _tables() -> list[str]:
    return sorted({model._meta.db_table for model in apps.get_models(include_auto_created=True)})


def _holds(table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT EXISTS (SELECT 1 FROM "{table}" t WHERE t::text LIKE %s)', ["%zq7%"])
        return bool(cursor.fetchone()[0])


def test_the_table_of_states_is_whole(about: tuple[World, Lent]) -> None:
    """What each state opens is what the world says, or nothing of the rest proves anything."""
    world, lent = about
    path = f"/api/v1/datasets/{lent.dataset_id}/records"
    for code, state in STATES.items():
        answer = reading(world, f"{code}/duty_officer", path, {"limit": 50})
        shown = {
            (name, number) for name in FIELDS for number in range(10)
            if name != "kind" and value(name, number).encode() in answer.body
        }
        assert shown == lent.allowed.get(code, set()), state
        assert answer.status == (200 if shown else 403), state
    assert NOBODYS not in lent.grants.values()
