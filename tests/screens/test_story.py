"""Does the demo's story run to its end by itself, every step of it done, and told in both languages?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import Person
from coordination.events import clock
from coordination.instructions.models import Assignment, Instruction
from coordination.screens.demo import story
from incidents.models import Incident
from sharing.access.pages import ACTIVE, DEPARTMENT, STARTED
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
    try:
        for step in story.script().steps:
            clock.travel(began + timedelta(seconds=step["at"] + 0.01) - clock.now())
            assert story.tell_next(now=clock.now())
        assert not story.tell_next(now=clock.now())
    finally:
        clock.travel(None)
    run.refresh_from_db()
    assert [line for line in run.told if line["outcome"] != "done"] == []
    assert run.ended_at is not None
    assert set(Assignment.everything.values_list("state", flat=True)) <= {"closed", "cancelled"}
    assert set(Instruction.everything.values_list("state", flat=True)) == {"closed"}
    assert Incident.everything.get().state == "recovering"
    page = browser.get("/story/").content.decode()
    assert left_over(page) == []
    assert "$" not in page
    assert "move_incident" not in page
    assert "灭火并搜救失联人员" in page
