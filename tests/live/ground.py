"""A web process of its own, people signed in, and screens that listen."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from accounts.models import Department, Membership, OpenSession, Person, Post
from accounts.queries import WALL_COOKIE
from coordination.events import clock, command, queries
from coordination.events.actor import SYSTEM
from sharing.access import pages
from tests.events import outside
from tests.events.deeds import note

PATIENCE = 30.0


def until(true: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """Wait until ``true()`` is; fail after ``seconds``."""
    deadline = time.monotonic() + seconds
    while True:
        found = true()
        if found:
            return found
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.05)


class Web:
    """One uvicorn process on a port of its own, killed and started again by its handle."""

    def __init__(self, **environment: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.environment = environment
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.process = outside.start(
            "-m", "coordination.config.serve", "--port", str(self.port), MUSTER_PROCESS="web", **self.environment
        )
        until(self._alive, 60)

    def _alive(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None
        try:
            with urllib.request.urlopen(f"{self.origin}/health/live", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(30)

    def stop(self) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(30)
        finally:
            if self.process.poll() is None:
                self.kill()

    def get(self, path: str, cookie: str = "") -> tuple[int, Any]:
        request = urllib.request.Request(self.origin + path, headers={"Cookie": cookie})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())


def department(code: str) -> Department:
    made = Department.objects.create(
        code=code, kind="bureau", name_zh=code, name_en=code, short_zh=code[:6], short_en=code[:14]
    )
    made.path = f"/{made.pk}/"
    made.save(update_fields=["path"])
    return made


def person(name: str, where: Department, kind: str = "commander") -> Person:
    made = Person.objects.create_user(name, password=None)
    post, _ = Post.objects.get_or_create(department=where, kind=kind)
    Membership.objects.create(person=made, post=post, valid_from=clock.now() - timedelta(days=1))
    return made


def sign_in(who: Person, where: Department) -> str:
    """The cookie of a session of theirs."""
    store = SessionStore()
    store[SESSION_KEY] = str(who.pk)
    store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    store[HASH_SESSION_KEY] = who.get_session_auth_hash()
    store[pages.DEPARTMENT], store[pages.STARTED] = where.pk, clock.now().isoformat()
    store[pages.ACTIVE] = clock.now().timestamp()  # has just done something, so may write
    store.create()
    OpenSession.objects.create(
        session_key=store.session_key, person=who, department=where, started_at=clock.now(), active_at=clock.now()
    )
    return f"{settings.SESSION_COOKIE_NAME}={store.session_key}"


def wall_cookie(token: str) -> str:
    return f"{WALL_COOKIE}={token}"


def write(where: Department, *streams: str, times: int = 1, **payload: Any) -> None:
    """So many entries in these streams, each an action of its own."""
    for _ in range(times):
        if payload:
            now = clock.now()
            with command.unit(SYSTEM, now):
                command.record(type="department.noted", subject=where, streams=streams, payload=payload)
        else:
            note(actor=SYSTEM, now=clock.now(), department_id=where.pk, streams=streams)


class Screen:
    """What a page does with its socket: keeps its cursors and everything it was told."""

    def __init__(self, web: Web, cookie: str, cursors: dict[str, list[int]], **options: Any) -> None:
        self.web, self.cookie, self.cursors = web, cookie, dict(cursors)
        self.seen: dict[str, list[int]] = {stream: [] for stream in cursors}
        self.frames: list[dict[str, Any]] = []
        self.socket: ClientConnection = self.open(**options)
        self.hello(self.cursors)

    def open(self, origin: str | None = None, **options: Any) -> ClientConnection:
        opened = connect(
            f"ws://127.0.0.1:{self.web.port}/live/ws",
            origin=origin or self.web.origin,  # type: ignore[arg-type]
            additional_headers={"Cookie": self.cookie} if self.cookie else {},
            compression=None,
            open_timeout=10,
            close_timeout=2,
            **options,
        )
        return opened.__enter__()

    def again(self) -> None:
        """Open a new socket and go on from the cursors."""
        self.socket = self.open()
        self.hello(self.cursors)

    def hello(self, cursors: dict[str, list[int]]) -> None:
        self.cursors |= cursors
        for stream in cursors:
            self.seen.setdefault(stream, [])
        self.socket.send(json.dumps({"kind": "hello", "streams": cursors}))

    def hear(self, seconds: float = PATIENCE) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(self.socket.recv(timeout=seconds))
        self.frames.append(frame)
        if frame["kind"] == "ev":
            epoch, seq = self.cursors[frame["stream"]]
            assert (frame["epoch"], frame["seq"]) == (epoch, seq + 1), f"a hole: {self.cursors} then {frame}"
            self.cursors[frame["stream"]] = [epoch, frame["seq"]]
            self.seen[frame["stream"]].append(frame["seq"])
        elif frame["kind"] == "reset" and frame["why"] != "gone":
            self.cursors[frame["stream"]] = [frame["epoch"], frame["seq"]]
        return frame

    def hear_until(self, true: Callable[[dict[str, Any]], Any], seconds: float = PATIENCE) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while True:
            frame = self.hear(max(0.01, deadline - time.monotonic()))
            if true(frame):
                return frame

    def hear_kind(self, kind: str, seconds: float = PATIENCE) -> dict[str, Any]:
        return self.hear_until(lambda frame: frame["kind"] == kind, seconds)

    def hear_seq(self, stream: str, seq: int, seconds: float = PATIENCE) -> None:
        if self.cursors[stream][1] < seq:
            self.hear_until(lambda _: self.cursors[stream][1] >= seq, seconds)

    def close_code(self, seconds: float = PATIENCE) -> int:
        """Read on until the server closes; its code (1006 where it cut the line)."""
        deadline = time.monotonic() + seconds
        try:
            while True:
                self.hear(max(0.01, deadline - time.monotonic()))
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006

    def close(self) -> None:
        self.socket.close()


def log_heads(streams: list[str]) -> dict[str, list[int]]:
    """Where streams stand, as a page would print it."""
    return {stream: list(at) for stream, at in queries.heads(streams).items()}


def entry(stream: str) -> queries.Entry:
    """The last entry of a stream."""
    epoch, seq = queries.heads([stream])[stream]
    return queries.entries_after(stream, epoch, seq - 1).entries[0]
