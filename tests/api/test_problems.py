"""Is every failure put into the one form, without telling what is inside?"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import DataError, IntegrityError, InterfaceError, OperationalError, connection
from django.http import Http404
from rest_framework import exceptions

from coordination.events.refused import Conflict, Forbidden, Invalid, MoveNotAllowed, NotFound, TooSoon, VersionConflict
from sharing.access.rest.problems import handler
from tests.api.test_races import sender
from tests.api.test_races import world as world
from tests.permissions import world as worlds


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (IntegrityError("duplicate key value violates secret_constraint"), 409, "conflict"),
        (OperationalError("canceling statement due to lock timeout at secret"), 503, "busy"),
        (InterfaceError("connection already closed"), 503, "busy"),
        (DataError("secret out of range"), 400, "invalid"),
        (RequestDataTooBig("secret"), 413, "too_big"),
        (SuspiciousOperation("secret"), 400, "malformed"),
        (Http404("secret"), 404, "not_found"),
        (exceptions.NotAuthenticated(), 401, "unauthenticated"),
        (exceptions.UnsupportedMediaType("secret/x"), 415, "unsupported_media_type"),
        (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
        (NotFound("secret hint"), 404, "not_found"),
        (Forbidden("No.", right="close"), 403, "forbidden"),
        (MoveNotAllowed("No.", state="issued", allowed=["amend"]), 409, "move_not_allowed"),
        (Conflict("No.", code="ask_open"), 409, "ask_open"),
        (VersionConflict("No.", version=7), 412, "version_conflict"),
        (Invalid("No.", errors=[{"pointer": "/due_at", "code": "past", "detail": "Past."}]), 422, "invalid"),
        (TooSoon("Wait.", retry_after=30), 429, "too_soon"),
        (ZeroDivisionError("secret"), 500, "fault"),
    ],
)
def test_every_failure_is_a_problem_that_tells_no_secret(failure: Exception, status: int, code: str) -> None:
    """S39, S43: every failure is a problem that tells no secret."""
    answer = handler(failure, {})
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert b"secret" not in answer.content
    body = json.loads(answer.content)
    assert (body["status"], body["code"]) == (status, code)
    assert {"type", "title", "detail", "request_id"} <= set(body)
    if status in (429, 503):
        assert int(answer["Retry-After"]) >= 1
    if status == 401:
        assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.fixture
def holder(world: worlds.World) -> Iterator[Any]:
    """Another connection that holds the incident's row."""
    settings = connection.settings_dict
    other = psycopg2.connect(
        dbname=settings["NAME"], user=settings["USER"], host=settings["HOST"], password=settings["PASSWORD"],
        port=settings["PORT"] or None,
    )  # fmt: skip
    with other.cursor() as cursor:
        cursor.execute("SELECT 1 FROM incidents_incident WHERE id = %s FOR UPDATE", [world.ids["incident_id"]])
    yield other
    other.close()


def test_a_long_lock_is_a_quick_busy_and_the_key_stays_free(world: worlds.World, holder: Any) -> None:
    path, key = f"/incidents/{world.ids['incident_id']}/end-condition", str(uuid.uuid4())
    version = world.version_of("incident")
    send = sender(
        world, "centre/commander", path, {"text": "Fire out."}, idempotency_key=key, if_match=f'"{version}.x"'
    )
    began = time.monotonic()
    busy = send()
    assert (busy.status_code, busy.json()["code"]) == (503, "busy")
    assert time.monotonic() - began < 10
    holder.rollback()
    assert send().status_code == 200
