"""What becomes of acknowledged work and of answers when PostgreSQL is killed, frozen, full or locked, or web dies?"""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx
import psutil
import psycopg2
import pytest

from coordination.config.launcher import postgres
from coordination.config.launcher.roles import OWNER
from tests.faults.ground import Answer, Ground, answers, family, p99, waited, within, write
from tests.faults.proxy import Proxy

pytestmark = [pytest.mark.stack, pytest.mark.long, pytest.mark.timeout(600)]

Say = Callable[[str], None]


def test_postgres_and_its_children_are_killed(ground: Ground, figure: Say) -> None:
    """F1, F2: beside a decoy; nothing acknowledged is lost, and it is ready again within 5 s of the kill."""
    back: list[float] = []
    with ground.written(4) as writers:
        for _ in range(3):
            time.sleep(2)
            before = [len(one.done) for one in writers]
            began = time.monotonic()
            ground.kill("postgres")
            ground.system.until(lambda: ground.system.web_answers(1) == "", seconds=60, what="readiness")
            back.append(time.monotonic() - began)
            ground.system.until(
                lambda before=before: all(len(one.done) > n + 2 for one, n in zip(writers, before, strict=True)),
                seconds=60, what="work to go on",
            )  # fmt: skip
    bound = within(5)
    acknowledged = sum(len(one.done) for one in writers)
    figure(f"{acknowledged} acknowledged, 0 lost; ready after {max(back):.1f} s (bound {bound:.1f})")
    assert {answer.status for one in writers for answer in one.answers} <= {0, 201, 503}
    assert max(back) <= bound


def test_web_is_killed_between_commit_and_reply(ground: Ground, figure: Say) -> None:
    """F3: a hint waits a moment for a frozen Redis, after COMMIT and before the reply: there the process is killed."""
    answered: list[httpx.Response] = []

    def send(key: str) -> None:
        with contextlib.suppress(httpx.HTTPError):
            answered.append(write(ground.officer, ground.log, key))

    redis = psutil.Process(ground.system.supervisor.pid("redis"))
    connection = ground.system.connect()
    key = ""
    with ground.frozen(redis), connection.cursor() as cursor:
        for _ in range(5):
            answered.clear()
            time.sleep(1.2)  # after a hint that was lost, none waits for a second
            key = str(uuid.uuid4())
            sender = threading.Thread(target=send, args=(key,))
            sender.start()
            committed = False
            while not committed and sender.is_alive():
                cursor.execute("SELECT 1 FROM events_command WHERE key = %s", [key])
                committed = cursor.fetchone() is not None
            ground.kill("web")
            sender.join(30)
            ground.ready()
            if committed and not answered:
                break
    connection.close()
    assert not answered, "it was never caught between the two"
    again = [write(ground.officer, ground.log, key) for _ in range(2)]
    assert [answer.status_code for answer in again] == [201, 201]
    assert again[0].json() == again[1].json()
    assert ground.lost([key]) == {}
    figure("killed after COMMIT; repeated: same result, one effect")


@pytest.mark.parametrize("how", ["cut", "reset", "half open", "black hole"])
def test_a_reply_is_cut_on_its_way(ground: Ground, figure: Say, how: str) -> None:
    """F3: the line between client and web breaks at the first byte of the reply."""
    proxy = Proxy(ground.system.port)
    deeds = {"cut": proxy.cut, "reset": proxy.reset, "half open": proxy.half_open, "black hole": proxy.black_hole}
    replies: list[bytes] = []

    def strike(piece: bytes) -> bool:
        replies.append(piece)
        deeds[how]()
        return True

    key = str(uuid.uuid4())
    body, headers = {"text": f"Seen on site. {key}"}, {"Idempotency-Key": key, "Origin": proxy.base}
    try:
        proxy.on_reply = strike
        with pytest.raises(httpx.HTTPError):
            ground.officer.http.post(proxy.base + urlsplit(ground.log).path, json=body, headers=headers, timeout=2)
    finally:
        proxy.close()
    assert replies[0].startswith(b"HTTP/1.1 201")
    again = [write(ground.officer, ground.log, key) for _ in range(2)]
    assert [answer.status_code for answer in again] == [201, 201]
    assert again[0].json()["id"] == again[1].json()["id"]
    assert ground.lost([key]) == {}
    figure(f"reply lost ({how}): same result, one effect")


def _asked(ground: Ground, seconds: float) -> dict[str, list[Answer]]:
    """A write, a page, a read and readiness, each asked again and again for so long, at the same time."""
    http, base = ground.officer.http, ground.system.base_url
    asks = {
        "write": lambda: write(ground.officer, ground.log, str(uuid.uuid4())),
        "page": lambda: http.get(f"{base}/desk/", headers={"Accept": "text/html"}),
        "read": lambda: http.get(f"{base}/api/v1/incidents/{ground.incident}"),
        "ready": lambda: http.get(f"{base}/health/ready"),
        "live": lambda: http.get(f"{base}/health/live"),
    }
    found: dict[str, list[Answer]] = {}

    def one(name: str) -> None:
        found[name] = answers(asks[name], seconds)

    threads = [threading.Thread(target=one, args=(name,)) for name in asks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def _worst(found: dict[str, list[Answer]]) -> str:
    return ", ".join(f"{name} {max(one.seconds for one in every):.2f} s" for name, every in found.items())


def test_postgres_is_frozen(ground: Ground, figure: Say) -> None:
    """F13: every answer is 503 within 3 s, with more who write than web has threads; it recovers alone."""
    assert ground.officer.http.get(f"{ground.system.base_url}/desk/").status_code == 200
    with ground.written(20) as writers:
        time.sleep(3)
        with ground.frozen(*family(ground.system.supervisor.pid("postgres"))):
            began = time.monotonic()
            time.sleep(1)
            found = _asked(ground, 10)
            ended = time.monotonic()
        back = ground.ready()
    bound = waited(3)
    heard = [one for each in writers for one in each.answers if began < one.at < ended]
    found["crowd"] = [one for one in heard if one.at - one.seconds > began]
    found["under way"] = [one for one in heard if one.at - one.seconds <= began]
    figure(f"503 at most after: {_worst(found)} (bound {bound:.1f}); right {back:.1f} s after")
    assert max(one.seconds for every in found.values() for one in every) <= bound
    # what was committed just before may still be told as done; `written` looks whether it is
    assert {one.status for one in found.pop("under way")} <= {201, 503}
    assert {name: {one.status for one in every} for name, every in found.items()} == {
        "write": {503}, "page": {503}, "read": {503}, "ready": {503}, "live": {200}, "crowd": {503},
    }  # fmt: skip
    assert write(ground.officer, ground.log, str(uuid.uuid4())).status_code == 201


def test_one_backend_is_frozen(ground: Ground, figure: Say) -> None:
    """F13: the connections that web keeps are frozen in the middle of their work, the server is not.

    Who meets one is answered within 3 s, over a new connection or with 503; what a frozen one holds is free again
    when it goes on.
    """
    with ground.written(4) as writers:
        time.sleep(2)
        backends = ground.system.query("SELECT pid FROM pg_stat_activity WHERE application_name = 'muster-web'")
        ours = {process.pid: process for process in family(ground.system.supervisor.pid("postgres"))}
        victims = [ours[pid] for (pid,) in backends if pid in ours]
        with ground.frozen(*victims):
            time.sleep(15)
        before = [len(one.done) for one in writers]
        ground.system.until(
            lambda: all(len(one.done) > n + 2 for one, n in zip(writers, before, strict=True)), seconds=60,
            what="work to go on",
        )  # fmt: skip
    found = [answer for one in writers for answer in one.answers]
    bound = waited(3)
    refused = [one for one in found if one.status == 503]
    met = [one for one in found if one.status != 201 or one.seconds > 2]
    worst = max(one.seconds for one in found)
    said = f"{len(victims)} frozen; {len(met)} met one, {len(refused)} heard 503"
    figure(f"{said}; at most {worst:.2f} s (bound {bound:.1f})")
    assert victims
    assert met
    assert {one.status for one in found} <= {201, 409, 503}  # 409: the same command is still at work in a frozen one
    assert worst <= bound


def test_connections_are_used_up(ground: Ground, figure: Say) -> None:
    """F14: a quick 503; health answers."""
    held: list[psycopg2.extensions.connection] = []
    superuser = postgres.superuser(ground.system.instance)  # of the connections kept for it
    try:
        for _ in range(5):
            with contextlib.suppress(psycopg2.OperationalError):
                while True:
                    held.append(ground.system.connect(OWNER))
            with superuser.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'muster-%'"
                )
        with contextlib.suppress(psycopg2.OperationalError):
            while True:
                held.append(ground.system.connect(OWNER))
        found = _asked(ground, 6)
    finally:
        for one in (*held, superuser):
            one.close()
    bound = waited(2, 0.5)
    back = ground.ready()
    late = p99([one.seconds for every in found.values() for one in every])
    figure(f"{len(held)} held; 503 p99 {late:.2f} s (bound {bound:.1f}); right {back:.1f} s after")
    assert {name: {one.status for one in every} for name, every in found.items()} == {
        "write": {503}, "page": {503}, "read": {503}, "ready": {503}, "live": {200},
    }  # fmt: skip
    assert late <= bound


def test_a_table_is_locked(ground: Ground, figure: Say) -> None:
    """F15: 409 or 503 after 2 s."""
    connection = ground.system.connect()
    try:
        connection.autocommit = False
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE incidents_logentry IN ACCESS EXCLUSIVE MODE")
            found = answers(lambda: write(ground.officer, ground.log, str(uuid.uuid4())), 8)
    finally:
        connection.close()
    bound = waited(2.5)
    took = [one.seconds for one in found]
    figure(f"{len(found)} refused after {min(took):.2f} to {max(took):.2f} s (bound {bound:.1f})")
    assert {one.status for one in found} <= {409, 503}
    assert min(took) >= 1.9
    assert max(took) <= bound
    assert write(ground.officer, ground.log, str(uuid.uuid4())).status_code == 201
