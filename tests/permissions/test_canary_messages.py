"""Do messages, events and log lines about data hold ids alone: no value, no filter, no purpose, no reason, no title?

Everything that is done about data is done once with such words, then all that went out is searched for them: mail, SMS,
webhooks, notices, the outbox, the log of events and what the processes write to theirs.
"""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F, Value
from django.db.models.functions import Concat

from accounts.actions.proving import Proof
from accounts.models import Person
from coordination.deadlines.engine.fire import fire_batch
from coordination.events import clock, relay
from coordination.notify import channels, delivery, on_event
from coordination.notify.models import Delivery, Notice, WebhookEndpoint
from sharing.access.fence import fenced
from sharing.catalogue import actions as catalogue
from sharing.catalogue.actions import breaking
from sharing.catalogue.models import Dataset
from tests.notify.wire import Wire
from tests.permissions import lent_after
from tests.permissions.lent_after import CLOSED, DAY, RESTRICTED, value
from tests.permissions.world import World

SAID = "zq7saidwords1, as nobody may tell them on"
TABLES = ("notify_notice", "notify_delivery", "events_event", "events_streamentry", "events_readentry",
          "events_refusal", "deadlines_deadline")  # fmt: skip


@pytest.fixture
def wires(monkeypatch: pytest.MonkeyPatch) -> dict[str, Wire]:
    """Every way out, as a wire that keeps its letters."""
    made = {name: Wire(resend=True) for name in ("email", "sms", "webhook")}
    for name, wire in made.items():
        monkeypatch.setitem(channels.CHANNELS, name, wire)
    return made


@pytest.fixture
def reachable(world: World) -> World:
    """The city, in which everybody has a mail address and a telephone, and two departments a system."""
    Person.objects.update(email=Concat(F("username"), Value("@example.org")), phone="+8613800138000")
    for code in ("centre", "fire"):
        WebhookEndpoint.objects.create(
            department_id=world.departments[code].pk, url="https://example.org/", secret="whsec_MTIz"
        )
    return world


def requested(world: World, row: Dataset) -> None:
    """Asked for and granted, asked for and refused, ended, taken back: with words each time."""
    steward, now = world.actor("centre/data_steward"), clock.now()

    def ask() -> Any:
        return catalogue.ask(
            actor=world.actor("fire/data_steward"), now=clock.now(), dataset_id=row.pk, fields=["number", "secret"],
            purpose=SAID, rows={"field": "number", "op": "eq", "value": value("msg", "number", 1)},
            valid_to=clock.now() + 30 * DAY,
        )  # fmt: skip

    granted, refused, ended, left, waits = (ask() for _ in range(5))
    for one in (granted, ended):
        catalogue.grant_request(actor=steward, now=now, request_id=one.pk, answer=SAID)
        one.refresh_from_db()
    catalogue.refuse_request(
        actor=steward, now=now, request_id=refused.pk, answer=SAID, legal_basis_id=world.ids["legal_basis_id"]
    )
    catalogue.withdraw_request(actor=world.actor("fire/data_steward"), now=now, request_id=left.pk)
    catalogue.revoke_grant(actor=steward, now=now, grant_id=granted.grant_ids[0], why=SAID)
    catalogue.end_agreement(actor=steward, now=now, agreement_id=ended.agreement.pk, why=SAID)
    catalogue.screen_request(actor=steward, now=now, request_id=waits.pk)


def shattered(world: World, row: Dataset) -> None:
    """The glass is broken for a confidential entry, ended and judged; and once more, to be judged late."""
    who, steward = world.actor("fire/commander"), world.actor("centre/data_steward")
    for judged in (True, False):
        with fenced(who):
            glass = breaking.start(
                actor=who, now=clock.now(), proof=Proof(who.id or 0, "code"), reason=SAID, dataset_code=row.code,
                owner_id=row.department_id,
            )  # fmt: skip
        catalogue.end_glass(actor=steward, now=clock.now(), glass_id=glass.pk, why=SAID)
        if judged:
            catalogue.review_glass(
                actor=steward, now=clock.now(), glass_id=glass.pk, outcome="unjustified", words=SAID
            )


def misdelivered(world: World, row: Dataset) -> None:
    """A delivery with what the schema refuses, read by who may not, asked by what is no field."""
    path = f"/api/v1/datasets/{row.pk}"
    body = {"records": [{"number": value("msg", "number", 9), "wrong": value("msg", "secret", 9)}]}
    refused = world.clients["centre/data_steward"].post(
        f"{path}/transfers", json.dumps(body), content_type="application/json",
        headers={"Idempotency-Key": "00000000-0000-4000-8000-000000000009"},
    )  # fmt: skip
    assert refused.status_code == 422
    where = json.dumps({"field": "secret", "op": "eq", "value": value("msg", "secret", 1)})
    for who in ("water/duty_officer", "fire/duty_officer", "centre/duty_officer"):
        world.clients[who].get(f"{path}/records", {"where": where}, headers={"Purpose": "drill"})
        world.clients[who].get(f"/data/{row.pk}/records/", {"secret": value("msg", "secret", 1)})


def sent() -> None:
    """Let everything that is due happen, be told and go out."""
    for later in (timedelta(), 3 * DAY, 40 * DAY):
        while fire_batch(clock.now() + later, 100).due:
            pass
        while relay.run_once([("notify", on_event.handle)]):
            pass
        delivery.run_once(clock.now() + later, limit=100)


def test_messages_events_and_log_lines_hold_no_word_of_the_data(
    reachable: World, wires: dict[str, Wire], caplog: pytest.LogCaptureFixture
) -> None:
    world = reachable
    for name in ("", "muster", "coordination", "django.request"):
        caplog.set_level(logging.INFO, name)
    row = lent_after.published(world, "msg", **RESTRICTED)
    secret = lent_after.published(world, "top", title_en="zq7toptitle1", classification=4, **CLOSED)
    requested(world, row)
    shattered(world, secret)
    misdelivered(world, row)
    sent()
    for name, wire in wires.items():
        said = repr([vars(one) if hasattr(one, "__dict__") else one for one in wire.letters])
        assert wire.letters, f"nothing went out by {name}"
        assert "zq7" not in said, name
    assert Notice.objects.filter(text_key__startswith="request.").exists()
    assert Notice.objects.filter(text_key__startswith="glass.").exists()
    assert Delivery.objects.filter(text_key__startswith="agreement.").exists()
    assert [table for table in TABLES if _holding(table)] == []
    assert caplog.records, "nothing was written to the log of the process"
    assert "zq7" not in caplog.text


def _holding(table: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT t::text FROM "{table}" t WHERE t::text LIKE %s LIMIT 3', ["%zq7%"])
        return [text for (text,) in cursor.fetchall()]
