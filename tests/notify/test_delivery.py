"""Does every message leave once, by the next way when one fails, and not at all when nobody wants it any more?"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from coordination.events.actor import SYSTEM
from coordination.events.models import Event, StreamEntry
from coordination.notify import actions, delivery, wiring
from coordination.notify.channels import Answer, Letter
from coordination.notify.delivery import claim as claims
from coordination.notify.delivery.outcome import settle
from coordination.notify.models import Delivery, Notice
from tests.deadlines.city import City
from tests.notify.wire import Wire

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("wired")]


def seconds(amount: float) -> timedelta:
    return timedelta(seconds=amount)


def tell(city: City, *names: str, key: str = "k", urgency: str = "routine", **more: Any) -> int:
    subject = city.departments["station"]
    return actions.tell(
        people=[city.people[name].pk for name in names],
        subject=subject,
        now=city.now,
        key=key,
        urgency=urgency,
        **{
            "department_id": subject.pk,
            "text_key": "assignment.urge",
            "args": {"number": "7", "headline_zh": "疏散", "headline_en": "Evacuate"},
            "incident_id": None,
            "guard": {},
            **more,
        },
    )


def states(channel: str) -> list[str]:
    return list(Delivery.objects.filter(channel=channel).order_by("id").values_list("state", flat=True))


def test_the_same_message_is_written_once_whoever_writes_it(city: City) -> None:
    assert tell(city, "station-duty", "station-head") == 4
    assert tell(city, "station-duty", "station-head", "bureau-head") == 2
    assert Notice.objects.count() == 3
    assert Event.objects.filter(type="notice.new").count() == 3
    person = city.people["station-duty"]
    assert StreamEntry.objects.filter(stream=f"user:{person.pk}", home=True).count() == 1


def test_telling_costs_the_same_queries_for_few_and_for_many(city: City) -> None:
    counts = []
    for size in (2, 80):
        messages = [
            actions.Message((city.people["hall-duty"].pk,), None, "other", {}, "x.y", 1, None, "routine", f"{size}.{n}")
            for n in range(size)
        ]
        with CaptureQueriesContext(connection) as seen:
            actions.tell_many(actor=SYSTEM, now=city.now, messages=messages)
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_notice_at_once_mail_in_the_persons_language(city: City) -> None:
    city.people["bureau-duty"].language = "en"
    city.people["bureau-duty"].save()
    tell(city, "station-duty", "bureau-duty")
    delivery.run_once(city.now)
    assert states("in_app") == states("email") == ["sent", "sent"]
    by_address = {letter.to[0]: letter for letter in mail.outbox}
    assert "You are urged on: 7 “Evacuate”." in by_address["bureau-duty@city.test"].body
    assert "疏散" in by_address["station-duty@city.test"].body
    assert len({letter.extra_headers["Message-ID"] for letter in mail.outbox}) == 2
    delivery.run_once(city.now + seconds(100))
    assert len(mail.outbox) == 2


def test_exercise_reaches_no_channel_outside(city: City, sms: Wire) -> None:
    tell(city, "station-duty", urgency="immediate", exercise=True)
    delivery.run_once(city.now)
    assert list(Delivery.objects.values_list("channel", "state")) == [("in_app", "sent")]
    assert sms.letters == [] and mail.outbox == []
    assert Notice.objects.get().exercise


def test_a_person_without_addresses_gets_the_notice(city: City, sms: Wire) -> None:
    city.person("bare", email="", phone="")
    city.person("gone", is_active=False)
    assert tell(city, "bare", "gone") == 1


def test_retries_then_the_next_channel(city: City, sms: Wire, email: Wire) -> None:
    tell(city, "station-duty", urgency="immediate")
    sms.answers = [Answer("failed", error="gateway answered 500")] * 4
    at = city.now
    for wait in (15, 60, 240):
        delivery.run_once(at)
        row = Delivery.objects.get(channel="sms")
        assert (row.state, row.error) == ("pending", "gateway answered 500")
        assert seconds(wait) <= row.available_at - at < seconds(wait + 10)
        at = row.available_at
        assert delivery.run_once(at - seconds(0.1)) >= 1
    assert len(sms.letters) == 3 and email.letters == []
    delivery.run_once(at)
    assert states("sms") == ["failed"]
    delivery.run_once(at + seconds(5))
    assert states("email") == ["sent"]
    assert len({letter.key for letter in sms.letters}) == 1


def test_all_ways_failed_is_said_and_the_step_counts_as_empty(city: City, sms: Wire, email: Wire) -> None:
    heard: list[tuple[Any, ...]] = []
    wiring.unreached[:] = [lambda *said: heard.append(said)]
    sms.answers = email.answers = [Answer("refused", error="no such number")] * 4
    tell(city, "station-duty", "station-head", urgency="urgent", guard={"kind": "start", "generation": 1, "level": 0})
    delivery.run_once(city.now)
    delivery.run_once(city.now + seconds(5))
    assert states("sms") == states("email") == ["failed", "failed"]
    assert len(heard) == 1, "said when the last of the step's people could not be reached"
    assert heard[0][2]["level"] == 0
    assert heard[0][2]["department"] == city.departments["station"].pk


def test_superseded_when_its_guard_fails_before_the_call(city: City, sms: Wire) -> None:
    asked: list[tuple[int, dict[str, Any]]] = []

    def guard(subject_id: int, said: dict[str, Any]) -> bool:
        asked.append((subject_id, said))
        return False

    wiring.guards["accounts.department"] = guard
    tell(city, "station-duty", urgency="immediate", guard={"version": 1})
    delivery.run_once(city.now)
    assert states("sms") == ["superseded"] and sms.letters == []
    assert asked == [(city.departments["station"].pk, {"version": 1})]


def test_lease_over_resends_mail_and_asks_about_sms(city: City, sms: Wire, email: Wire) -> None:
    tell(city, "station-duty", key="a", urgency="immediate")
    tell(city, "station-head", key="b", urgency="routine")
    for channel in ("sms", "email"):
        assert len(claims.claim(city.now, channel, 5, Counter())) == 1
    delivery.run_once(city.now + seconds(30))
    assert states("sms") == states("email") == ["sending"]
    sms.told = [Answer("sent", "ref")]
    delivery.run_once(city.now + seconds(31))
    assert states("sms") == states("email") == ["sent"]
    assert (len(sms.letters), len(sms.asked), len(email.letters)) == (0, 1, 1)


def test_provider_that_never_got_it_gets_it_now(city: City, sms: Wire) -> None:
    tell(city, "station-duty", urgency="immediate")
    sms.answers = [Answer("unknown", "ref", "no answer")]
    sms.told = [Answer("failed", error="never got it")]
    delivery.run_once(city.now)
    assert states("sms") == ["unknown"]
    at = city.now + seconds(60)
    delivery.run_once(at)
    delivery.run_once(at + seconds(60))
    assert states("sms") == ["sent"]
    assert [letter.repeat for letter in sms.letters] == [False, False]


def test_sms_of_which_nobody_knows_is_repeated_once_then_the_next_channel(
    city: City, sms: Wire, email: Wire
) -> None:
    tell(city, "station-duty", urgency="immediate")
    sms.answers = [Answer("unknown", "ref", "no answer")] * 5
    for wait in range(0, 400, 40):
        delivery.run_once(city.now + seconds(wait))
    assert [letter.repeat for letter in sms.letters] == [False, True]
    assert (states("sms"), states("email")) == (["failed"], ["sent"])


def test_answer_that_comes_after_the_lease_was_taken_over_changes_nothing(city: City, email: Wire) -> None:
    tell(city, "station-duty")
    (late,) = claims.claim(city.now, "email", 1, Counter())
    claims.lapse(city.now + seconds(31))
    (_again,) = claims.claim(city.now + seconds(31), "email", 1, Counter())
    settle(late, Answer("failed", error="late"), city.now + seconds(32))
    row = Delivery.objects.get(channel="email")
    assert (row.state, row.attempts, row.error) == ("sending", 2, "lease over")


@pytest.mark.parametrize(("waiting", "letters"), [(5, 5), (6, 1)])
def test_over_five_waiting_for_one_person_go_as_one(city: City, email: Wire, waiting: int, letters: int) -> None:
    for n in range(waiting):
        tell(city, "station-duty", key=f"k{n}")
    tell(city, "station-head")
    delivery.run_once(city.now)
    assert states("email") == ["sent"] * (waiting + 1)
    mine = [letter for letter in email.letters if letter.address == "station-duty@city.test"]
    assert len(mine) == letters
    if letters == 1:
        assert len(mine[0].lines) == waiting + 1 and str(waiting) in mine[0].subject


def test_urgent_before_routine(city: City, sms: Wire) -> None:
    tell(city, "station-duty", key="a", channels=("sms",), urgency="routine")
    tell(city, "station-head", key="b", channels=("sms",), urgency="immediate")
    (first,) = claims.claim(city.now, "sms", 1, Counter())
    assert first.deliveries[0].dedupe_key.startswith("b:")


def test_first_message_that_left_is_told_once(city: City, email: Wire) -> None:
    heard: list[tuple[int, datetime]] = []
    wiring.sent["accounts.department"] = lambda subject_id, now: heard.append((subject_id, now))
    tell(city, "station-duty", "station-head")
    delivery.run_once(city.now)
    delivery.run_once(city.now + seconds(1))
    assert heard == [(city.departments["station"].pk, city.now)]
    tell(city, "station-duty", key="later")
    delivery.run_once(city.now + seconds(2))
    assert len(heard) == 1


def test_room_that_cannot_take_note_now_hears_again(city: City, email: Wire) -> None:
    heard: list[int] = []

    def busy(subject_id: int, now: datetime) -> None:
        heard.append(subject_id)
        if len(heard) == 1:
            raise TimeoutError("locked")

    wiring.sent["accounts.department"] = busy
    tell(city, "station-duty", channels=("in_app",))
    delivery.run_once(city.now)
    assert states("in_app") == ["pending"]
    delivery.run_once(city.now + seconds(1))
    assert states("in_app") == ["sent"] and len(heard) == 2


def test_room_that_never_takes_note_keeps_no_message_back(city: City, email: Wire) -> None:
    def broken(subject_id: int, now: datetime) -> None:
        raise LookupError("no such thing")

    wiring.sent["accounts.department"] = broken
    tell(city, "station-duty", channels=("in_app",))
    for minutes in range(12):
        delivery.run_once(city.now + timedelta(minutes=5 * minutes))
    assert states("in_app") == ["sent"]


def test_channel_that_breaks_is_a_failed_attempt(city: City, sms: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(letter: Letter) -> Answer:
        raise httpx.InvalidURL("what is this")

    monkeypatch.setattr(sms, "send", broken)
    tell(city, "station-duty", urgency="immediate")
    delivery.run_once(city.now)
    assert Delivery.objects.get(channel="sms").error == "InvalidURL: what is this"


def test_voice_code_goes_out_not_on_screen(city: City, sms: Wire) -> None:
    message = actions.Message(
        (city.people["station-duty"].pk,), None, "instruction.issue", {"number": "7"}, "x.y", 1, None, "immediate", "v",
        outside_args={"voice_code": "4711"},
    )  # fmt: skip
    actions.tell_many(actor=SYSTEM, now=city.now, messages=[message])
    delivery.run_once(city.now)
    assert "4711" in sms.letters[0].lines[1]
    assert "4711" not in str(Notice.objects.get().args)


def test_next_due_counts_leases_too(city: City, sms: Wire) -> None:
    assert delivery.next_due(city.now) is None
    tell(city, "station-duty", channels=("sms",))
    assert delivery.next_due(city.now) == 0
    claims.claim(city.now, "sms", 1, Counter())
    assert delivery.next_due(city.now) == 30

