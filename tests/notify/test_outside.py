"""Do mail, SMS and webhooks reach systems outside, and can a hostile one do no harm?"""

from __future__ import annotations

import json
import socket
import threading
import time
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from standardwebhooks import Webhook, WebhookVerificationError

from coordination.events.actor import SYSTEM
from coordination.events.refused import Invalid
from coordination.notify import actions, delivery, outbound
from coordination.notify.models import Delivery, WebhookEndpoint
from tests.deadlines.city import City
from tests.notify import receiver as receivers
from tests.notify.receiver import receiver, reply

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("wired")]


@pytest.fixture
def loopback(settings: object) -> None:
    """Let this test call loopback."""
    settings.MUSTER_OUTBOUND_ALLOWED = ["127.0.0.1"]  # type: ignore[attr-defined]


def endpoint(city: City, url: str, code: str = "station") -> WebhookEndpoint:
    return WebhookEndpoint.objects.create(department_id=city.departments[code].pk, url=url, secret=SECRET)


def tell(city: City, one: WebhookEndpoint, key: str = "k") -> None:
    message = actions.Message(
        (), one.department_id, "instruction.issue", {"number": "7"}, "instructions.assignment", 5, 3, "immediate", key,
        endpoint_ids=(one.pk,),
    )  # fmt: skip
    actions.tell_many(actor=SYSTEM, now=city.now, messages=[message])


def state(key: str = "k") -> tuple[str, str]:
    row = Delivery.objects.get(dedupe_key__startswith=f"{key}:")
    return row.state, row.error


def test_webhook_is_signed_as_the_standard_says(city: City, loopback: None) -> None:
    """S17: webhook is signed as the standard says."""
    with receiver() as kept:
        tell(city, endpoint(city, kept.url))
        delivery.run_once(city.now)
    assert state() == ("sent", "")
    ((path, headers, body),) = kept.requests
    assert path == "/hook" and headers["host"] == f"127.0.0.1:{kept.port}"
    said = Webhook(SECRET).verify(body, headers)
    assert said["type"] == "instruction.issue"
    assert said["data"]["object"] == {"type": "instructions.assignment", "id": 5}
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body.replace(b"5", b"6"), headers)


def test_a_repeated_attempt_has_the_same_id_and_a_new_time(city: City, loopback: None) -> None:
    with receiver(lambda request: reply(request, 503)) as kept:
        tell(city, endpoint(city, kept.url))
        delivery.run_once(city.now)
        kept.answer = lambda request: reply(request, 200, b"thanks")
        delivery.run_once(city.now + timedelta(seconds=30))
    ids = [headers["webhook-id"] for _path, headers, _body in kept.requests]
    times = [int(headers["webhook-timestamp"]) for _path, headers, _body in kept.requests]
    assert len(set(ids)) == 1 and times[1] - times[0] == 30
    assert state() == ("sent", "")


def test_redirect_is_not_followed(city: City, loopback: None) -> None:
    """S18: redirect is not followed."""
    with receiver() as other, receiver(lambda request: reply(request, 302, Location=other.url)) as kept:
        tell(city, endpoint(city, kept.url))
        delivery.run_once(city.now)
    assert state() == ("pending", "answered 302")
    assert len(kept.requests) == 1 and other.requests == []


@pytest.mark.parametrize("answer", [receivers.endless, receivers.endless_head, receivers.hang_up, receivers.garbage])
def test_hostile_answer_is_a_failed_attempt(city: City, loopback: None, answer: receivers.Answer) -> None:
    with receiver(answer) as kept:
        tell(city, endpoint(city, kept.url))
        began = time.monotonic()
        delivery.run_once(city.now)
        assert time.monotonic() - began < outbound.TOTAL_SECONDS
    assert state()[0] == "pending" and state()[1]


@pytest.mark.parametrize("answer", [receivers.drip, receivers.drip_head])
def test_dripping_answer_is_cut_off(
    city: City, loopback: None, monkeypatch: pytest.MonkeyPatch, answer: receivers.Answer
) -> None:
    monkeypatch.setattr(outbound, "TOTAL_SECONDS", 1.0)
    with receiver(answer) as kept:
        tell(city, endpoint(city, kept.url))
        began = time.monotonic()
        delivery.run_once(city.now)
        assert time.monotonic() - began < 10
    assert state()[0] == "pending" and "longer than 1 s" in state()[1] or "timed out" in state()[1]


def test_slow_receiver_keeps_nobody_else_waiting(city: City, loopback: None) -> None:
    over = threading.Event()

    def slow(request: receivers.BaseHTTPRequestHandler) -> None:
        over.wait(20)
        reply(request, 204)

    with receiver(slow) as hostile, receiver() as good:
        bad, fine = endpoint(city, hostile.url), endpoint(city, good.url, "bureau")
        for n in range(30):
            tell(city, bad, f"bad{n}")
        tell(city, fine, "fine")
        sender = delivery.Sender()
        try:
            until = time.monotonic() + 10
            while not Delivery.objects.filter(dedupe_key__startswith="fine:", state="sent").exists():
                assert time.monotonic() < until
                sender.step(city.now)
                time.sleep(0.02)
            assert Delivery.objects.filter(endpoint=bad, state="sending").count() == 2
        finally:
            over.set()
            sender.finish(city.now)


def test_endpoint_that_never_answers_is_parked_and_tried_again_later(city: City, loopback: None) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        one = endpoint(city, f"http://127.0.0.1:{nobody.getsockname()[1]}/")
        tell(city, one)
        at = city.now
        for wait in (0, 20, 70, 250):
            at += timedelta(seconds=wait)
            delivery.run_once(at)
    one.refresh_from_db()
    assert state()[0] == "failed" and one.parked_at is not None and "unreachable" in one.parked_why
    with receiver() as kept:
        WebhookEndpoint.objects.update(url=kept.url)
        tell(city, one, "next")
        delivery.run_once(at + timedelta(minutes=5))
        assert state("next")[0] == "pending" and kept.requests == []
        delivery.run_once(at + timedelta(minutes=11))
    assert state("next")[0] == "sent"
    one.refresh_from_db()
    assert one.parked_at is None


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://localhost/", "http://127.1/", "http://2130706433/", "http://0x7f000001/",
        "http://0/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://169.254.169.254/latest/meta-data/",
        "http://[fe80::1]/", "http://10.0.0.1/", "http://192.168.1.1/", "http://172.16.0.1/", "http://100.64.0.1/",
        "http://0177.0.0.1/", "http://017700000001/", "http://0x7f.1/", "http://127.0.0.1./", "http://0x08080808/",
        "http://134744072/", "http://8.8.2056/", "http://010.8.8.8/", "http://[64:ff9b::a00:1]/", "http://[::7f00:1]/",
        "http://[2001:0:7f00:1::]/", "http://[fd00::1]/", "http://[::]/", "http://[ff02::1]/", "http://240.0.0.1/",
        "http://[fe80::1%25lo]/", "http://\u2460\u2461\u2466.1/", "http://127.0.0.1\u3002/", "data:,x", "https:",
        "http://224.0.0.1/", "http://0.0.0.0/", "http://[2002:7f00:1::]/", "ftp://example.org/", "file:///etc/passwd",
        "gopher://127.0.0.1/", "http://user:secret@example.org/", "http:///nohost", "http://example.org:99999/", "//x",
    ],
)  # fmt: skip
def test_addresses_that_are_never_called(city: City, url: str) -> None:
    """S18: addresses that are never called."""
    with pytest.raises(outbound.RefusedAddressError):
        outbound.post_json(url, {})
    with pytest.raises(Invalid):
        actions.add_endpoint(
            actor=SYSTEM, now=city.now, department_id=city.departments["hall"].pk, url=url, secret=SECRET
        )


def test_refused_address_is_not_tried_again(city: City) -> None:
    with receiver() as kept:
        tell(city, endpoint(city, kept.url))
        delivery.run_once(city.now)
        assert kept.requests == []
    assert state() == ("failed", "127.0.0.1 leads to 127.0.0.1, which is not called")


def test_name_is_resolved_once_and_that_address_is_called(
    city: City, settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S18: a name that leads elsewhere the second time (rebinding) changes nothing: there is no second time."""
    settings.MUSTER_OUTBOUND_ALLOWED = ["partner.test=127.0.0.0/8"]  # type: ignore[attr-defined]
    asked: list[str] = []
    real = socket.getaddrinfo

    def resolve(host: str, port: int, *more: object, **named: object) -> object:
        asked.append(str(host))
        return real("127.0.0.1" if host == "partner.test" else host, port, *more, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with receiver() as kept:
        outbound.post_json(f"http://partner.test:{kept.port}/hook", {})
        assert kept.requests[0][1]["host"] == f"partner.test:{kept.port}"
    assert asked.count("partner.test") == 1


def leads_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Names lead to these addresses, one after the other; returns what was asked."""
    asked: list[str] = []

    def resolve(host: str, port: int, *more: object, **named: object) -> object:
        asked.append(str(host))
        address = addresses[min(len(asked), len(addresses)) - 1]
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return asked


@pytest.mark.parametrize(
    ("listed", "address", "called"),
    [
        ((), "10.1.2.3", False),
        (("partner.test",), "10.1.2.3", True),
        (("partner.test",), "fd00::1", True),
        (("partner.test",), "127.0.0.1", False),
        (("partner.test",), "::1", False),
        (("partner.test",), "169.254.169.254", False),
        (("partner.test=10.1.0.0/16",), "10.1.2.3", True),
        (("partner.test=10.1.0.0/16",), "10.2.2.3", False),
        (("partner.test=0.0.0.0/0",), "169.254.169.254", False),
        (("partner.test = 10.1.2.3",), "::ffff:10.1.2.3", True),
        (("other.test",), "10.1.2.3", False),
        (("10.0.0.0/8",), "10.1.2.3", False),
        (("partner.test=no network",), "10.1.2.3", False),
        ((), "64:ff9b::808:808", True),
        ((), "8.8.8.8", True),
    ],
)
def test_private_addresses_are_opened_partner_by_partner(
    settings: object, monkeypatch: pytest.MonkeyPatch, listed: tuple[str, ...], address: str, called: bool
) -> None:
    """S18: private ranges only if listed for this partner, and what is link-local never."""
    settings.MUSTER_OUTBOUND_ALLOWED = list(listed)  # type: ignore[attr-defined]
    leads_to(monkeypatch, address)
    if called:
        outbound.check("http://partner.test/")
        return
    with pytest.raises(outbound.RefusedAddressError):
        outbound.check("http://partner.test/")


def test_a_name_with_one_good_and_one_bad_address_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 80)) for one in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_n: both)
    with pytest.raises(outbound.RefusedAddressError):
        outbound.check("http://partner.test/")


def test_not_even_our_own_settings_lead_to_link_local(settings: object) -> None:
    """S18: the SMS gateway is named by us; a link-local address (a cloud's secrets) is none."""
    settings.MUSTER_OUTBOUND_ALLOWED = []  # type: ignore[attr-defined]
    with pytest.raises(outbound.RefusedAddressError):
        outbound.post_json("http://169.254.169.254/messages", {}, trusted=True)


def test_a_resolver_that_never_answers_holds_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(outbound, "CONNECT_SECONDS", 0.2)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_n: over.wait(20) and [])
    try:
        with pytest.raises(outbound.UnreachableError):
            outbound.post_json("http://partner.test/", {})
    finally:
        over.set()


def test_sms_goes_through_the_gateway_once(city: City, gateway: str, tmp_path: Path) -> None:
    person = city.people["station-duty"]
    for _ in range(2):
        actions.tell(
            people=[person.pk], department_id=None, text_key="assignment.urge", args={"number": "7"}, guard={},
            subject=city.departments["hall"], incident_id=None, urgency="immediate", key="k", now=city.now,
        )  # fmt: skip
        delivery.run_once(city.now)
    (message,) = httpx.get(gateway).json()["messages"]
    assert message["to"] == person.phone and "7" in message["text"]
    assert Delivery.objects.get(channel="sms").provider_ref == message["id"]
    Delivery.objects.filter(channel="sms").update(state="sending", lease_until=city.now)
    delivery.run_once(city.now + timedelta(seconds=60))
    assert Delivery.objects.get(channel="sms").state == "sent"
    assert len(httpx.get(gateway).json()["messages"]) == 1
    assert json.loads((tmp_path / "messages.jsonl").read_text())["id"] == message["id"]
    assert "<script" not in httpx.get(gateway.removesuffix("/messages")).text


def test_gateway_refuses_nonsense_and_shows_text_as_text(gateway: str) -> None:
    for body in (b"", b"[]", b"{", b'{"id": 1}', b"\xff"):
        assert httpx.post(gateway, content=body).status_code in (413, 422)
    httpx.post(gateway, json={"id": "1", "to": "2", "text": "<script>alert(1)</script>"})
    assert "&lt;script&gt;" in httpx.get(gateway.removesuffix("/messages")).text
    assert httpx.get(f"{gateway}/none").status_code == 404


def test_gateway_that_is_gone_leaves_it_to_mail(city: City, settings: object) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        settings.MUSTER_SMS_URL = f"http://127.0.0.1:{nobody.getsockname()[1]}/"  # type: ignore[attr-defined]
        actions.tell(
            people=[city.people["station-duty"].pk], department_id=None, text_key="other", args={}, guard={},
            subject=city.departments["hall"], incident_id=None, urgency="immediate", key="k", now=city.now,
        )  # fmt: skip
        for wait in (0, 20, 90, 340, 345):
            delivery.run_once(city.now + timedelta(seconds=wait))
    assert Delivery.objects.get(channel="sms").state == "failed"
    assert len(mail.outbox) == 1


def test_administrator_adds_lists_and_removes_an_address(
    city: City, loopback: None, capsys: pytest.CaptureFixture[str]
) -> None:
    with receiver() as kept:
        call_command("webhook", "add", "station", kept.url, "instruction.issue")
        number, secret = capsys.readouterr().out.split()
        call_command("webhook", "list")
        listed = capsys.readouterr().out
        assert kept.url in listed and secret not in listed
        one = WebhookEndpoint.objects.get(pk=int(number))
        tell(city, one)
        delivery.run_once(city.now)
        ((_path, headers, body),) = kept.requests
        assert Webhook(secret).verify(body, headers)["data"]["department"] == city.departments["station"].pk
        tell(city, one, "later")
        call_command("webhook", "remove", number)
        delivery.run_once(city.now)
        assert state("later")[0] == "superseded" and len(kept.requests) == 1
    with pytest.raises(CommandError):
        call_command("webhook", "remove", number)


@pytest.mark.parametrize("given", [("nowhere", "https://example.org/"), ("station", "http://127.0.0.1/")])
def test_administrator_hears_why_not(city: City, given: tuple[str, str]) -> None:
    with pytest.raises(CommandError):
        call_command("webhook", "add", *given)
    assert not WebhookEndpoint.objects.exists()
