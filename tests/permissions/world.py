"""A small city in which every kind of actor and every kind of object exists once.

Departments, seen from the fire on the quay: ``centre`` commands and issued the instruction (*own*), ``fire`` and
``health`` execute it (*participating*), ``port`` is let see it (*shared*), ``rail`` was and is no more (*revoked*),
``firej`` is a department of the fire office's (*below*: what its parent sees is not its own), ``water`` has nothing to
do with it (*foreign*). What belongs to a department rather than to an incident (its roster, its walls) is the centre's.
An older fire has burnt out: the same things once more, all ended (*archived*).

Every text that only those who take part may read says ``canary-`` and more.
"""

from __future__ import annotations

import functools
import io
import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from oauth2_provider.models import AccessToken
from PIL import Image

from accounts import actions as accounts
from accounts.models import Department, Membership, OpenSession, Person, Post
from coordination.events import clock
from coordination.events.actor import SYSTEM, Actor
from coordination.instructions import actions as loop
from coordination.notify.models import Notice
from incidents import actions as incidents
from sharing.access.fence import fenced
from tests.permissions import catalogued

POSTS = tuple(Post.Kind.values)
ADDRESS = "10.0.0.7"
PASSWORD = "a long and quiet word"
HOURS = timedelta(hours=4)
"""Longer than any run: nothing of the world runs out on the way."""


class Lean(Client):
    """A client without Django's copies of every template's context, which are most of what a test client costs."""

    def request(self, **request: Any) -> Any:
        """Answer ``request``; what a view raises is raised here (``DEBUG_PROPAGATE_EXCEPTIONS``)."""
        response = self.handler(self._base_environ(**request))
        if response.cookies:
            self.cookies.update(response.cookies)
        response.json = functools.partial(self._parse_json, response)
        return response


@dataclass
class World:
    """Ids by name, and a signed-in client for each principal."""

    departments: dict[str, Department] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    ids: dict[str, Any] = field(default_factory=dict)
    clients: dict[str, Client] = field(default_factory=dict)
    headers: dict[str, dict[str, str]] = field(default_factory=dict)

    versions: dict[str, int] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)
    ended: dict[str, Any] = field(default_factory=dict)

    def archive(self) -> World:
        """Return the same city, in which what stands in an address is what has ended."""
        if "archive" not in self.kept:
            self.kept["archive"] = replace(self, ids=self.ids | self.ended, versions={})
        return self.kept["archive"]

    def version_of(self, noun: str) -> int:
        """Return the version of the one object of a kind, as it stood after building."""
        if noun not in self.versions:
            label = {
                "incident": "incidents.Incident",
                "report": "incidents.Report",
                "objective": "incidents.Objective",
                "instruction": "instructions.Instruction",
                "assignment": "instructions.Assignment",
                "ask": "instructions.Ask",
                "department": "accounts.Department",
                "shift": "accounts.Shift",
                "dataset": "catalogue.Dataset",
                "share-request": "catalogue.ShareRequest",
                "agreement": "catalogue.Agreement",
                "glass": "catalogue.BreakGlass",
                "rule_proposal": "catalogue.RuleProposal",
            }[noun]
            model = apps.get_model(label)
            with fenced(SYSTEM):
                self.versions[noun] = model._base_manager.get(pk=self.ids[f"{noun}_id"]).version
        return self.versions[noun]

    def actor(self, name: str) -> Actor:
        """Return ``fire/duty_officer`` as an actor."""
        code, _slash, post = name.partition("/")
        return Actor("person", self.people[name].pk, self.departments[code].pk, frozenset({post}))


def build() -> World:
    """Make the city; one call in a test's transaction."""
    world = World()
    call_command("load_policies", verbosity=0)
    call_command("load_codes", verbosity=0)
    _departments(world)
    _people(world)
    _incident(world)
    _loop(world)
    _burnt_out(world)
    _around(world)
    catalogued.build(world)
    return world


def _departments(world: World) -> None:
    now = clock.now()

    def add(code: str, kind: str, parent: str | None = None) -> None:
        world.departments[code] = accounts.add_department(
            actor=SYSTEM, now=now, code=code, kind=kind, name_zh=f"{code}局", name_en=f"{code} office",
            short_zh=code[:6], short_en=code[:14], parent_id=world.departments[parent].pk if parent else None,
            region_code="310000000000",
        )  # fmt: skip

    add("city", "bureau")
    add("centre", "command_centre", "city")
    for code in ("fire", "health", "police", "port", "rail"):
        add(code, "bureau", "city")
    add("firej", "bureau", "fire")
    add("north", "bureau")
    add("water", "bureau", "north")


def _people(world: World) -> None:
    now = clock.now()
    for code in ("centre", "fire", "water", "health", "firej", "police", "port", "rail"):
        for post in POSTS:
            department = world.departments[code]
            person = Person.objects.create(
                username=f"{code}-{post}", name_zh=f"{code}{post}"[:40], name_en=f"{code} {post}"
            )
            row, _made = Post.objects.get_or_create(department=department, kind=post)
            Membership.objects.create(person=person, post=row, valid_from=now - timedelta(days=30))
            world.people[f"{code}/{post}"] = person
    for name in ("deactivated", "nobody"):
        world.people[name] = Person.objects.create(username=name)
    world.people["unfactored"] = Person.objects.create_user(username="unfactored", password=PASSWORD)
    post, _made = Post.objects.get_or_create(department=world.departments["centre"], kind="commander")
    Membership.objects.create(person=world.people["unfactored"], post=post, valid_from=now - timedelta(days=30))
    spare = Person.objects.create(username="spare", name_zh="备用", name_en="spare")
    row = Post.objects.get(department=world.departments["centre"], kind="observer")
    leaves = Membership.objects.create(person=spare, post=row, valid_from=now - timedelta(days=30))
    world.ids |= {"membership_id": leaves.pk, "username": spare.username, "spare_id": spare.pk}
    world.people["superuser"] = Person.objects.create(username="superuser", is_superuser=True, is_staff=True)


def _incident(world: World) -> None:
    commander = world.actor("centre/commander")
    world.ids |= _burning(world, "canary-quay")
    now = clock.now()
    for code in ("port", "rail"):
        incidents.share(
            actor=commander, now=now, incident_id=world.ids["incident_id"], department_id=world.departments[code].pk,
            reach=3,
        )  # fmt: skip
    incidents.unshare(
        actor=commander, now=clock.now(), incident_id=world.ids["incident_id"],
        department_id=world.departments["rail"].pk,
    )
    other = incidents.open_incident(
        actor=commander, now=now, type="accident.fire", headline_en="canary-second", headline_zh="另一起火灾",
        lead_department_id=world.departments["centre"].pk, commander_department_id=world.departments["centre"].pk,
    )  # fmt: skip
    world.ids |= {"other_id": other.pk, "into_id": other.pk}


def _burning(world: World, place: str) -> dict[str, Any]:
    """Open an incident in which fire and health take part, and return the ids of what belongs to it."""
    now = clock.now()
    commander = world.actor("centre/commander")
    report = incidents.receive_report(
        actor=world.actor("fire/duty_officer"), now=now, channel="hotline", text="canary-report", place=place,
        reporter_name="canary-teller",
    )  # fmt: skip
    incident = incidents.open_incident(
        actor=commander, now=now, type="accident.fire", headline_zh="码头火灾", headline_en="canary-fire",
        lead_department_id=world.departments["centre"].pk, commander_department_id=world.departments["centre"].pk,
        description="canary-incident", grade=3, response_level=3, report_ids=[report.pk],
    )  # fmt: skip
    for code in ("fire", "health"):
        incidents.invite(
            actor=commander, now=now, incident_id=incident.pk, department_id=world.departments[code].pk, role="support"
        )
    line = incidents.add_log(
        actor=commander, now=now, incident_id=incident.pk, text="canary-log", headline_en="canary-line"
    )
    objective = incidents.set_objective(actor=commander, now=now, incident_id=incident.pk, text="canary-objective")
    picture = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(picture, "PNG")
    file, photo = (
        incidents.attach(actor=commander, now=now, incident_id=incident.pk, file=SimpleUploadedFile(name, content)).pk
        for name, content in (("canary-name.txt", b"canary-file\n"), ("canary-.png", picture.getvalue()))
    )
    return {
        "incident_id": incident.pk, "report_id": report.pk, "entry_id": line.pk, "objective_id": objective.pk,
        "attachment_id": file, "picture_id": photo, "stream": f"incident:{incident.pk}",
    }  # fmt: skip


def _ordered(world: World, incident_id: int) -> tuple[Any, Any, Any]:
    """Issue an instruction which fire has acknowledged and asks about; return it, fire's part and what is asked."""
    now = clock.now()
    officer = world.actor("fire/duty_officer")
    instruction = loop.draft(
        actor=world.actor("centre/duty_officer"), now=now, incident_id=incident_id,
        headline_zh="疏散码头", headline_en="canary-clear", text="canary-instruction", what="canary-people",
        place="canary-quay",
        urgency="immediate", due_at=now + timedelta(hours=2), progress_every=1800,
        targets=[
            {"department": world.departments["fire"].pk, "role": "lead"},
            {"department": world.departments["health"].pk, "role": "support"},
        ],
    )  # fmt: skip
    loop.issue_first(
        actor=world.actor("centre/commander"), now=now, instruction_id=instruction.pk, reason="canary-spreads"
    )
    assignment = instruction.assignments.get(role="lead")
    loop.acknowledge(actor=officer, now=now, assignment_id=assignment.pk, version=1)
    ask = loop.ask(actor=officer, now=now, assignment_id=assignment.pk, kind="clarify", reason="canary-gate")
    return instruction, assignment, ask


def _loop(world: World) -> None:
    incident_id = world.ids["incident_id"]
    instruction, assignment, ask = _ordered(world, incident_id)
    draft = loop.draft(
        actor=world.actor("centre/duty_officer"), now=clock.now(), incident_id=incident_id, text="canary-draft",
        targets=[],
    )  # fmt: skip
    world.ids |= {
        "instruction_id": instruction.pk, "assignment_id": assignment.pk, "ask_id": ask.pk, "draft_id": draft.pk,
    }  # fmt: skip


def _burnt_out(world: World) -> None:
    """An incident in which everything has come to its end."""
    commander, issuer = world.actor("centre/commander"), world.actor("centre/duty_officer")
    ended = _burning(world, "canary-warehouse")
    instruction, lead, ask = _ordered(world, ended["incident_id"])
    loop.grant(actor=issuer, now=clock.now(), ask_id=ask.pk, answer="canary-answer")
    loop.acknowledge(
        actor=world.actor("health/duty_officer"), now=clock.now(), version=1,
        assignment_id=instruction.assignments.get(role="support").pk,
    )  # fmt: skip
    for part, code in ((instruction.assignments.get(role="support"), "health"), (lead, "fire")):
        loop.start(
            actor=world.actor(f"{code}/duty_officer"), now=clock.now(), assignment_id=part.pk, who_goes="canary-team"
        )
        loop.feedback(
            actor=world.actor(f"{code}/duty_officer"), now=clock.now(), assignment_id=part.pk, version=1, percent=100,
            text="canary-done", final=True, early_reason="canary-early",
        )  # fmt: skip
        loop.evaluate(
            actor=issuer, now=clock.now(), assignment_id=part.pk, accepted=True, outcome="good", remark="canary-well"
        )
    for to in ("verified", "responding", "controlled", "closed"):
        incidents.move(actor=commander, now=clock.now(), incident_id=ended["incident_id"], to=to)
    world.ended = ended | {
        "instruction_id": instruction.pk, "assignment_id": lead.pk, "ask_id": ask.pk, "draft_id": instruction.pk,
    }  # fmt: skip


def _around(world: World) -> None:
    now = clock.now()
    officer = world.people["centre/duty_officer"]
    begins = (now + timedelta(minutes=30)).replace(second=0, microsecond=0)
    shift = accounts.plan_shift(
        actor=SYSTEM, now=now, department_id=world.departments["centre"].pk, starts=begins,
        ends=begins + timedelta(hours=8), person_id=officer.pk,
    )  # fmt: skip
    accounts.leave_note(actor=SYSTEM, now=now, shift_id=shift.pk, note="canary-handover")
    notice = Notice.objects.create(
        person=officer, department_id=world.departments["centre"].pk, text_key="instruction.issue",
        args={"headline_en": "canary-notice", "headline_zh": "canary-notice"},
        object_type="instructions.instruction", object_id=world.ids["instruction_id"],
        incident_id=world.ids["incident_id"], at=now,
    )  # fmt: skip
    session = OpenSession.objects.create(
        session_key="of-the-centres-commander", person=world.people["centre/commander"], started_at=now, active_at=now,
        address="10.9.8.7", agent="canary-agent",
    )  # fmt: skip
    screen = accounts.pairing(claim="", address=ADDRESS, now=now + HOURS)
    factor = Authenticator.objects.create(
        user_id=world.ids["spare_id"], type=Authenticator.Type.WEBAUTHN, data={"name": "canary-key"}
    )
    world.ids |= {
        "factor_id": factor.pk, "shift_id": shift.pk, "department_id": world.departments["centre"].pk,
        "table": "incident_type",
        "notice_id": notice.pk, "session_id": session.pk, "pairing": screen.code, "up_to": notice.pk,
    }  # fmt: skip


def sign_in_everybody(world: World) -> None:
    """Give each principal its session, token or cookie."""
    for name in world.people:
        world.clients[name] = _session(world, name)
    world.clients["anonymous"] = Lean(REMOTE_ADDR=ADDRESS)
    world.clients["unfactored"] = _half(world)
    world.clients["expired"] = _session(world, "centre/commander", started=clock.now() - timedelta(hours=13))
    world.people["deactivated"].is_active = False
    world.people["deactivated"].save()
    for code in ("centre", "fire", "water", "firej", "port", "rail"):
        for scopes in (("read", "write"), ("read",)):
            name = f"{code}/client" if "write" in scopes else f"{code}/reader"
            world.clients[name], world.headers[name] = _token(world, code, scopes)
        world.clients[f"{code}/display"] = _wall(world, code)


def _session(world: World, name: str, started: Any = None) -> Client:
    client = Lean(REMOTE_ADDR=ADDRESS)
    client.force_login(world.people[name], backend="django.contrib.auth.backends.ModelBackend")
    code = name.partition("/")[0]
    session = client.session
    now = clock.now()
    session["department_id"] = world.departments[code].pk if code in world.departments else None
    session["started_at"] = (started or now).isoformat()
    session["active_at"] = (now + HOURS).timestamp()
    session.save()
    OpenSession.objects.create(
        session_key=session.session_key, person=world.people[name], started_at=started or now, active_at=now,
        address=ADDRESS,
    )  # fmt: skip
    return client


def _half(world: World) -> Client:
    """Somebody whose password was right and whose second factor is still to come."""
    client = Lean(REMOTE_ADDR=ADDRESS)
    answer = client.post("/sign-in/", {"username": "unfactored", "password": PASSWORD})
    assert (answer.status_code, answer["Location"].partition("?")[0]) == (303, "/sign-in/second-factor/")
    session = client.session
    later = session["pending_sign_in"]["at"] + HOURS.total_seconds()  # it waits five minutes, and the run takes longer
    session["pending_sign_in"] = session["pending_sign_in"] | {"at": later}
    session.save()
    return client


def _token(world: World, code: str, scopes: tuple[str, ...]) -> tuple[Client, dict[str, str]]:
    row, secret = accounts.create_client(
        actor=SYSTEM, now=clock.now(), department_id=world.departments[code].pk, name=f"{code} {len(scopes)}",
        scopes=scopes,
    )  # fmt: skip
    world.ids.setdefault("client_id", row.pk)
    client = Lean(REMOTE_ADDR=ADDRESS)
    answer = client.post(
        "/api/v1/oauth/token",
        urlencode(
            {"grant_type": "client_credentials", "client_id": row.application.client_id, "client_secret": secret}
        ),
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status_code == 200, answer.content
    AccessToken.objects.filter(application=row.application).update(expires=clock.now() + HOURS)  # as the sessions
    return client, {"Authorization": f"Bearer {json.loads(answer.content)['access_token']}"}


def _wall(world: World, code: str) -> Client:
    row, token = accounts.create_display(
        actor=SYSTEM, now=clock.now(), department_id=world.departments[code].pk, name=f"wall {code}", address=ADDRESS
    )
    client = Lean(REMOTE_ADDR=ADDRESS)
    world.ids.setdefault("display_id", row.pk)
    client.cookies["muster_wall"] = token
    return client
