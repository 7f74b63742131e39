"""Do receivers that are down, endless or dripping cost no more than they may, and nobody else anything (`F28`)?

With the true limits: 15 s for a call, 1 MB of an answer, four attempts over five minutes, then the endpoint is parked.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import tracemalloc
from datetime import timedelta
from http.server import BaseHTTPRequestHandler

import pytest

from coordination.events.actor import SYSTEM
from coordination.notify import actions, delivery, outbound
from coordination.notify.models import Delivery, WebhookEndpoint
from tests.deadlines.city import City
from tests.notify import receiver as receivers
from tests.notify.receiver import receiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
GOOD_SECONDS = 5.0
"""Within which what goes to a receiver that answers must be there, whoever else hangs."""
IN_SOCKETS = 8 * 1024 * 1024
"""What lies in the kernel's buffers between two ends of loopback when one no longer reads, and then some."""
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("wired")]


@pytest.fixture(autouse=True)
def _loopback(settings: object) -> None:
    settings.MUSTER_OUTBOUND_ALLOWED = ["127.0.0.1"]  # type: ignore[attr-defined]


def endpoint(city: City, url: str) -> WebhookEndpoint:
    return WebhookEndpoint.objects.create(department_id=city.departments["station"].pk, url=url, secret=SECRET)


def tell(city: City, one: WebhookEndpoint, key: str) -> None:
    message = actions.Message(
        (), one.department_id, "instruction.issue", {"number": "7"}, "instructions.assignment", 5, 3, "immediate", key,
        endpoint_ids=(one.pk,),
    )  # fmt: skip
    actions.tell_many(actor=SYSTEM, now=city.now, messages=[message])


def test_no_more_than_a_megabyte_of_an_answer_is_read(city: City) -> None:
    sent = [0]

    def endless(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        with contextlib.suppress(OSError):
            while True:
                sent[0] += request.wfile.write(b"x" * 65536)

    with receiver(endless) as kept:
        tracemalloc.start()
        with pytest.raises(outbound.TooMuchError):
            outbound.post_json(kept.url, {}, trusted=True)
        _now, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert outbound.LARGEST == 1024 * 1024
    assert sent[0] < outbound.LARGEST + IN_SOCKETS
    assert most < 4 * outbound.LARGEST


@pytest.mark.long
@pytest.mark.parametrize("answer", [receivers.drip, receivers.drip_head])
def test_a_dripping_answer_is_cut_off_after_fifteen_seconds(answer: receivers.Answer) -> None:
    with receiver(answer) as kept:
        began = time.monotonic()
        with pytest.raises(outbound.NoAnswerError):
            outbound.post_json(kept.url, {}, trusted=True)
        took = time.monotonic() - began
    assert 14.0 < took < 16.0


@pytest.mark.long
@pytest.mark.timeout(600)
def test_hostile_receivers_are_tried_four_times_and_parked_while_others_hear_in_time(city: City) -> None:
    """One is down, one endless, one drips, one takes nothing in; messages for all of them come for a quarter minute."""
    over = threading.Event()

    def hangs(_request: BaseHTTPRequestHandler) -> None:
        over.wait(20)

    with (
        socket.socket() as nobody, receiver(receivers.endless) as endless, receiver(receivers.drip) as dripping,
        receiver(hangs) as hanging, receiver() as good,
    ):  # fmt: skip
        nobody.bind(("127.0.0.1", 0))
        down = f"http://127.0.0.1:{nobody.getsockname()[1]}/"
        bad = [endpoint(city, url) for url in (down, endless.url, dripping.url, hanging.url)]
        fine = endpoint(city, good.url)
        late, asked = [], {}
        sender, began = delivery.Sender(), time.monotonic()
        number = 0
        while (passed := time.monotonic() - began) < 20:
            if number < 30 and passed > number / 2:
                for one in (*bad, fine):
                    tell(city, one, f"{one.pk}-{number}")
                asked[f"{fine.pk}-{number}"] = passed
                number += 1
            sender.step(city.now + timedelta(seconds=passed))
            there = Delivery.objects.filter(endpoint=fine, state="sent").values_list("dedupe_key", flat=True)
            done = [key for key in asked if any(one.startswith(f"{key}:") for one in there)]
            late += [time.monotonic() - began - asked.pop(key) for key in done]
            time.sleep(0.02)
        assert asked == {} and len(late) == 30
        assert max(late) < GOOD_SECONDS, sorted(late)[-5:]
        over.set()
        sender.finish(city.now + timedelta(seconds=time.monotonic() - began))

        # what failed is tried again after 15, 60 and 240 s: one message of each is followed to its end
        Delivery.objects.filter(endpoint__in=bad).exclude(dedupe_key__contains="-0:").delete()
        at = city.now + timedelta(seconds=time.monotonic() - began)
        for wait in (40, 90, 280, 280):
            at += timedelta(seconds=wait)
            delivery.run_once(at)
    rows = Delivery.objects.filter(endpoint__in=bad)
    assert {(row.endpoint_id, row.state, row.attempts) for row in rows} == {(one.pk, "failed", 4) for one in bad}
    parked = WebhookEndpoint.objects.exclude(parked_at=None)
    assert {one.pk for one in parked} == {one.pk for one in bad}
    assert all(one.parked_why for one in parked)
