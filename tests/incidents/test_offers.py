"""Is exactly what is offered accepted, in every state and for every kind of actor?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coordination.events.actor import Actor
from coordination.events.models import Event
from coordination.events.refused import Forbidden, KeyReused, MoveNotAllowed, NotFound, Refused
from incidents import actions, queries, states
from incidents.models import Attachment, Incident
from tests.incidents.cast import T0, City, explosion, fresh

PATHS: dict[str, list[str]] = {
    "reported": [],
    "verified": ["verify"],
    "responding": ["verify", "respond"],
    "controlled": ["verify", "respond", "control"],
    "recovering": ["verify", "respond", "control", "recover"],
    "closed": ["verify", "respond", "control", "close"],
    "rejected": ["reject"],
}
ACTORS: dict[str, tuple[str, ...]] = {
    "centre commander": ("centre", "commander"),
    "centre duty officer": ("centre", "duty_officer"),
    "lead head": ("fire", "head"),
    "lead observer": ("fire", "observer"),
    "supporter": ("health", "duty_officer", "commander", "head"),
    "above": ("city", "commander"),
    "foreign": ("neighbour", "commander"),
}


def act(city: City, incident: Incident, actor: Actor, name: str) -> Any:
    """Do one thing with good input."""
    who = {"actor": actor, "now": T0, "incident_id": incident.pk}
    given: dict[str, Callable[[], Any]] = {
        "merge": lambda: actions.merge(**who, into_id=_other(city).pk),
        "describe": lambda: actions.describe(**who, place="新地点"),
        "set_scale": lambda: actions.set_scale(**who, scale="grade", value=1, why="x"),
        "invite": lambda: actions.invite(**who, department_id=city["traffic"].pk),
        "transfer_command": lambda: actions.transfer_command(**who, department_id=city["city"].pk, why="x"),
        "set_objective": lambda: actions.set_objective(**who, text="x"),
        "set_end_condition": lambda: actions.set_end_condition(**who, text="x"),
        "link": lambda: actions.link(**who, other_id=_other(city).pk),
        "set_parent": lambda: actions.set_parent(**who, parent_id=None),
        "add_log": lambda: actions.add_log(**who, text="x"),
        "attach": lambda: actions.attach(**who, file=SimpleUploadedFile("a.txt", b"x")),
        "share": lambda: actions.share(**who, department_id=city["traffic"].pk, max_class=1),
        "pause": lambda: actions.pause(**who),
        "resume": lambda: actions.resume(**who),
        "set_pace": lambda: actions.set_pace(**who, pace=3),
    }
    return given.get(name, lambda: actions.move(**who, to=name, why="x"))()


def _other(city: City) -> Incident:
    return explosion(city)


@pytest.mark.parametrize("state", PATHS)
def test_offered_means_accepted(city: City, state: str) -> None:
    incident = explosion(city)
    centre = city.actor("centre")
    actions.invite(actor=centre, now=T0, incident_id=incident.pk, department_id=city["health"].pk)
    for to in PATHS[state]:
        actions.move(actor=centre, now=T0, incident_id=incident.pk, to=to, why="x")
    names = sorted({move.name for move in (*states.MOVES, *states.ACTS)})
    for code, *posts in ACTORS.values():
        actor = city.actor(code, *posts)
        try:
            row = queries.incident(actor=actor, incident_id=incident.pk, now=T0)
            offered = {offer["action"] for offer in row["allowed_actions"]}
        except NotFound:
            offered = set()
        for name in names:
            accepted = _accepted(city, incident, actor, name)
            assert accepted == (name in offered), (state, code, posts, name)


def _accepted(city: City, incident: Incident, actor: Actor, name: str) -> bool:
    """Whether the act goes through; it is undone again."""
    before = fresh(incident).version
    try:
        with transaction.atomic():
            act(city, incident, actor, name)
            transaction.set_rollback(True)
    except (Forbidden, MoveNotAllowed, NotFound):
        return False
    except Refused as refused:
        assert refused.code == "incident_ended"
        return False
    assert fresh(incident).version == before
    return True


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(walk=st.lists(st.sampled_from(sorted({move.name for move in states.MOVES} - {"merge"})), max_size=12))
def test_any_walk_agrees_with_the_table(city: City, walk: list[str]) -> None:
    with transaction.atomic():
        incident = explosion(city)
        centre = city.actor("centre")
        model = "reported"
        for steps, name in enumerate(walk, 1):
            wanted = next((m.target for m in states.MOVES if m.name == name and model in m.sources), None)
            now = T0 + timedelta(minutes=steps)
            if wanted is None:
                with pytest.raises(MoveNotAllowed) as refused:
                    actions.move(actor=centre, now=now, incident_id=incident.pk, to=name, why="x")
                assert refused.value.extra["state"] == model
            else:
                row = actions.move(actor=centre, now=now, incident_id=incident.pk, to=name, why="x")
                model = row.state
                assert model == wanted
                assert (row.closed_at is not None) == (model in states.ENDED)
        history = fresh(incident).scale_changes.filter(scale="state").order_by("pk")
        assert [change.after for change in history][-1] == model
        transaction.set_rollback(True)


def test_a_repeated_command_has_one_effect(city: City) -> None:
    key = uuid4()
    centre = city.actor("centre")
    values = {"type": "accident.fire", "headline_en": "Fire", "lead_department_id": city["fire"].pk}
    first = actions.open_incident(actor=centre, now=T0, command_id=key, **values)  # type: ignore[call-arg]
    again = actions.open_incident(actor=centre, now=T0, command_id=key, **values)  # type: ignore[call-arg]
    assert first.pk == again.pk and Incident.everything.count() == 1
    with pytest.raises(KeyReused):
        actions.open_incident(  # type: ignore[call-arg]
            actor=centre, now=T0, command_id=key, **{**values, "headline_en": "Other"}
        )
    key = uuid4()
    for _time in range(2):
        actions.attach(  # type: ignore[call-arg]
            actor=centre, now=T0, command_id=key, incident_id=first.pk, file=SimpleUploadedFile("a.txt", b"x")
        )
    assert Attachment.everything.count() == 1
    key = uuid4()
    for _time in range(2):
        actions.move(actor=centre, now=T0, command_id=key, incident_id=first.pk, to="verify")  # type: ignore[call-arg]
    assert Event.objects.filter(type="incident.verified").count() == 1


@pytest.mark.parametrize("odd", [0, -1, 2**63, 2**70, "x", "1; --", None, True, 1.5, [], "\x00"])
def test_odd_ids_are_absent(city: City, odd: Any) -> None:
    incident = explosion(city)
    centre = city.actor("centre")
    for read in (queries.room, queries.incident, queries.log, queries.timeline, queries.participations):
        with pytest.raises(NotFound):
            read(actor=centre, incident_id=odd, now=T0)
    for read, name in (
        (queries.report, "report_id"), (queries.attachment, "attachment_id"), (queries.log_entry, "entry_id")
    ):
        with pytest.raises(NotFound):
            read(actor=centre, now=T0, **{name: odd})
    refusals: list[Callable[[], Any]] = [
        lambda: actions.move(actor=centre, now=T0, incident_id=odd, to="verify"),
        lambda: actions.move(actor=centre, now=T0, incident_id=incident.pk, to=odd),
        lambda: actions.merge(actor=centre, now=T0, incident_id=odd, into_id=incident.pk),
        lambda: actions.merge(actor=centre, now=T0, incident_id=incident.pk, into_id=odd),
        lambda: actions.invite(actor=centre, now=T0, incident_id=incident.pk, department_id=odd),
        lambda: actions.invite(
            actor=centre, now=T0, incident_id=incident.pk, department_id=city["health"].pk, role=odd
        ),
        lambda: actions.change_participation(
            actor=centre, now=T0, incident_id=incident.pk, department_id=odd, state="unable"
        ),
        lambda: actions.join_report(actor=centre, now=T0, report_id=odd, incident_id=incident.pk),
        lambda: actions.transfer_command(
            actor=centre, now=T0, incident_id=incident.pk, department_id=odd, why="x"
        ),
        lambda: explosion(city, report_ids=[odd]),
        lambda: actions.add_log(actor=centre, now=T0, incident_id=incident.pk, text="x", attachment_ids=[odd]),
    ]
    for refused in refusals:
        with pytest.raises(Refused):
            refused()
