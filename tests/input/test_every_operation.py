"""Does hostile input get a clear no from every operation that takes such input: no fault, no hang, no leak?"""

from __future__ import annotations

import copy
import functools
import json
import random
import re
import resource
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.urls import reverse

from tests import drawing
from tests.input import places
from tests.input.places import Attempt
from tests.permissions import asking
from tests.permissions import operations as ops
from tests.permissions.operations import Operation
from tests.permissions.world import World

SECONDS = 2
MEGABYTES = 100
CHINESE = re.compile(r"[\u4e00-\u9fff]")
OPERATIONS = ops.operations()


def peak() -> float:
    """Megabytes of memory at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def send(operation: Operation, world: World, attempt: Attempt, language: str, principal: str) -> Any:
    client = world.clients[principal]
    headers = attempt.headers | world.headers.get(principal, {}) | {"Accept-Language": language}
    if attempt.fields is None:
        given = {"data": attempt.raw, "content_type": attempt.kind}
    else:
        data = {name: value for name, value in attempt.fields.items() if value is not None}
        given = {"data": encode_multipart(BOUNDARY, data), "content_type": MULTIPART_CONTENT}
        if not operation.api:
            headers["HX-Request"] = "true"  # as the page's script sends it: a refusal is a small piece, no whole page
    return client.generic(operation.method, attempt.path, headers=headers, **given)


def wrong(operation: Operation, attempt: Attempt, answer: Any, seconds: float, language: str) -> Iterator[str]:
    """What is not as it must be with one answer; who must first enter the password again hears nothing else yet."""
    body = b"" if answer.streaming else answer.content
    first = answer.status_code == 303 and answer["Location"].startswith(reverse("password-again"))
    if answer.status_code not in {*attempt.answer, *places.anyhow(operation)} and not first:
        yield f"answered {answer.status_code}: {body[:300]!r}"
    if seconds > SECONDS:
        yield f"took {seconds:.1f} s"
    if b"Traceback" in body:
        yield "shows its inside"
    if b"<script>alert" in body and "json" not in answer.get("Content-Type", ""):
        yield "markup came back alive"
    if 400 <= answer.status_code < 500 and operation.method != "HEAD" and body:
        yield from _reason(operation, attempt, answer, language)


def _reason(operation: Operation, attempt: Attempt, answer: Any, language: str) -> Iterator[str]:
    """A reason, in the language of who reads it."""
    if operation.api:
        if operation.route == "api/v1/oauth/token" and "error" in json.loads(answer.content):
            return  # RFC 6749 5.2 has a form of its own
        if answer["Content-Type"] != "application/problem+json":
            yield f"a refusal as {answer['Content-Type']}"
            return
        said = json.loads(answer.content)
        words = str(said["detail"]) + "".join(str(one.get("detail", "")) for one in said.get("errors", []))
        if not said["detail"]:
            yield "no reason"
        elif bool(CHINESE.search(str(said["detail"]))) != (language == "zh-hans"):
            yield f"a reason in another language than {language}: {words[:200]}"
    elif language == "zh-hans" and not CHINESE.search(answer.content.decode()):
        yield "a page without a Chinese word"
    if attempt.at_field and not operation.api and answer.status_code == 422 and b'role="alert"' not in answer.content:
        yield f"nothing said of {attempt.at_field}"


def tried(operation: Operation, world: World, attempts: Iterator[Attempt]) -> list[str]:
    """Return all that went wrong."""
    chance = random.Random(f"{drawing.seed()} {operation.key}")
    principal, found, before = places.who(operation), [], peak()
    client = world.clients[principal]
    for attempt in attempts:
        cookies = copy.deepcopy(client.cookies)  # signing in or out is undone on the server, so in the client too
        language = chance.choice(("zh-hans", "en"))
        began = time.process_time()
        try:
            answer = asking.undone(functools.partial(send, operation, world, attempt, language, principal))
        except Exception as error:
            found.append(f"{attempt.row} {attempt.name}: {type(error).__name__} {str(error)[:300]}")
            continue
        finally:
            client.cookies = cookies
        seconds = time.process_time() - began
        faults = wrong(operation, attempt, answer, seconds, language)
        found += [f"{attempt.row} {attempt.name} ({principal}): {fault}" for fault in faults]
        if answer.streaming:
            b"".join(answer.streaming_content)  # read to its end, a file is closed
    if peak() - before > MEGABYTES:
        found.append(f"took {peak() - before:.0f} MB")
    return found


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.key)
def test_every_row_that_fits(operation: Operation, world: World) -> None:
    """S1: text stays text; S6: what is not allowed is refused; B1 to B28 wherever they fit."""
    assert "\n".join(tried(operation, world, places.attempts(operation, world))) == ""
