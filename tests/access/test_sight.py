"""Who sees which incident and what hangs on it?"""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import transaction

from accounts.models import Display
from coordination.events.actor import ANONYMOUS, SYSTEM, Actor
from coordination.events.refused import NotFound
from coordination.instructions.models import Instruction
from incidents.models import Incident, LogEntry, Participation
from sharing import access
from sharing.access.actions import emergency
from tests.access.city import T0, department, incident, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def city() -> SimpleNamespace:
    """Root with a command centre, fire and water; a district with a centre and a bureau; a stranger."""
    root = department("city", kind="district")
    district = department("district", root, "district")
    made = SimpleNamespace(
        root=root,
        centre=department("centre", root, "command_centre"),
        fire=department("fire", root),
        water=department("water", root),
        district=district,
        dcentre=department("dcentre", district, "command_centre"),
        dfire=department("dfire", district),
        stranger=department("stranger", None, "neighbouring"),
    )
    made.incident = incident(made.dfire)
    return made


def join(city: SimpleNamespace, who: object, role: str, level: int | None = None) -> None:
    """Let a department take part."""
    access.join(
        actor=SYSTEM,
        incident_id=city.incident.pk,
        department_id=who.pk,  # type: ignore[attr-defined]
        role=role,
        response_level=level,
        opened_at=city.incident.opened_at,
        now=T0,
    )


def reach(city: SimpleNamespace, at=T0) -> dict[str, int]:
    """Which departments see the incident, by code."""
    found = access.readers_of(city.incident.pk, at)
    return {name: found[d.pk] for name, d in vars(city).items() if name != "incident" and d.pk in found}


def test_a_lead_opens_to_itself_its_centre_and_those_above(city: SimpleNamespace) -> None:
    join(city, city.dfire, "lead")
    assert reach(city) == {"dfire": 3, "dcentre": 3, "district": 1, "root": 1, "centre": 1}


def test_support_gets_all_and_its_line_is_informed(city: SimpleNamespace) -> None:
    join(city, city.water, "support")
    assert reach(city) == {"water": 3, "root": 1, "centre": 1}


def test_reporter_sees_its_own_part_only(city: SimpleNamespace) -> None:
    join(city, city.stranger, "reporter")
    assert reach(city) == {"stranger": 2}


def test_nobody_else_sees_it_superuser_or_not(city: SimpleNamespace) -> None:
    join(city, city.dfire, "lead")
    for actor in (person(city.water), person(city.stranger), ANONYMOUS, Actor("person", 1, None)):
        assert not access.scope(actor, Incident, at=T0).exists()
        with pytest.raises(NotFound):
            access.get(actor, Incident, city.incident.pk, now=T0)
    assert access.scope(SYSTEM, Incident, at=T0).count() == 1


@pytest.mark.parametrize("posts", [("auditor",), ("administrator",), ("auditor", "administrator")])
def test_posts_that_do_not_view_see_nothing(city: SimpleNamespace, posts: tuple[str, ...]) -> None:
    join(city, city.dfire, "lead")
    assert not access.scope(person(city.dfire, *posts), Incident, at=T0).exists()
    assert access.scope(person(city.dfire, "observer"), Incident, at=T0).exists()


def test_lapse_is_a_time_test(city: SimpleNamespace) -> None:
    join(city, city.dfire, "lead")
    join(city, city.water, "support", level=1)
    water = person(city.water)
    later = T0 + timedelta(hours=1)
    access.leave(incident_id=city.incident.pk, department_id=city.water.pk, now=later)
    grace = later + timedelta(hours=24)
    secret = LogEntry.everything.create(incident=city.incident, text="x", classification=3, at=T0)
    assert access.scope(water, Incident, at=grace - timedelta(seconds=1)).exists()
    assert not access.scope(water, Incident, at=grace).exists()
    assert not access.scope(water, LogEntry, at=later).filter(pk=secret.pk).exists()
    assert "water" not in reach(city, grace)


def test_relevel_opens_and_narrows_at_once(city: SimpleNamespace) -> None:
    join(city, city.dfire, "lead", 4)
    join(city, city.water, "support", 4)
    entry = LogEntry.everything.create(incident=city.incident, text="x", classification=3, at=T0)
    water = person(city.water)
    assert not access.scope(water, LogEntry, at=T0).exists()
    access.relevel(incident_id=city.incident.pk, response_level=2, now=T0)
    assert access.get(water, LogEntry, entry.pk, now=T0) == entry
    access.relevel(incident_id=city.incident.pk, response_level=1, now=T0)
    assert reach(city)["root"] == 3
    access.relevel(incident_id=city.incident.pk, response_level=3, now=T0)
    assert reach(city)["root"] == 1
    assert not access.scope(water, LogEntry, at=T0).exists()
    assert access.drift(T0) == (0, 0)


def test_closing_leaves_lead_and_centre_and_each_ones_own_part(city: SimpleNamespace) -> None:
    join(city, city.dfire, "lead")
    join(city, city.water, "support")
    access.close(incident_id=city.incident.pk, now=T0)
    assert reach(city)["water"] == 3
    assert reach(city, T0 + timedelta(hours=24)) == {"dfire": 3, "dcentre": 3, "water": 2}
    assert access.drift(T0) == (0, 0)
    assert access.drift(T0 + timedelta(hours=25)) == (0, 0)


def test_joining_twice_changes_nothing_and_another_role_replaces(city: SimpleNamespace) -> None:
    join(city, city.water, "support")
    before = reach(city)
    join(city, city.water, "support")
    assert len(access.shares_of(city.incident.pk, T0)) == 3
    assert reach(city) == before
    join(city, city.water, "informed")
    assert reach(city)["water"] == 1
    assert access.drift(T0) == (0, 0)


def test_share_and_revoke(city: SimpleNamespace) -> None:
    join(city, city.dfire, "lead")
    lead = person(city.dfire)
    with transaction.atomic():
        grant = access.share(
            actor=lead,
            incident_id=city.incident.pk,
            department_id=city.stranger.pk,
            reach=2,
            max_class=1,
            valid_to=T0 + timedelta(days=1),
            now=T0,
        )
    stranger = person(city.stranger)
    assert access.get(stranger, Incident, city.incident.pk, now=T0) == city.incident
    assert not access.scope(stranger, Incident, at=T0 + timedelta(days=1)).exists()
    with pytest.raises(NotFound):
        access.revoke(actor=stranger, grant_id=0, why="", now=T0)
    with pytest.raises(access.NotYourRight):
        access.revoke(actor=stranger, grant_id=grant.pk, why="", now=T0)
    with transaction.atomic():
        access.revoke(actor=lead, grant_id=grant.pk, why="done", now=T0)
    assert not access.scope(stranger, Incident, at=T0).exists()
    assert not access.decide(stranger, "view", city.incident, at=T0).seen


def test_own_rows_need_reach_two(city: SimpleNamespace) -> None:
    join(city, city.stranger, "reporter")
    own = LogEntry.everything.create(incident=city.incident, text="o", department=city.stranger, at=T0)
    LogEntry.everything.create(incident=city.incident, text="f", department=city.fire, at=T0)
    actor = person(city.stranger)
    assert list(access.scope(actor, LogEntry, at=T0)) == [own]
    assert list(access.scope(person(city.fire), LogEntry, at=T0)) == []
    join(city, city.fire, "informed")
    assert list(access.scope(person(city.fire), LogEntry, at=T0)) == []
    join(city, city.fire, "reporter")
    assert [row.text for row in access.scope(person(city.fire), LogEntry, at=T0)] == ["f"]


def test_a_department_reads_its_own_words_whatever_their_class_and_those_above_do_not(city: SimpleNamespace) -> None:
    join(city, city.dfire, "reporter")
    join(city, city.district, "reporter")
    secret = LogEntry.everything.create(
        incident=city.incident, text="s", department=city.dfire, classification=3, at=T0
    )
    assert access.get(person(city.dfire), LogEntry, secret.pk, now=T0) == secret
    with pytest.raises(access.Unseen):
        access.get(person(city.district), LogEntry, secret.pk, now=T0)
    assert not access.decide(person(city.district), "view", secret, at=T0).seen


def test_rights_follow_posts_and_the_departments_part(city: SimpleNamespace) -> None:
    join(city, city.dfire, "lead")
    join(city, city.water, "support")
    lead, centre, water = person(city.dfire), person(city.dcentre), person(city.water)
    assert access.may(lead, "close", city.incident, at=T0)
    assert access.may(centre, "close", city.incident, at=T0)
    assert not access.may(person(city.dfire, "duty_officer"), "close", city.incident, at=T0)
    assert access.may(water, "log", city.incident, at=T0)
    with pytest.raises(access.NotYourRight) as refused:
        access.require(water, "close", city.incident, at=T0)
    assert refused.value.extra == {"right": "close"}
    with pytest.raises(access.Unseen):
        access.require(person(city.stranger), "close", city.incident, at=T0)
    client = Actor("client", 1, city.dfire.pk)
    assert access.may(client, "view", city.incident, at=T0)
    assert not access.may(client, "close", city.incident, at=T0)


def test_a_display_reads_what_its_department_sees_and_no_more(city: SimpleNamespace) -> None:
    join(city, city.dfire, "lead")
    display = Display.objects.create(department=city.dfire, name="wall")
    actor = Actor("display", display.pk, city.dfire.pk)
    open_entry = LogEntry.everything.create(incident=city.incident, text="o", at=T0)
    LogEntry.everything.create(incident=city.incident, text="s", classification=3, at=T0)
    assert list(access.scope(actor, LogEntry, at=T0)) == [open_entry]
    assert not access.may(actor, "log", city.incident, at=T0)
    assert access.may_read_stream(actor, f"incident:{city.incident.pk}", T0)
    Display.objects.update(incident_id=city.incident.pk + 1)
    assert not access.scope(actor, Incident, at=T0).exists()
    assert not access.may_read_stream(actor, f"incident:{city.incident.pk}", T0)
    Display.objects.update(incident_id=None, revoked_at=T0)
    assert not access.scope(actor, Incident, at=T0).exists()
    assert access.streams_of(actor, T0) == []


def test_streams(city: SimpleNamespace) -> None:
    join(city, city.dfire, "lead")
    pk = city.incident.pk
    above, lead = person(city.root, pk=4), person(city.dfire, pk=5)
    assert access.streams_of(above, T0) == [f"department:{city.root.pk}", "system", "user:4", f"incident:{pk}:brief"]
    assert access.may_read_stream(lead, f"incident:{pk}", T0)
    for bad in ("user:4", f"department:{city.root.pk}", "incident:x", f"incident:{pk}:", "", "incident:0"):
        assert not access.may_read_stream(lead, bad, T0)


def test_lock_hides_as_it_shows(city: SimpleNamespace) -> None:
    join(city, city.dfire, "lead")
    part = Participation.everything.create(
        incident=city.incident, department=city.dfire, role="lead", joined_at=T0
    )
    with transaction.atomic():
        assert access.lock(person(city.dfire), Participation, part.pk, now=T0, select=("incident",)) == part
        for pk in (part.pk + 1, None, "x", 2**80, -1):
            with pytest.raises(access.Unseen):
                access.lock(person(city.dfire), Participation, pk, now=T0)
        with pytest.raises(access.Unseen):
            access.lock(person(city.root), Participation, part.pk, now=T0)


def test_whoever_leaves_reads_on_for_a_day_and_commands_no_more(city: SimpleNamespace) -> None:
    join(city, city.dfire, "lead")
    join(city, city.fire, "lead")
    lead = person(city.dfire)
    assert access.may(lead, "close", city.incident, at=T0)
    access.leave(incident_id=city.incident.pk, department_id=city.dfire.pk, now=T0)
    assert access.may(lead, "view", city.incident, at=T0)
    assert not access.may(lead, "close", city.incident, at=T0)
    assert not access.scope(lead, Incident, action="close", at=T0).exists()
    assert not access.may(person(city.dcentre), "close", city.incident, at=T0)
    assert access.may(person(city.centre), "close", city.incident, at=T0)


def test_a_draft_is_its_issuers_and_commands(city: SimpleNamespace) -> None:
    join(city, city.dfire, "lead")
    join(city, city.water, "support")
    join(city, city.fire, "support")
    draft = Instruction.everything.create(
        incident=city.incident, number=1, issuer=city.water, basis="lateral", created_at=T0, moved_at=T0,
        effective_at=T0,
    )
    display = Display.objects.create(department=city.dfire, name="wall")
    wall = Actor("display", display.pk, city.dfire.pk)
    places = {name: place for name, place in vars(city).items() if name != "incident"}
    seeing = [name for name, d in places.items() if access.may(person(d), "view", draft, at=T0)]
    assert seeing == ["root", "water", "dcentre", "dfire"]
    assert not access.scope(wall, Instruction, at=T0).exists()
    Instruction.everything.update(state="cancelled")
    assert not access.may(person(city.fire), "view", Instruction.everything.get(), at=T0)
    Instruction.everything.update(state="issued", issued_at=T0)
    assert access.get(person(city.fire), Instruction, draft.pk, now=T0) == draft
    assert access.scope(wall, Instruction, at=T0).exists()


def test_what_is_broken_open_stays_so_until_its_own_end_though_the_incident_closes(city: SimpleNamespace) -> None:
    """It has its own reason, end and review; whoever breaks it open after the closing sees no less."""
    join(city, city.dfire, "lead")
    entry = LogEntry.everything.create(incident=city.incident, text="x", classification=3, at=T0, department=city.dfire)
    hour = timedelta(hours=1)
    emergency.open_incident(
        incident_id=city.incident.pk, opened_at=city.incident.opened_at, person_id=9, because="break_glass:1", now=T0,
        valid_to=T0 + 4 * hour,
    )  # fmt: skip
    access.close(incident_id=city.incident.pk, now=T0 + hour)
    who = person(city.stranger, pk=9)
    seen = [access.decide(who, "view", entry, at=T0 + n * hour).allow for n in (0, 1, 3, 4)]
    assert seen == [True, True, True, False]
    assert not access.decide(person(city.stranger, pk=8), "view", entry, at=T0).allow
    assert access.drift(T0 + 2 * hour) == (0, 0)
