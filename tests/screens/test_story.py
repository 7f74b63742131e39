"""Does the demo's story run to its end by itself, every step of it done, and told in both languages?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import Person
from coordination.events import clock
from coordination.events.actor import Actor
from coordination.instructions.models import Assignment, Instruction
from coordination.screens.demo import story
from coordination.screens.demo.people import actor_of
from incidents.models import Incident
from sharing import access
from sharing.access.pages import ACTIVE, DEPARTMENT, STARTED
from sharing.catalogue import queries as catalogue
from sharing.catalogue.models import Dataset
from tests.screens.test_languages import left_over

pytestmark = pytest.mark.django_db


def commander() -> Client:
    """A browser of the city's commander, in Chinese."""
    person, now = Person.objects.get(username="city-commander"), clock.now()
    browser = Client(headers={"accept-language": "zh-CN"})
    browser.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    session = browser.session
    department = person.memberships.get().post.department_id
    session[DEPARTMENT], session[STARTED], session[ACTIVE] = department, now.isoformat(), now.timestamp()
    session.save()
    return browser


def fire() -> Actor:
    """The duty officer of the fire corps."""
    return actor_of("fire-duty1", clock.now())


def telephone() -> str:
    """How the fire corps sees whom to call at a store of hazardous chemicals."""
    dataset = Dataset.objects.get(code="hazardous-stores")
    rows = catalogue.records(actor=fire(), now=clock.now(), dataset_id=dataset.pk, size=1).rows
    return "in part" if "***" in rows[0]["data"]["contact_phone"] else "whole"


def plants() -> bool:
    """Whether the fire corps reads which plants are under supervision."""
    dataset = Dataset.objects.get(code="key-enterprises")
    try:
        return bool(catalogue.records(actor=fire(), now=clock.now(), dataset_id=dataset.pk, size=1).rows)
    except catalogue.NoGrant:
        return False


def test_every_step_is_done(settings: Any, tmp_path: Any) -> None:
    settings.MUSTER_DEMO, settings.MEDIA_ROOT = True, tmp_path
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher",
        "coordination.config.hashers.RandomSecretHasher",
    ]
    call_command("load_codes", verbosity=0)
    call_command("load_demo", accounts=tmp_path / "accounts.json", verbosity=0)
    browser = commander()
    assert left_over(browser.get("/story/").content.decode()) == []
    began = clock.now()
    run = story.begin(now=began)
    open_to_fire = {}
    try:
        for step in story.script().steps:
            clock.travel(began + timedelta(seconds=step["at"] + 0.01) - clock.now())
            assert story.tell_next(now=clock.now())
            if step["at"] in (91, 112, 128, 270):
                open_to_fire[step["at"]] = telephone(), plants()
        assert access.drift(clock.now()) == (0, 0)
        assert not story.tell_next(now=clock.now())
    finally:
        clock.travel(None)
    run.refresh_from_db()
    assert [line for line in run.told if line["outcome"] != "done"] == []
    assert run.ended_at is not None
    assert open_to_fire == {91: ("in part", False), 112: ("whole", False), 128: ("whole", True), 270: ("in part", True)}
    assert set(Assignment.everything.values_list("state", flat=True)) <= {"closed", "cancelled"}
    assert set(Instruction.everything.values_list("state", flat=True)) == {"closed"}
    assert Incident.everything.get().state == "recovering"
    page = browser.get("/story/").content.decode()
    assert left_over(page) == []
    assert "$" not in page
    assert "move_incident" not in page
    assert "灭火并搜救失联人员" in page
