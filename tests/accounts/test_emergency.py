"""S26: do two accounts work when nothing else signs anybody in, and does everybody concerned hear of each use?"""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts import actions
from accounts.actions.emergency import EnoughAccounts, KnownElsewhere
from accounts.actions.identities import EmergencyAccount
from accounts.models import Person
from coordination.config.monitor import deep, facts, watched
from coordination.deadlines import alarms
from coordination.events import clock
from coordination.events.actor import SYSTEM, Actor
from coordination.events.models import Event
from coordination.events.refused import Forbidden
from coordination.notify.texts import render
from tests.accounts.people import PASSWORD, department, person
from tests.accounts.people import cheap_passwords as cheap_passwords

pytestmark = pytest.mark.django_db


def invited(username: str, code: str = "centre") -> Person:
    """Somebody whom the command line made an emergency account, with the password of these tests."""
    call_command("invite", username, code, "--emergency", stdout=StringIO())
    made = Person.objects.get(username=username)
    made.set_password(PASSWORD)
    made.save()
    return made


def enter(username: str) -> Any:
    """Sign in at a browser of one's own."""
    return Client(REMOTE_ADDR="10.1.1.1").post("/sign-in/", {"username": username, "password": PASSWORD})


def test_each_use_is_told_to_administrators_and_duty_officers_at_once() -> None:
    """S26: of where it serves, and of the top of the tree; nobody else's sign-in tells anybody."""
    centre = department("centre", kind="command_centre")
    fire = department("fire", centre)
    department("water", centre)
    person("plain", (fire, "duty_officer"))
    invited("glass", "fire")
    assert (enter("plain").status_code, enter("glass").status_code) == (303, 303)
    plain, glass = Event.objects.filter(type="session.started").order_by("pk")
    assert plain.tell == []
    told = {(one["department"], one["post"]) for one in glass.tell}
    assert told == {(place.pk, post) for place in (centre, fire) for post in ("administrator", "duty_officer")}
    said = {render(one["text"], one["args"], "en") for one in glass.tell}
    assert said == {"The emergency account glass has just been used to sign in."}


def test_there_are_two_and_no_more() -> None:
    department("centre")
    one = invited("glass1")
    invited("glass2")
    with pytest.raises(CommandError, match="two emergency accounts already|已有两个应急账号"):
        invited("glass3")
    assert not Person.objects.filter(username="glass3", emergency=True).exists()
    invited("glass1")  # it is one already
    actions.deactivate_person(actor=SYSTEM, now=clock.now(), person_id=one.pk)
    third = person("glass4")
    actions.keep_for_emergencies(actor=SYSTEM, now=clock.now(), person_id=third.pk)
    with pytest.raises(EnoughAccounts):
        actions.keep_for_emergencies(actor=SYSTEM, now=clock.now(), person_id=person("glass5").pk)


def test_only_the_command_line_makes_one_and_the_provider_knows_none() -> None:
    department("centre")
    glass, other = invited("glass"), person("other")
    with pytest.raises(Forbidden):
        actions.keep_for_emergencies(actor=Actor("person", other.pk), now=clock.now(), person_id=other.pk)
    known = {"issuer": "https://id.example", "subject": "42"}
    with pytest.raises(EmergencyAccount):
        actions.link_identity(actor=SYSTEM, now=clock.now(), person_id=glass.pk, **known)
    actions.link_identity(actor=SYSTEM, now=clock.now(), person_id=other.pk, **known)
    with pytest.raises(KnownElsewhere):
        actions.keep_for_emergencies(actor=SYSTEM, now=clock.now(), person_id=other.pk)


def test_its_session_is_an_alarm_as_long_as_it_is_open() -> None:
    """S26: off without any, a warning while one is missing, an alarm while one is used."""
    department("centre")

    def look() -> deep.Finding:
        return deep.emergency(facts.emergency())

    assert look().status == "off"
    glass = invited("glass1")
    assert (look().status, look().why) == ("warn", "only one emergency account")
    invited("glass2")
    assert (look().status, look().why) == ("warn", "one has no second factor yet")
    enter("glass1")
    assert (look().status, look().why) == ("bad", "an emergency account is in use")
    seen = [watched.look(lambda names: {"emergency": look()})[0] for _ in range(watched.LOOKS)]
    assert seen[-1][:2] == (alarms.EMERGENCY, "page")
    actions.end_sessions_of(actor=SYSTEM, now=clock.now(), person_id=glass.pk, why="test")
    assert look().status == "warn"
