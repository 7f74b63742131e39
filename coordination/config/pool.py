"""How do pages and the API run beside the sockets without ever being more than a fixed number at once?

A request's body is read before it takes a thread, and an answer leaves after it has given it back: who sends or reads
slowly holds none. Whoever finds no thread free within the wait hears 503 and comes again.
"""

import asyncio
import contextlib
import json
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from a2wsgi import WSGIMiddleware

from coordination.config.monitor import process
from sharing.access.outlet import SCOPE_KEY, Outlet

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

WAITED = b"x-muster-waited"
"""What a request brings along that stood in line: the seconds. Nobody outside can say it."""
BODY_LIMIT = 26 * 1024 * 1024  # one file of 25 MB and the fields around it
BODY_SECONDS = 60.0
READ_SECONDS = 30.0
"""A reader who takes no piece of an answer for so long is left."""
HANGS_SECONDS = 60.0
"""Where no thread was taken or came free for so long, all of them hang: no request may take as long."""
IN_MEMORY = 256 * 1024
PIECE = 64 * 1024


class Pool:
    """An ASGI application that runs a WSGI one in ``threads`` threads."""

    def __init__(self, application: Callable[..., Any], *, threads: int, wait_seconds: float) -> None:
        """Serve ``application``; a request waits at most ``wait_seconds`` for one of ``threads``."""
        self.inner = WSGIMiddleware(application, workers=threads, send_queue_size=32)
        self.free = asyncio.Semaphore(threads)
        self.wait_seconds = wait_seconds
        self.moved = time.monotonic()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whether this process lives, also while no thread is free, unless all of them hang."""
        busy = self.free.locked() and time.monotonic() - self.moved < HANGS_SECONDS
        if busy and scope.get("path") == "/health/live":
            await _answer(send, 200, b"application/json", b'{"status": "ok"}', str(uuid.uuid4()))
            return
        with (
            tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as body,
            tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as kept,
        ):
            try:
                refusal = await asyncio.wait_for(_read(receive, body), BODY_SECONDS)
            except TimeoutError:
                refusal = 408
            except OSError:  # the disk is full
                refusal = 507
            if refusal == GONE:
                return
            if refusal:
                await _say(send, scope, refusal)
                return
            body.seek(0)
            loop = asyncio.get_running_loop()
            began = loop.time()
            try:
                await asyncio.wait_for(self.free.acquire(), self.wait_seconds)
            except TimeoutError:
                await _say(send, scope, 503)
                return
            self.moved = time.monotonic()
            answer = Answer(kept, send, receive)
            asked = {**_with_wait(scope, loop.time() - began), SCOPE_KEY: answer.outlet}
            try:
                await self.inner(asked, _replay(body, receive), answer.take)
            finally:
                answer.end()
                self.moved = time.monotonic()
                self.free.release()
            if answer.lost:
                await _say(send, scope, 507)
            elif not answer.outlet.piecemeal:
                await answer.leave(send)


class Answer:
    """What the application answers, kept in ``body`` until its thread is free again; a download leaves as it is made.

    A download holds its thread, since it may have to stop in the middle: the room that makes them makes few at once.
    """

    def __init__(self, body: Any, send: Send, receive: Receive) -> None:
        """Keep nothing yet."""
        self.body = body
        self.send, self.receive = send, receive
        self.start: Message | None = None
        self.lost = False
        self.outlet = Outlet()
        self.watch: asyncio.Task[None] | None = None

    async def take(self, message: Message) -> None:
        """Keep one message; raises nothing, for the thread would wait for ever for whoever takes the next."""
        if self.outlet.piecemeal:
            await self._pass(message)
        elif message["type"] == "http.response.start":
            self.start = message
        elif not self.lost:
            try:
                self.body.write(message.get("body", b""))
            except OSError:  # the disk is full
                self.lost = True

    async def _pass(self, message: Message) -> None:
        """Send one message of a download on, as fast as it is read; whoever makes it learns when nobody reads."""
        if self.watch is None:
            self.watch = asyncio.create_task(self._until_gone())
        if not self.lost:
            try:
                await self._piece(self.send, message)
            except (TimeoutError, OSError):
                self.outlet.give_up()
        if message.get("body"):
            self.outlet.left()

    async def _until_gone(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass
        self.outlet.give_up()

    def end(self) -> None:
        """The application is done: nothing is watched any more."""
        if self.watch is not None:
            self.watch.cancel()

    async def leave(self, send: Send) -> None:
        """Send what was kept, as fast as it is read."""
        if self.start is None:
            return
        self.body.seek(0)
        with contextlib.suppress(TimeoutError):
            await self._piece(send, self.start)
            more = True
            while more:
                piece = self.body.read(PIECE)
                more = len(piece) == PIECE
                await self._piece(send, {"type": "http.response.body", "body": piece, "more_body": more})

    @staticmethod
    async def _piece(send: Send, message: Message) -> None:
        async with asyncio.timeout(READ_SECONDS):
            await send(message)


def _with_wait(scope: Scope, seconds: float) -> Scope:
    headers = [one for one in scope["headers"] if one[0] != WAITED]
    if seconds > 0.1:
        headers.append((WAITED, b"%.2f" % seconds))
    return {**scope, "headers": headers}


GONE = -1


async def _read(receive: Receive, body: Any) -> int:
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return GONE
        piece = message.get("body", b"")
        size += len(piece)
        if size > BODY_LIMIT:
            return 413
        body.write(piece)
        if not message.get("more_body", False):
            return 0


def _replay(body: Any, receive: Receive) -> Receive:
    done = False

    async def again() -> Message:
        nonlocal done
        if done:
            return await receive()
        piece = body.read(PIECE)
        done = len(piece) < PIECE
        return {"type": "http.request", "body": piece, "more_body": not done}

    return again


WORDS = {
    408: (b"Request Timeout", "too_slow", "The request took too long to arrive. 请求发送过慢。"),
    413: (b"Content Too Large", "too_big", "This is too big. 内容过大。"),
    507: (b"Insufficient Storage", "no_room", "The disk is full; try again later. 磁盘已满，请稍后再试。"),
    503: (b"Service Unavailable", "busy", "Too many requests at once; try again in a moment. 请求过多，请稍后再试。"),
}


async def _say(send: Send, scope: Scope, status: int) -> None:
    """Answer without a thread: a problem document for the API, a line of text for a page."""
    title, code, text = WORDS[status]
    process.answered(str(scope.get("path", "")), status, 0.0)
    current = str(uuid.uuid4())
    if str(scope.get("path", "")).startswith("/api/"):
        kind = b"application/problem+json"
        answer = json.dumps(
            {
                "type": f"urn:muster:problem:{code}", "title": title.decode(), "status": status, "code": code,
                "detail": text, "request_id": current,
            },
            ensure_ascii=False,
        ).encode()  # fmt: skip
    else:
        kind = b"text/plain; charset=utf-8"
        answer = text.encode()
    more = []
    if status == 503:
        more.append((b"retry-after", b"2"))
    if status in {408, 413, 507}:
        more.append((b"connection", b"close"))
    await _answer(send, status, kind, answer, current, more)


async def _answer(
    send: Send, status: int, kind: bytes, answer: bytes, current: str, more: Sequence[tuple[bytes, bytes]] = ()
) -> None:
    headers = [
        (b"content-type", kind),
        (b"content-length", str(len(answer)).encode()),
        (b"x-request-id", current.encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
        *more,
    ]
    with contextlib.suppress(OSError):
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})
