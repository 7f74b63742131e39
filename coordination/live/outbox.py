"""What still has to go out through one socket?

Bounded: a reader that does not read costs 256 pointers and its connection, never more. Everything here runs on the
event loop and never waits, except the writer.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from coordination.events.queries import Cursor
from coordination.live.who import Door

MOST_WAITING = 256
MOST_HELD = 600
ABORT_SECONDS = 2.0

OVERFLOW = 4409
SIGNED_OUT = 4401
NO_HELLO = 4408
TRY_LATER = 1013

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Outbox:
    """One socket's queue, its cursors and its writer."""

    __slots__ = (
        "__weakref__", "alive", "at", "beat_slot", "checked_at", "closing", "department", "door", "ending", "held",
        "live", "next_check", "opened_at", "person", "replay", "send", "sending_since", "waits", "writer",
    )  # fmt: skip

    def __init__(self, door: Door, send: Send, now: float) -> None:
        self.door = door
        self.send = send
        self.at: dict[str, Cursor] = {}  # stream -> what has been queued up to
        self.held: dict[str, list[tuple[int, str]]] = {}  # streams whose replay is being read
        self.replay: deque[str] | None = None  # goes out before what is live; an empty one is 600 bytes a socket
        self.live: deque[str] = deque()
        self.waits: asyncio.Future[None] | None = None  # the writer, where it has nothing to do
        self.alive = True
        self.closing: int | None = None
        self.sending_since: float | None = None
        self.opened_at = now
        self.checked_at: float | None = None
        self.next_check = float("inf")
        self.beat_slot = 0
        self.department: int | None = None
        self.person: int | None = None
        self.ending: asyncio.Task[None] | None = None
        self.writer = asyncio.get_running_loop().create_task(self._write())

    # --- what goes in

    def hold(self, stream: str, at: Cursor) -> None:
        """Begin to keep what comes of ``stream`` while the entries after its cursor are read."""
        self.at[stream] = at
        self.held[stream] = []

    def offer(self, stream: str, epoch: int, entries: Sequence[tuple[int, str]]) -> bool:
        """Queue live entries in order. False: there is a hole before them; the caller reads what is missing."""
        held = self.held.get(stream)
        if held is not None:
            held.extend(entries)
            if len(held) > MOST_HELD:
                held.clear()  # the end of the replay sees the hole and reads again
            return True
        known_epoch, seq = self.at[stream]
        for number, frame in entries:
            if number <= seq and epoch == known_epoch:
                continue
            if number != seq + 1 or epoch != known_epoch:
                self.at[stream] = (known_epoch, seq)
                return False
            self.live.append(frame)
            seq = number
        self.at[stream] = (known_epoch, seq)
        self._go()
        return True

    def replayed(self, stream: str, at: Cursor, frames: Sequence[str]) -> bool:
        """Queue what was read, then what was kept meanwhile. False: a hole between the two; read again."""
        held = self.held[stream]
        self.at[stream] = at
        self._again(frames)
        later = [(seq, frame) for seq, frame in held if seq > at[1]]
        if later and later[0][0] != at[1] + 1:
            held.clear()
            return False
        del self.held[stream]
        if later:
            self._again(frame for _, frame in later)
            self.at[stream] = (at[0], later[-1][0])
        return True

    def answer(self, frame: str) -> None:
        """Queue the answer to a hello, before the replay that follows it."""
        self._again([frame])

    def say(self, frame: str) -> None:
        """Queue a frame that belongs to no stream's order."""
        self.live.append(frame)
        self._go()

    def forget(self, stream: str) -> None:
        """Follow ``stream`` no longer."""
        self.at.pop(stream, None)
        self.held.pop(stream, None)

    def _again(self, frames: Iterable[str]) -> None:
        if self.replay is None:
            self.replay = deque()
        self.replay.extend(frames)
        self._wake()

    def _go(self) -> None:
        if len(self.live) > MOST_WAITING:
            self.close(OVERFLOW)
        else:
            self._wake()

    def _wake(self) -> None:
        if self.waits is not None and not self.waits.done():
            self.waits.set_result(None)

    # --- what goes out

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError, RuntimeError):  # it is gone; the consumer hears of it
            while True:
                if not (self.replay or self.live):
                    self.waits = loop.create_future()
                    await self.waits
                    self.waits = None
                while self.replay or self.live:
                    frame = self.replay.popleft() if self.replay else self.live.popleft()
                    self.sending_since = loop.time()
                    await self.send({"type": "websocket.send", "text": frame})
                self.sending_since = self.replay = None

    def close(self, code: int) -> None:
        """End the connection, by a close frame if it goes out, by force after two seconds."""
        if self.closing is not None or not self.alive:
            return
        self.closing = code
        self.live.clear()
        self.replay = None
        self.ending = asyncio.get_running_loop().create_task(self._close(code))

    async def _close(self, code: int) -> None:
        self.writer.cancel()
        # a reader that does not read lets no close frame through: then the connection is cut
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self.send({"type": "websocket.close", "code": code}), ABORT_SECONDS)
            await asyncio.sleep(ABORT_SECONDS)
        transport = getattr(getattr(self.send, "__self__", None), "transport", None)
        if transport is not None:
            transport.abort()

    def gone(self) -> None:
        """The connection has ended."""
        self.alive = False
        self.writer.cancel()
        self.at.clear()
        self.held.clear()

    def heads(self) -> Mapping[str, Cursor]:
        """Up to where everything of each stream has been queued."""
        return {stream: at for stream, at in self.at.items() if stream not in self.held}
