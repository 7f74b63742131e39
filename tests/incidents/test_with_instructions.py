"""Do incidents and the orders given on them hold together: closing, leaving, merging, files?"""

from __future__ import annotations

import io
import threading
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from PIL import Image

from coordination.config import incident_facts
from coordination.events.refused import Conflict, Forbidden, NotFound, Refused
from incidents import actions, closing, queries
from tests.instructions.world import World, build


@pytest.fixture(autouse=True)
def asked_above(nothing_open: None) -> None:
    """The rooms above are asked as they are in an installation."""
    closing.use_named(incident_facts.FORBIDS_CLOSING)


@pytest.fixture
def world(db: None) -> World:
    return build()


def controlled(world: World, incident_id: int) -> None:
    """Bring an incident to where it may be closed."""
    steps = {"reported": "verify", "verified": "respond", "responding": "control"}
    while (state := queries.facts(incident_id).state) in steps:
        actions.move(actor=world.who("centre.commander"), now=world.now, incident_id=incident_id, to=steps[state])


def test_open_work_keeps_incident_and_department(world: World) -> None:
    order = world.issued()
    controlled(world, world.incident.pk)
    with pytest.raises(Conflict) as refused:
        actions.move(actor=world.who("centre.commander"), now=world.now, incident_id=world.incident.pk, to="close")
    open_ids = {world.on(order, code).pk for code in ("fire", "police")}
    assert (refused.value.code, set(refused.value.extra["open"])) == ("assignments_open", open_ids)
    with pytest.raises(Conflict):
        actions.leave(actor=world.who("police"), now=world.now, incident_id=world.incident.pk)
    world.act("cancel", order, "centre.commander", reason="not needed")
    closed = actions.move(
        actor=world.who("centre.commander"), now=world.now, incident_id=world.incident.pk, to="close"
    )
    assert closed.state == "closed"


def test_an_order_on_a_merged_incident_goes_on(world: World) -> None:
    order = world.issued()
    survivor = actions.open_incident(
        actor=world.who("centre.commander"), now=world.now, type="accident.fire", headline_en="The same fire",
        lead_department_id=world.id("fire"),
    )
    actions.merge(
        actor=world.who("centre.commander"), now=world.now, incident_id=world.incident.pk, into_id=survivor.pk
    )
    mine = world.acknowledged(order, "police")
    world.act("decline", mine, "police", reason="not ours", suggested=world.id("health"))
    world.act("reassign", world.on(order, "police"), "centre", department=world.id("health"))
    assert queries.facts(survivor.pk).participants[world.id("health")] == "support"
    assert world.acknowledged(order, "health").state == "acknowledged"
    controlled(world, survivor.pk)
    with pytest.raises(Conflict) as refused:
        actions.move(actor=world.who("centre.commander"), now=world.now, incident_id=survivor.pk, to="close")
    assert refused.value.code == "assignments_open"
    with pytest.raises(Refused):
        world.draft()


def test_a_feedbacks_photo_is_seen_by_both_sides_and_no_stranger(world: World) -> None:
    order = world.issued()
    row = world.acknowledged(order, "fire")
    out = io.BytesIO()
    Image.new("RGB", (60, 40)).save(out, "JPEG")
    photo = actions.attach(
        actor=world.who("fire"), now=world.now, file=SimpleUploadedFile("现场.jpg", out.getvalue())
    )
    world.act("feedback", row, "fire", version=1, percent=40, text="Cooling", attachments=[photo.pk])
    for name in ("centre", "fire"):
        found = queries.attachment(actor=world.who(name), attachment_id=photo.pk, now=world.now)
        assert found["name"] == "现场.jpg"
    with pytest.raises(NotFound):
        queries.attachment(actor=world.who("stranger"), attachment_id=photo.pk, now=world.now)


@pytest.mark.django_db(transaction=True)
def test_issuing_and_closing_at_once_never_both_hold() -> None:
    world = build()
    order = world.approved()
    controlled(world, world.incident.pk)
    barrier, results = threading.Barrier(2), {}

    def run(name: str, act: Any) -> None:
        try:
            barrier.wait(10)
            results[name] = act()
        except Refused as refused:
            results[name] = refused
        finally:
            connection.close()

    threads = [
        threading.Thread(target=run, args=("issue", lambda: world.act("issue", order, "centre"))),
        threading.Thread(
            target=run,
            args=(
                "close",
                lambda: actions.move(
                    actor=world.who("centre.commander"), now=world.now, incident_id=world.incident.pk, to="close"
                ),
            ),
        ),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    refused = [result for result in results.values() if isinstance(result, Refused)]
    assert len(results) == 2 and len(refused) == 1, results
    assert not isinstance(refused[0], Forbidden)
    closed = queries.facts(world.incident.pk).state == "closed"
    assert closed == isinstance(results["issue"], Refused)
