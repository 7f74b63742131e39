"""Is the description of the API true, complete and readable?"""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import Client
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from coordination.screens.api import description
from tests.permissions import asking, bodies
from tests.permissions import operations as ops
from tests.permissions.operations import Operation
from tests.permissions.world import World

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.yaml"


def declared(operation: Operation) -> Any:
    return getattr(getattr(operation.view, operation.method.lower(), None), "operation", None)


API = [one for one in ops.operations() if one.route.startswith("api/") and declared(one) is not None]


def test_it_is_valid_and_committed() -> None:
    document = description.document()
    assert document["openapi"].startswith("3.1")
    validate(document)
    assert description.as_yaml().strip() == COMMITTED.read_text(encoding="utf-8").strip(), "run make openapi"


def test_every_operation_is_in_it_with_its_manners() -> None:
    paths = description.document()["paths"]
    for one in API:
        path = "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", one.route)
        found = paths[path][one.method.lower()]
        said = declared(one)
        given = [meant(parameter) for parameter in found.get("parameters", [])]
        headers = {parameter["name"] for parameter in given if parameter["in"] == "header"}
        assert ("Idempotency-Key" in headers) == (one.method == "POST" and said.keyed), path
        assert ("If-Match" in headers) == said.may_decide, path
        assert "429" in found["responses"], path
        assert said.public == (found["security"] == [{}]), path
        assert ("requestBody" in found) == (said.body is not None), path


def meant(said: dict[str, Any]) -> dict[str, Any]:
    found: Any = description.document()
    for part in said.get("$ref", "").split("/")[1:]:
        found = found[part]
    return dict(found) if "$ref" in said else said


def test_operation_ids_are_each_one_operations() -> None:
    ids = [one["operationId"] for methods in description.document()["paths"].values() for one in methods.values()]
    assert len(ids) == len(set(ids))


@pytest.mark.django_db
def test_it_is_served_as_json_and_yaml() -> None:
    served = Client().get("/api/v1/schema")
    assert served.json() == yaml.safe_load(Client().get("/api/v1/schema?format=yaml").content)


@pytest.mark.django_db
def test_who_asks_at_once_gets_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """The generator is not made for threads: the first askers after a start must not meet in it."""
    inside, most = [], []

    class Slow:
        def get_schema(self, **_: object) -> dict[str, Any]:
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.05)
            inside.pop()
            return {"paths": {}}

    monkeypatch.setattr(description, "SchemaGenerator", Slow)
    description._document.cache_clear()
    try:
        with ThreadPoolExecutor(4) as threads:
            found = list(threads.map(lambda _n: description.document(), range(4)))
        assert (most, found) == ([1], [{"paths": {}}] * 4)
    finally:
        description._document.cache_clear()


def test_the_page_names_every_operation_and_keeps_the_policy() -> None:
    answer = Client().get("/api/v1/docs")
    text = answer.content.decode()
    assert answer.status_code == 200
    for methods in description.document()["paths"].values():
        for one in methods.values():
            assert one["operationId"] in text
    assert "<script" not in text.replace("<script src=", "")
    assert 'style="' not in text
    assert not re.search(r'(?:src|href)="(?:https?:)?//', text)


def validator(shape: Any) -> Any:
    document = Resource(contents=description.document(), specification=DRAFT202012)
    registry = Registry().with_resource("urn:muster", document)

    def absolute(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: f"urn:muster{value}" if key == "$ref" else absolute(value) for key, value in part.items()}
        return [absolute(one) for one in part] if isinstance(part, list) else part

    return OAS31Validator(absolute(shape), registry=registry)


ROWS = ops.table()
SHOWN = [one for one in API if one.method == "GET" and declared(one).answer is not None]


@pytest.mark.parametrize("operation", SHOWN, ids=lambda one: one.key)
@pytest.mark.parametrize("who", ["centre/commander", "fire/duty_officer", "fire/client"])
def test_what_is_answered_is_what_is_described(operation: Operation, who: str, world: World) -> None:
    shape = declared(operation).query
    query = bodies.sample(shape(), world) if shape else {}
    path = asking.path_of(operation, world, absent=False)
    answer = world.clients[who].get(path, query, headers=world.headers.get(who))
    code, _slash, kind = who.partition("/")
    listed = ops.expected(ROWS[ops.key_of(operation)], {"centre": "own", "fire": "participating"}[code], kind)
    assert answer.status_code == listed, answer.content
    if listed != 200:  # by whoever is shown it
        able = [one for one in ops.KINDS if ops.expected(ROWS[ops.key_of(operation)], "own", one) == 200]
        if not able:
            return
        who = f"centre/{able[0]}"
        answer = world.clients[who].get(path, query, headers=world.headers.get(who))
        assert answer.status_code == 200, answer.content
    described = description.document()["paths"]["/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", operation.route)]["get"]
    errors = list(
        validator(described["responses"]["200"]["content"]["application/json"]["schema"]).iter_errors(answer.json())
    )
    assert not errors, [(list(error.absolute_path), error.message[:200]) for error in errors[:5]]
