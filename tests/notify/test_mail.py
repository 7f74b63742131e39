"""Is a message kept and sent by another way when the mail server is down or sends it back (`F29`)?"""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from datetime import timedelta
from typing import Any

import httpx
import pytest

from coordination.notify import actions, delivery
from coordination.notify.models import Delivery
from tests.deadlines.city import City
from tests.notify.post_office import PostOffice, post_office

RETRIES = (0, 20, 90, 340)
"""Seconds after which each attempt is due: at once, after 15, 60 and 240 s."""
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("wired")]


@pytest.fixture
def mail_at(settings: Any) -> Any:
    """Return what sends mail to the server at a port, over SMTP itself."""

    def there(port: int) -> None:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        settings.EMAIL_USE_TLS, settings.EMAIL_HOST_USER, settings.EMAIL_TIMEOUT = False, "", 2

    return there


def texted(gateway: str) -> list[dict[str, str]]:
    """What went out over the SMS gateway."""
    return list(httpx.get(gateway).json()["messages"])


def tell(city: City, urgency: str, key: str = "k", who: str = "station-duty") -> None:
    actions.tell(
        people=[city.people[who].pk], department_id=None, text_key="assignment.urge", args={"number": "7"}, guard={},
        subject=city.departments["hall"], incident_id=None, urgency=urgency, key=key, now=city.now,
    )  # fmt: skip


def rows() -> dict[str, str]:
    """The state of the message on each channel."""
    return dict(Delivery.objects.values_list("channel", "state"))


def test_mail_goes_out_over_smtp(city: City, mail_at: Any) -> None:
    with post_office() as office:
        mail_at(office.port)
        tell(city, "routine")
        delivery.run_once(city.now)
    (mail,) = office.mails
    assert mail["To"] == city.people["station-duty"].email
    assert "7" in mail.get_content()
    assert rows()["email"] == "sent"


def test_a_mail_server_that_is_down_leaves_every_row_and_the_other_channel_goes(
    city: City, mail_at: Any, gateway: str
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        mail_at(nobody.getsockname()[1])
        tell(city, "routine")
        for wait in RETRIES[:-1]:
            delivery.run_once(city.now + timedelta(seconds=wait))
            assert rows()["email"] == "pending"  # kept, and said why
            assert "refused" in Delivery.objects.get(channel="email").error.lower()
        assert rows()["in_app"] == "sent"
        delivery.run_once(city.now + timedelta(seconds=RETRIES[-1]))
        delivery.run_once(city.now + timedelta(seconds=RETRIES[-1] + 5))
    row = Delivery.objects.get(channel="email")
    assert (row.state, row.attempts) == ("failed", len(RETRIES))
    assert rows()["sms"] == "sent"
    assert len(texted(gateway)) == 1


def test_a_mail_that_comes_back_takes_the_other_channel_at_once(
    city: City, mail_at: Any, gateway: str
) -> None:
    def no_such_box(command: str, _line: str) -> str | None:
        return "550 no such box" if command == "RCPT" else None

    with post_office(no_such_box) as office:
        mail_at(office.port)
        tell(city, "routine")
        delivery.run_once(city.now)
        delivery.run_once(city.now + timedelta(seconds=1))
    row = Delivery.objects.get(channel="email")
    assert (row.state, row.attempts) == ("failed", 1) and "550" in row.error
    assert office.mails == []
    assert rows()["sms"] == "sent" and len(texted(gateway)) == 1


def moods() -> dict[str, Any]:
    """What a mail server that is ill may do, by name: how it answers."""

    def at(where: str, what: str) -> Any:
        return lambda command, _line: what if command == where else None

    return {
        "busy at the greeting": at("HELLO", "421 too busy"), "gone at the greeting": at("HELLO", ""),
        "box full for now": at("RCPT", "452 box full"), "no to the text": at("DATA", "451 later"),
        "no after the text": at("END", "451 disk full"), "gone after the text": at("END", ""),
        "nonsense": at("MAIL", "what?"),
    }  # fmt: skip


@pytest.mark.parametrize("mood", list(moods()))
def test_an_ill_mail_server_loses_nothing_and_what_was_kept_goes_out_once_it_is_well(
    city: City, mail_at: Any, mood: str
) -> None:
    with post_office(moods()[mood]) as office:
        mail_at(office.port)
        for number in range(3):
            tell(city, "routine", f"k{number}")
        delivery.run_once(city.now)
        states = Counter(Delivery.objects.filter(channel="email").values_list("state", flat=True))
        assert sum(states.values()) == 3 and states["sent"] == 0, states
        office.say = lambda _command, _line: None
        for wait in RETRIES[1:]:
            delivery.run_once(city.now + timedelta(seconds=wait))
    assert set(Delivery.objects.filter(channel="email").values_list("state", flat=True)) <= {"sent", "failed"}
    failed = Delivery.objects.filter(channel="email", state="failed").count()
    if mood == "box full for now":
        assert failed in (0, 3)
    else:
        assert failed == 0
        assert len({mail["Message-ID"] for mail in office.mails}) == 3


def test_a_mail_server_that_never_answers_holds_up_no_other_channel(
    city: City, mail_at: Any, gateway: str
) -> None:
    over = threading.Event()

    def silent(_command: str, _line: str) -> str | None:
        over.wait(30)
        return ""

    with post_office(silent) as office:
        mail_at(office.port)
        for number in range(20):
            tell(city, "routine", f"slow{number}")
        tell(city, "immediate", "quick")
        sender, began = delivery.Sender(), time.monotonic()
        try:
            while not Delivery.objects.filter(channel="sms", state="sent").exists():
                assert time.monotonic() - began < 10, "the other channel waited for the mail server"
                sender.step(city.now)
                time.sleep(0.02)
            assert len(texted(gateway)) >= 1
            assert Delivery.objects.filter(channel="email", state="sent").count() == 0
        finally:
            over.set()
            sender.finish(city.now)
    assert isinstance(office, PostOffice)
