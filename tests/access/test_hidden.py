"""Is what is hidden answered exactly like what does not exist?"""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.test import Client

from coordination.events.actor import SYSTEM
from incidents.models import Incident
from sharing import access
from tests.access.city import T0, incident
from tests.accounts.people import PASSWORD, department, person

pytestmark = pytest.mark.django_db
CANARY = "canary-7f3a"
HIDDEN, ABSENT = 987654321, 987654322
# what says when and how often this caller asked, not what there is
OWN = ("Date", "Content-Length", "RateLimit")


@pytest.fixture
def hidden(settings) -> Incident:
    """An incident of the fire department with a word in it that nobody else may read."""
    settings.MUSTER_REQUIRE_MFA = False
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    fire = department("fire")
    made = incident(fire, pk=HIDDEN)
    words = {"description": CANARY, "place": CANARY, "headline_en": CANARY, "headline_zh": "密"}
    Incident.everything.filter(pk=made.pk).update(**words)
    access.join(
        actor=SYSTEM, incident_id=made.pk, department_id=fire.pk, role="lead", response_level=4,
        opened_at=made.opened_at, now=T0,
    )
    return made


def signed_in(code: str, *posts: str) -> Client:
    """Somebody of a department of their own."""
    place = department(code)
    who = person(f"{code}1", *((place, post) for post in posts))
    client = Client()
    assert client.post("/sign-in/", {"username": who.username, "password": PASSWORD}).status_code == 303
    return client


def same(answer: Any, pk: int) -> tuple[int, bytes, list[tuple[str, str]]]:
    """What must be equal of two answers: status, body, headers; but for the id asked for and the form's token."""
    body = answer.content.replace(str(pk).encode(), b"N")
    body = re.sub(rb'name="csrfmiddlewaretoken" value="[^"]+"', b"", body)
    headers = sorted((name, value) for name, value in answer.headers.items() if name not in OWN)
    return answer.status_code, body, headers


@pytest.mark.parametrize("posts", [("commander", "head"), ("administrator",), ("auditor",)])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/incidents/{}/"), ("get", "/incidents/{}/print/"), ("get", "/incidents/{}/log/"),
        ("post", "/incidents/{}/act/close/"), ("post", "/incidents/{}/act/add_log/"),
        ("get", "/api/v1/incidents/{}"), ("get", "/api/v1/incidents/{}/log"),
    ],
)
def test_foreign_is_absent(hidden: Incident, posts: tuple[str, ...], method: str, path: str) -> None:
    client = signed_in("water", *posts)
    headers = {"X-Request-ID": "11111111-1111-4111-8111-111111111111", "Idempotency-Key": str(uuid.uuid4())}
    foreign = getattr(client, method)(path.format(HIDDEN), headers=headers)
    absent = getattr(client, method)(path.format(ABSENT), headers=headers)
    assert foreign.status_code in ((404,) if method == "get" else (403, 404))
    assert CANARY.encode() not in foreign.content
    assert same(foreign, HIDDEN) == same(absent, ABSENT)


@pytest.mark.parametrize("path", ["/incidents/", "/search/?q=canary", "/desk/", "/api/v1/incidents"])
def test_lists_and_search_hold_no_canary(hidden: Incident, path: str) -> None:
    answer = signed_in("water", "commander").get(path)
    assert answer.status_code == 200
    assert CANARY.encode() not in answer.content
