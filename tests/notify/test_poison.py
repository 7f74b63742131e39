"""Does one message that cannot be sent leave all others on their way?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F

from coordination.deadlines.models import Alarm
from coordination.events.actor import SYSTEM
from coordination.notify import actions, delivery, wiring
from coordination.notify.channels import Answer
from coordination.notify.models import Delivery, WebhookEndpoint
from tests.deadlines.city import City
from tests.notify.receiver import receiver
from tests.notify.wire import Wire

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("wired")]


def seconds(amount: float) -> timedelta:
    return timedelta(seconds=amount)


def tell(city: City, name: str, key: str, channel: str, **more: Any) -> Delivery:
    """Write one message outside the screen, and return its row."""
    subject = city.departments["station"]
    actions.tell(
        people=[city.people[name].pk], subject=subject, now=city.now, key=key, department_id=subject.pk,
        text_key="assignment.urge", args={"number": "7"}, incident_id=None, channels=(channel,),
        **{"urgency": "immediate", "guard": {}, **more},
    )  # fmt: skip
    return Delivery.objects.get(dedupe_key__startswith=f"{key}:")


def state(row: Delivery) -> str:
    row.refresh_from_db()
    return row.state


def tries(city: City) -> None:
    """As many rounds as a message is tried by one way and then by the next."""
    for after in (0, 1, 6, 22, 40, 50, 60, 80):
        delivery.run_once(city.now + seconds(after))


def test_a_message_that_makes_no_letter_is_failed_and_alarmed_and_the_rest_goes_out(
    city: City, sms: Wire, email: Wire
) -> None:
    bad = tell(city, "station-duty", "bad", "sms")
    Delivery.objects.filter(pk=bad.pk).update(args=["no", "mapping"])
    others = [tell(city, "station-head", "more", "sms"), tell(city, "bureau-duty", "mail", "email")]
    delivery.run_once(city.now)
    assert [state(row) for row in others] == ["sent", "sent"]
    assert state(bad) == "pending", "it is tried again: its cause may pass"
    tries(city)
    assert state(bad) == "failed"
    assert bad.error.startswith("AttributeError")
    alarm = Alarm.objects.get(kind="poison", key=f"delivery:{bad.pk}")
    assert (alarm.detail["channel"], alarm.detail["error"]) == ("sms", bad.error)
    assert Alarm.objects.filter(kind="unreached").count() == 1, "nor does its next way make a letter of it"


def test_a_guard_that_breaks_is_a_matter_of_its_own_message(city: City, sms: Wire, email: Wire) -> None:
    broken = {"by": "deadline", "subject": "x.y", "kind": "start", "generation": "soon", "level": 0}
    bad = tell(city, "station-duty", "bad", "sms", guard=broken)
    wiring.guards["x.y"] = lambda pk, _said: Delivery.objects.annotate(half=pk / (F("id") - F("id"))).get(half=1).level
    refused = tell(city, "station-duty", "refused", "sms", guard={"by": "x.y"})
    others = [tell(city, "station-head", "more", "sms"), tell(city, "bureau-duty", "mail", "email")]
    delivery.run_once(city.now)
    assert [state(row) for row in others] == ["sent", "sent"]
    tries(city)
    assert (state(bad), state(refused)) == ("failed", "failed")
    assert len(sms.letters) == 1, "what cannot be judged is not sent"
    assert {f"delivery:{bad.pk}", f"delivery:{refused.pk}"} <= set(Alarm.objects.values_list("key", flat=True))
    assert refused.error.startswith("DataError: division by zero")


def test_one_broken_message_of_a_bundle_stays_behind_alone(city: City, sms: Wire) -> None:
    rows = [tell(city, "station-duty", f"k{n}", "sms") for n in range(8)]
    Delivery.objects.filter(pk=rows[3].pk).update(args=["no", "mapping"])
    delivery.run_once(city.now)
    delivery.run_once(city.now)
    assert [state(row) for row in rows] == ["sent"] * 3 + ["pending"] + ["sent"] * 4
    assert [letter.bundle for letter in sms.letters] == [True], "the seven that are left go as one"


def test_a_reference_that_no_row_can_hold_is_put_right(city: City, sms: Wire, email: Wire) -> None:
    sms.answers = [Answer("sent", "a\x00b\udc80")]
    row, other = tell(city, "station-duty", "odd", "sms"), tell(city, "station-head", "mail", "email")
    delivery.run_once(city.now)
    assert (state(row), state(other)) == ("sent", "sent")
    assert row.provider_ref.startswith("ab")


def test_an_answer_that_cannot_be_written_holds_nothing_up(city: City, sms: Wire, email: Wire) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
                       " $$ BEGIN RAISE EXCEPTION 'not this reference'; END $$")  # fmt: skip
        cursor.execute("CREATE TRIGGER refused BEFORE UPDATE ON notify_delivery FOR EACH ROW"
                       " WHEN (NEW.provider_ref = 'odd') EXECUTE FUNCTION refuse()")  # fmt: skip
    sms.answers = [Answer("sent", "odd")]
    row, other = tell(city, "station-duty", "odd", "sms"), tell(city, "station-head", "mail", "email")
    delivery.run_once(city.now)
    assert (state(row), state(other)) == ("sent", "sent"), "it has left: that stands"
    assert "not this reference" in row.error
    assert Alarm.objects.get(kind="poison").key == f"delivery:{row.pk}"


def test_who_cannot_be_told_that_nobody_was_reached_holds_nothing_up(city: City, sms: Wire, email: Wire) -> None:
    def broken(*_: object) -> None:
        raise LookupError("no such step")

    wiring.unreached[:] = [broken]
    sms.answers = [Answer("refused", error="no such number")]
    email.answers = [Answer("refused", error="no such box")]
    row = tell(city, "station-duty", "gone", "sms")
    delivery.run_once(city.now)
    other = tell(city, "station-head", "more", "sms")
    delivery.run_once(city.now + seconds(1))
    assert (state(row), state(other)) == ("failed", "sent")
    assert Alarm.objects.get(kind="poison").detail["error"] == "LookupError: no such step"


def test_a_message_of_ours_that_is_broken_parks_no_endpoint(city: City, settings: Any) -> None:
    settings.MUSTER_OUTBOUND_ALLOWED = ["127.0.0.1"]
    with receiver() as kept:
        department = city.departments["station"].pk
        one = WebhookEndpoint.objects.create(department_id=department, url=kept.url, secret=SECRET)
        for key in ("bad", "good"):
            message = actions.Message(
                (), department, "instruction.issue", {}, "instructions.assignment", 5, 3, "immediate", key,
                endpoint_ids=(one.pk,),
            )  # fmt: skip
            actions.tell_many(actor=SYSTEM, now=city.now, messages=[message])
        bad, good = Delivery.objects.order_by("id")
        Delivery.objects.filter(pk=bad.pk).update(guard={"by": "deadline", "generation": "soon"})
        tries(city)
    assert (state(bad), state(good)) == ("failed", "sent")
    one.refresh_from_db()
    assert one.parked_at is None
    assert Alarm.objects.get(kind="poison").key == f"delivery:{bad.pk}"
