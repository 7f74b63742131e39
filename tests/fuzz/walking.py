"""How does a walk through the API, made from its description, go: which links, which calls, what may not be answered?

The walks use schemathesis: it draws good and bad input for each operation from the description, and follows the
description's links from what was made to what can be done with it.
"""

from __future__ import annotations

import copy
import random
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import hypothesis
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.core.transport import Response

# what ends the walk's own session, or answers with a token
LEFT_OUT = ("session_end", "session_start", "session_act_for", "oauth_token")

_OURS = ("authorization", "cookie", "host")
_USUAL = ("fields", "cursor", "limit")
_TAG = re.compile(r'"[0-9]{1,9}(\.[A-Za-z0-9_.-]{0,64})?"')

Send = Callable[[requests.PreparedRequest], Response]


class ServerFaultError(AssertionError):
    """An operation answered 5xx, and it was no honest 503."""


def described(document: dict[str, Any], *, likely: bool) -> Any:
    """Return the operations to walk through; ``likely``: with values that are often right, so that walks get far."""
    document = _likely(copy.deepcopy(document)) if likely else document
    return schemathesis.openapi.from_dict(document).exclude(operation_id=list(LEFT_OUT))


def _likely(part: Any) -> Any:
    """Plain text where any is taken, moments around now, and small ids: what the city has."""
    if isinstance(part, dict):
        kind = part.get("type")
        if kind == "string" and part.get("format") == "date-time":
            now = datetime.now(UTC).replace(microsecond=0)
            part["enum"] = [(now + timedelta(hours=hours)).isoformat() for hours in (-30, -1, 1, 3, 9, 400)]
        elif kind == "string" and not {"enum", "format", "pattern"} & set(part):
            part["pattern"] = "^[A-Za-z0-9 .,<>&'火警]{1,30}$"
            part.pop("maxLength", None)
            part.pop("minLength", None)
        elif kind == "integer" and part.get("minimum") == 1 and part.get("maximum", 10**9) > 1000:
            part["maximum"] = 40
        for inner in part.values():
            _likely(inner)
    elif isinstance(part, list):
        for inner in part:
            _likely(inner)
    return part


def answer_of(request: requests.PreparedRequest, status: int, headers: dict[str, str], body: bytes) -> Response:
    """Return an answer as the walk takes it."""
    return Response(
        status_code=status, headers={name.lower(): [value] for name, value in headers.items()}, content=body,
        request=request, elapsed=0.0, verify=False, message="", encoding="utf-8", http_version="1.1",
    )  # fmt: skip


def judge(request: requests.PreparedRequest, answer: Response) -> None:
    """Raise `ServerFaultError`, with the request in full, where an operation failed."""
    honest = answer.status_code == 503 and "retry-after" in answer.headers
    if answer.status_code < 500 or honest:
        return
    body = request.body if request.body is not None else b""
    raise ServerFaultError(
        f"{answer.status_code} {request.method} {request.url}\n{dict(request.headers)}\n{body[:4000]!r}\n"
        f"{(answer.content or b'')[:1000]!r}"
    )


def walk(document: dict[str, Any], send: Send, *, seed: int, walks: int, steps: int) -> int:
    """Walk so many times, so many steps each at most; return how many requests were sent."""
    sent = 0
    schema = described(document, likely=True)

    class Walk(schema.as_state_machine()):  # type: ignore[misc]
        def call(self, case: Any, **kwargs: Any) -> Response:
            nonlocal sent
            sent += 1
            request = prepared(case)
            answer = send(request)
            judge(request, answer)
            return answer

        def validate_response(self, *args: Any, **kwargs: Any) -> None:
            """Only faults count here; whether answers are as described is asked of each operation elsewhere."""

    Walk._hypothesis_internal_use_seed = seed
    Walk.run(
        settings=settings(
            max_examples=walks, stateful_step_count=steps, deadline=None, database=None, derandomize=False,
            phases=(Phase.generate,), suppress_health_check=list(HealthCheck), print_blob=False,
        )
    )  # fmt: skip
    return sent


def each(document: dict[str, Any], send: Send, *, seed: int, times: int) -> int:
    """Try each operation so many times with what is drawn for it alone; return how many requests were sent."""
    sent = 0
    for found in described(document, likely=False).get_all_operations():
        operation = found.ok()

        @hypothesis.seed(seed)
        @settings(max_examples=times, deadline=None, database=None, phases=(Phase.generate,),
                  suppress_health_check=list(HealthCheck))  # fmt: skip
        @hypothesis.given(case=operation.as_strategy() | operation.as_strategy(
            generation_mode=schemathesis.GenerationMode.NEGATIVE))  # fmt: skip
        def one(case: Any) -> None:
            nonlocal sent
            sent += 1
            request = prepared(case)
            judge(request, send(request))

        one()
    return sent


def prepared(case: Any) -> requests.PreparedRequest:
    """Return the request of a case.

    Where a header or a part of the query would end most requests before they begin (a key, a version, a purpose, a
    cursor), three of four get a good one or none.
    """
    given = case.as_transport_kwargs(base_url="http://testserver")
    headers = {name: value for name, value in (given.pop("headers", None) or {}).items() if name.lower() not in _OURS}
    chance = random.Random(f"{given['method']} {given['url']} {given.get('json')} {given.get('params')}")
    if chance.random() < 0.75:
        for name in ("Purpose", "If-None-Match", "Accept"):
            headers.pop(name, None)
        if given["method"] == "POST":
            headers["Idempotency-Key"] = str(uuid.UUID(int=chance.getrandbits(128), version=4))
        if not _TAG.fullmatch(str(headers.get("If-Match", ""))) and "If-Match" in headers:
            headers["If-Match"] = f'"{chance.randint(1, 3)}.x"'
        if isinstance(given.get("params"), dict):
            given["params"] = {name: value for name, value in given["params"].items() if name not in _USUAL}
    known = {name: given[name] for name in ("method", "url", "params", "data", "json", "files") if name in given}
    return requests.Request(headers=headers, **known).prepare()
