"""The small city of the permission tests, and an API client that speaks as one of its people."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.permissions.conftest import standing
from tests.permissions.conftest import world as world
from tests.permissions.world import World

API = "/api/v1"

# one a file: a test that commits cannot empty tables which an open transaction holds
city = pytest.fixture(scope="module", name="city")(standing)


class Speaker:
    """Somebody who speaks JSON to the API; keys are made where none is given."""

    def __init__(self, world: World, name: str) -> None:
        self.client = world.clients[name]
        self.headers = dict(world.headers.get(name, {}))

    def get(self, path: str, **headers: str) -> Any:
        """GET; header names as keywords."""
        return self.client.get(API + path, headers=self._all(headers))

    def post(self, path: str, body: Any = None, *, raw: bytes | None = None, **headers: str) -> Any:
        """POST ``body`` (or the bytes ``raw``) with a new key."""
        return self.send("POST", path, body, raw=raw, **({"idempotency_key": str(uuid.uuid4())} | headers))

    def send(self, method: str, path: str, body: Any = None, *, raw: bytes | None = None, **headers: str) -> Any:
        """Any method, with nothing added."""
        given: dict[str, Any] = {"data": raw} if raw is not None else {"data": body if body is not None else {}}
        kind = headers.pop("content_type", "application/json")
        return self.client.generic(
            method, API + path, self._bytes(given["data"]), content_type=kind, headers=self._all(headers)
        )

    @staticmethod
    def _bytes(data: Any) -> Any:
        return data if isinstance(data, bytes) else json.dumps(data)

    def _all(self, headers: dict[str, str]) -> dict[str, str]:
        return self.headers | {name.replace("_", "-"): value for name, value in headers.items() if value}


@pytest.fixture
def speak(world: World) -> Callable[[str], Speaker]:
    """Return who speaks as this principal."""
    return lambda name: Speaker(world, name)
