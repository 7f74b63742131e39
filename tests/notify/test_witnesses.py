"""Does each witness get every anchor, in order, whatever becomes of the others?"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection
from standardwebhooks import Webhook

from accounts.models import Department
from coordination.deadlines.engine import loop
from coordination.deadlines.models import Alarm
from coordination.events import clock
from coordination.events.models import Event, Seal
from coordination.events.sealing import anchoring, anchors, line, sealer
from coordination.events.sealing.proof import Report
from coordination.notify import witnesses
from coordination.notify.models import Witness
from tests.events.deeds import PERSON, department, note
from tests.notify.receiver import receiver, reply

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture(autouse=True)
def _key(settings: Any) -> Iterator[None]:
    settings.MUSTER_ANCHOR_KEY = "44" * 32
    yield
    line.close()


def anchored(times: int = 1, *, first: bool = True) -> None:
    """Make so many anchors, each over something new."""
    pk = department().pk if first else Department.objects.get().pk
    for _ in range(times):
        note(actor=PERSON, now=clock.now(), department_id=pk, streams=("a",))
        sealer.run_once()
        with line.transaction() as cursor:
            key = anchoring.key()
            cursor.execute("SELECT number, heads FROM events_anchor ORDER BY number DESC LIMIT 1")
            number, prev = cursor.fetchone() or (0, anchors.FIRST)
            assert key is not None
            anchoring._make(cursor, key, number + 1, bytes(prev))


def kept(path: Path) -> list[anchors.Signed]:
    return [anchors.read(json.loads(one)) for one in path.read_text().splitlines()]


def test_the_file_gets_each_anchor_once_and_what_was_torn_again(tmp_path: Path, settings: Any) -> None:
    settings.MUSTER_WITNESS_FILE = str(tmp_path / "anchors")
    anchored(13)
    assert witnesses.behind(13) == {"file": 13}
    now = clock.now()
    assert [witnesses.hand_over(now) for _ in range(3)] == [20, 6, 0], "the log itself is told as well"
    found = kept(tmp_path / "anchors")
    assert [one.number for one in found] == list(range(1, 14))
    report = Report()
    row = anchors.Row(report, anchoring.public_keys())
    assert all(row.take(one) for one in found) and report.findings == []
    assert witnesses.behind(13) == {"file": 0}
    with (tmp_path / "anchors").open("a") as file:
        file.write('{"number": 14, "at": "20')
    anchored(first=False)
    witnesses.hand_over(now)
    assert json.loads((tmp_path / "anchors").read_text().splitlines()[-1])["number"] == 14


def test_the_receiver_gets_what_it_can_check_and_is_tried_again(settings: Any, tmp_path: Path) -> None:
    settings.MUSTER_OUTBOUND_ALLOWED = ["127.0.0.1=127.0.0.1/32"]
    settings.MUSTER_WITNESS_SECRET, settings.MUSTER_WITNESS_FILE = SECRET, str(tmp_path / "anchors")
    anchored(2)
    now = clock.now()
    with receiver(lambda request: reply(request, 503)) as outside:
        settings.MUSTER_WITNESS_URL = outside.url
        assert witnesses.hand_over(now) == 4, "the file and the log are not kept waiting"
        assert len(outside.requests) == 1
        assert Witness.objects.get(name="receiver").error == "NotTakenError: answered 503"
        witnesses.hand_over(now)
        assert len(outside.requests) == 1, "it is left alone for a moment"
        outside.answer = lambda request: reply(request, 204)
        assert witnesses.hand_over(now + timedelta(seconds=30)) == 2
        bodies = []
        for _path, headers, body in outside.requests[1:]:
            Webhook(SECRET).verify(body, headers)
            bodies.append(anchors.read(json.loads(body)["data"]))
    report = Report()
    row = anchors.Row(report, anchoring.public_keys())
    assert all(row.take(one) for one in bodies) and report.findings == [] and row.last[0] == 2


def test_an_address_that_must_not_be_called_is_not(settings: Any) -> None:
    settings.MUSTER_WITNESS_SECRET = SECRET
    anchored()
    with receiver() as outside:
        settings.MUSTER_WITNESS_URL = outside.url
        witnesses.hand_over(clock.now())
        assert outside.requests == []
    assert "is not called" in Witness.objects.get(name="receiver").error


def test_syslog_is_told_by_udp_and_by_tcp(settings: Any) -> None:
    anchored()
    now = clock.now()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as heard:
        heard.bind(("127.0.0.1", 0))
        heard.settimeout(5)
        settings.MUSTER_WITNESS_SYSLOG = f"127.0.0.1:{heard.getsockname()[1]}"
        witnesses.hand_over(now)
        datagram = heard.recv(65_536).decode()
    head, _brace, rest = datagram.partition("{")
    assert head.startswith("<109>1 2") and head.split()[-2:] == ["anchor", "-"]
    assert json.loads("{" + rest)["number"] == 1
    Witness.objects.filter(name="syslog").delete()
    with socket.create_server(("127.0.0.1", 0)) as server:
        took: list[bytes] = []
        thread = threading.Thread(target=lambda: took.append(server.accept()[0].makefile("rb").read()))
        thread.start()
        settings.MUSTER_WITNESS_SYSLOG = f"tcp:127.0.0.1:{server.getsockname()[1]}"
        witnesses.hand_over(now)
        thread.join(5)
    length, _space, line_ = took[0].partition(b" ")
    assert int(length) == len(line_) and b'"number":1' in line_
    Witness.objects.filter(name="syslog").delete()
    for nonsense in ("nowhere", "tcp:", "host:port"):
        settings.MUSTER_WITNESS_SYSLOG = nonsense
        witnesses.hand_over(now + timedelta(hours=1))
        assert "no host:port" in Witness.objects.get(name="syslog").error
        Witness.objects.filter(name="syslog").delete()


def test_the_log_tells_of_each_anchor_once() -> None:
    anchored(2)
    assert [witnesses.hand_over(clock.now()) for _ in range(2)] == [2, 0]
    told = Event.objects.filter(type="log.anchored").order_by("id")
    assert [one.object_id for one in told] == [1, 2]
    assert set(told[0].payload) == {"digest", "signature"}


def test_the_engines_loops_seal_anchor_and_raise_the_alarm(settings: Any, tmp_path: Path) -> None:
    settings.MUSTER_WITNESS_FILE = str(tmp_path / "anchors")
    pk = department().pk
    for _ in range(3):
        note(actor=PERSON, now=clock.now(), department_id=pk, streams=("a",))
    assert loop.seal_turn() == loop.SEAL_EVERY
    assert Seal.objects.filter(stream="a").count() == 3
    assert loop.anchor_turn() == 0.0 and loop.anchor_turn() == loop.ANCHOR_EVERY
    assert [one.number for one in kept(tmp_path / "anchors")] == [1]
    note(actor=PERSON, now=clock.now(), department_id=pk, streams=("a", "b"))
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM events_streamentry WHERE stream = 'a' AND seq = 4")
    loop.seal_turn()
    loop.seal_turn()
    alarm = Alarm.objects.get(kind="log_broken")
    assert (alarm.key, alarm.detail) == ("a", {"stream": "a", "after": 3})
    assert {"seal", "anchor"} <= {one.name for one in loop.LOOPS}


def test_a_database_that_does_not_let_the_sealer_in_is_what_the_loops_expect(settings: Any) -> None:
    settings.MUSTER_SEALER_LOGIN = "nobody_at_all"
    with pytest.raises(OperationalError):
        loop.seal_turn()
