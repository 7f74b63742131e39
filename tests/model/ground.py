"""Who speaks to the API in the model tests, in which city?

The city of the closed loop's own tests; its people sign in by password, its systems fetch tokens, as anybody does.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.hashers import make_password
from django.test import Client, override_settings

from accounts import actions as accounts
from accounts.models import Person
from coordination.events import clock
from coordination.events.actor import SYSTEM
from tests.instructions import world as worlds

API = "/api/v1"
PASSWORD = "a model walks through every door 7"
ADDRESS = "10.0.0.7"
QUICK = "django.contrib.auth.hashers.MD5PasswordHasher"
PLENTY = {"read": 10**6, "write": 10**6, "loop": 10**6, "sign_in": 10**6}


@dataclass
class Voice:
    """Somebody who speaks to the API; a copy may speak from another thread."""

    name: str
    client: Client
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def department(self) -> str:
        """The code of the department."""
        return self.name.partition(".")[0]

    @property
    def post(self) -> str:
        """The post, or ``client``."""
        return self.name.partition(".")[2]

    def get(self, path: str) -> Any:
        """GET."""
        return self.client.get(API + path, headers=self.headers)

    def send(
        self, method: str, path: str, body: Any = None, *, version: int | None = None, key: str | None = None
    ) -> Any:
        """Send ``body``; ``version`` goes into If-Match, ``key`` into Idempotency-Key (a new one for None)."""
        headers = dict(self.headers)
        if method == "POST":
            headers["Idempotency-Key"] = key or str(uuid.uuid4())
        if version is not None:
            headers["If-Match"] = f'"{version}.x"'
        content = json.dumps(body if body is not None else {}, default=str)
        return self.client.generic(method, API + path, content, content_type="application/json", headers=headers)

    def post_to(self, path: str, body: Any = None, **how: Any) -> Any:
        """POST; see `send`."""
        return self.send("POST", path, body, **how)

    def again(self) -> Voice:
        """The same session or token in a client of its own."""
        client = Client(enforce_csrf_checks=True, REMOTE_ADDR=ADDRESS)
        client.cookies = self.client.cookies.copy()
        return Voice(self.name, client, dict(self.headers))


@dataclass
class Ground:
    """The city, those who speak in it, and where its clock stands."""

    world: worlds.World
    voices: dict[str, Voice]
    began: datetime

    def voice(self, name: str) -> Voice:
        """Who speaks as "dfire.head"."""
        return self.voices[name]

    def id(self, code: str) -> int:
        """A department's id."""
        return self.world.id(code)

    def go_to(self, moment: datetime) -> datetime:
        """Set the clock; it runs on from there."""
        clock.travel(moment - clock.now())
        return clock.now()


def build(people: tuple[str, ...], systems: tuple[str, ...], **incident: Any) -> Ground:
    """Make the city at its own time and sign everybody in. ``people``: "department.post"."""
    clock.travel(None)
    clock.travel(worlds.T0 + timedelta(minutes=1) - clock.now())
    world = worlds.build(**incident)
    with override_settings(PASSWORD_HASHERS=[QUICK]):
        Person.objects.filter(pk__in=[world.who(name).id for name in people]).update(password=make_password(PASSWORD))
    # what a password's hash costs is no matter of the loop
    with override_settings(MUSTER_REQUIRE_MFA=False, PASSWORD_HASHERS=[QUICK]):
        voices = {name: _sign_in(world, name) for name in people}
    voices |= {f"{code}.client": _token(world, code) for code in systems}
    return Ground(world, voices, clock.now())


def _sign_in(world: worlds.World, name: str) -> Voice:
    client = Client(enforce_csrf_checks=True, REMOTE_ADDR=ADDRESS)
    code, _dot, post = name.partition(".")
    person = Person.objects.get(pk=world.who(name).id)
    body = {"user": person.username, "password": PASSWORD, "department": world.id(code), "post": post}
    answer = client.post(f"{API}/session", json.dumps(body), content_type="application/json")
    assert answer.status_code == 201, answer.content
    return Voice(name, client, {"X-CSRFToken": answer.json()["csrf_token"]})


def _token(world: worlds.World, code: str) -> Voice:
    row, secret = accounts.create_client(
        actor=SYSTEM, now=clock.now(), department_id=world.id(code), name=f"{code} system", scopes=("read", "write")
    )
    client = Client(enforce_csrf_checks=True, REMOTE_ADDR=ADDRESS)
    form = {"grant_type": "client_credentials", "client_id": row.application.client_id, "client_secret": secret}
    answer = client.post(
        f"{API}/oauth/token", urlencode(form), content_type="application/x-www-form-urlencoded"
    )
    assert answer.status_code == 200, answer.content
    return Voice(f"{code}.client", client, {"Authorization": f"Bearer {answer.json()['access_token']}"})
