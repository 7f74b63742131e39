"""What do tests of pages stand on?"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import OpenSession, Person
from coordination.events import clock
from sharing.access.pages import ACTIVE, DEPARTMENT, STARTED
from tests import standing
from tests.instructions.world import World, build

Enter = Callable[[str], Client]


def _with_codes() -> World:
    call_command("load_codes", verbosity=0)
    return build()


built = standing.once(_with_codes)


@pytest.fixture
def world(built: World, db: None, settings: Any, tmp_path: Path) -> Iterator[World]:
    """The small city, with the pages' clock at the world's time."""
    settings.MEDIA_ROOT = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    made = copy.deepcopy(built)
    clock.travel(made.now - clock.now())
    yield made
    clock.travel(None)


@pytest.fixture
def enter(world: World) -> Enter:
    """Sign somebody in: ``enter("fire")`` is a browser of the fire bureau's duty officer, in English."""

    def sign_in(name: str) -> Client:
        actor = world.who(name)
        client = Client(headers={"accept-language": "en"})
        person = Person.objects.get(pk=actor.id)
        client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
        session = client.session
        now = clock.now()
        session[DEPARTMENT], session[STARTED], session[ACTIVE] = actor.department_id, now.isoformat(), now.timestamp()
        session.save()
        OpenSession.objects.create(session_key=session.session_key, person=person, started_at=now, active_at=now)
        return client

    return sign_in
