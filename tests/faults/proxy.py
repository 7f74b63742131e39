"""What does a line do that is slow, cut, deaf or swallows everything? A proxy between any two ends.

Between browsers or programs and the web process over TCP; between processes and Redis or PostgreSQL over their unix
sockets. What chance decides (which byte is corrupted) a seed decides.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

PIECE = 65536
Writer = asyncio.StreamWriter


class Line:
    """One connection through the proxy: the caller's end, and the server's."""

    def __init__(self, caller: Writer, server: Writer) -> None:
        self.caller, self.server = caller, server
        self.lost = False

    def end(self, *, reset: bool) -> None:
        """End both sides at once; ``reset``: as a machine that knows nothing of the connection (RST over TCP)."""
        for writer in (self.caller, self.server):
            _abort(writer, reset=reset)


class Proxy:
    """Forwards a free port of loopback to ``target`` (a port), or the socket ``listen`` to ``target`` (a socket).

    It runs in a thread of its own. What is set counts from now on, for the connections that are open and for new ones:

    ``slow(delay, rate)``: each piece comes ``delay`` seconds late, at ``rate`` bytes a second.
    ``black_hole()``: connections stay open and nothing passes any more, new ones too: no end raises an event.
    ``half_open()``: the servers' ends are closed, the callers hear nothing of it.
    ``cut()``, ``reset()``: every connection that is open ends, in order or by a reset; new ones pass.
    ``corrupt(share)``: of what servers say, this share of the pieces has one byte changed.
    ``on_reply``: is asked with each piece a server says, before it passes; False cuts the connection there.
    ``heal()``: new connections pass again; those in the hole stay dead, as behind a firewall that forgot them.
    """

    def __init__(self, target: int | Path, listen: Path | None = None, *, seed: str = "1") -> None:
        """Begin to forward."""
        self.target, self.listen, self.port = target, listen, 0
        self.holed = False
        self.delay, self.rate, self.share = 0.0, float("inf"), 0.0
        self.on_reply: Callable[[bytes], bool] | None = None
        self.changed = 0
        self._random = random.Random(f"proxy {seed}")
        self._lines: set[Line] = set()
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="proxy", daemon=True)
        self._thread.start()
        assert ready.wait(10)

    @property
    def base(self) -> str:
        """Where the pages are, through the proxy."""
        return f"http://127.0.0.1:{self.port}"

    # --- what is done to the line

    def slow(self, delay: float = 0.0, rate: float = float("inf")) -> None:
        """From now on everything comes late, or drips."""
        self.delay, self.rate = delay, rate

    def black_hole(self) -> None:
        """From now on nothing passes in either direction."""
        self.holed = True
        self._call(lambda: [setattr(line, "lost", True) for line in self._lines])

    def half_open(self) -> None:
        """The servers' ends are gone; the callers still believe in theirs."""

        def close() -> None:
            for line in self._lines:
                line.lost = True
                _abort(line.server, reset=False)

        self._call(close)

    def cut(self) -> None:
        """End every connection that is open."""
        self._call(lambda: [line.end(reset=False) for line in self._lines])

    def reset(self) -> None:
        """End every connection that is open by a reset."""
        self._call(lambda: [line.end(reset=True) for line in self._lines])

    def corrupt(self, share: float) -> None:
        """Change one byte in this share of what servers say."""
        self.share = share

    def heal(self) -> None:
        """New connections pass again, undelayed and whole."""
        self.holed, self.share, self.on_reply = False, 0.0, None
        self.slow()

    def close(self) -> None:
        """End all connections and the thread."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        self._loop.close()

    def _call(self, deed: Callable[[], object]) -> None:
        """Do it in the proxy's own thread, and wait until it is done."""
        done = threading.Event()

        def do() -> None:
            deed()
            done.set()

        self._loop.call_soon_threadsafe(do)
        assert done.wait(10)

    # --- the line itself

    def _run(self, ready: threading.Event) -> None:
        async def serve() -> None:
            if self.listen is not None:
                self.listen.unlink(missing_ok=True)
                server = await asyncio.start_unix_server(self._took, self.listen)
            else:
                server = await asyncio.start_server(self._took, "127.0.0.1", 0)
                self.port = server.sockets[0].getsockname()[1]
            self._stop = asyncio.Event()
            ready.set()
            await self._stop.wait()
            server.close()
            rest = asyncio.all_tasks() - {asyncio.current_task()}
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)

        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(serve())

    async def _took(self, reader: asyncio.StreamReader, caller: Writer) -> None:
        line: Line | None = None
        try:
            if self.holed:
                with suppress(OSError):
                    while await reader.read(PIECE):
                        pass
                return
            back, server = await self._open()
            line = Line(caller, server)
            self._lines.add(line)
            ways = [
                asyncio.create_task(self._out(reader, line)),
                asyncio.create_task(self._home(back, line)),
            ]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
        except (OSError, asyncio.CancelledError):
            pass  # the test is over, or the server is down: the caller's connection is closed too
        finally:
            _abort(caller, reset=False)
            if line is not None:
                line.end(reset=False)
                self._lines.discard(line)

    async def _open(self) -> tuple[asyncio.StreamReader, Writer]:
        if isinstance(self.target, Path):
            return await asyncio.open_unix_connection(self.target)
        return await asyncio.open_connection("127.0.0.1", self.target)

    async def _out(self, reader: asyncio.StreamReader, line: Line) -> None:
        with suppress(OSError):
            while data := await reader.read(PIECE):
                if not line.lost:
                    await self._wait(data)
                    line.server.write(data)
                    await line.server.drain()

    async def _home(self, reader: asyncio.StreamReader, line: Line) -> None:
        with suppress(OSError):
            while data := await reader.read(PIECE):
                if line.lost:
                    break
                if self.on_reply is not None and not await asyncio.to_thread(self.on_reply, data):
                    return
                await self._wait(data)
                if line.lost:  # it was lost while this piece was on its way
                    break
                line.caller.write(self._maybe_changed(data))
                await line.caller.drain()
        if line.lost:
            await asyncio.Event().wait()  # the caller hears nothing of the end either

    async def _wait(self, data: bytes) -> None:
        if self.delay or self.rate != float("inf"):
            await asyncio.sleep(self.delay + len(data) / self.rate)

    def _maybe_changed(self, data: bytes) -> bytes:
        if self._random.random() >= self.share:
            return data
        place = self._random.randrange(len(data))
        self.changed += 1
        return data[:place] + bytes([data[place] ^ self._random.randrange(1, 256)]) + data[place + 1 :]


def _abort(writer: Writer, *, reset: bool) -> None:
    """Close one side now, whatever is still to be sent."""
    found = writer.get_extra_info("socket")
    if reset and found is not None and found.family == socket.AF_INET:
        with suppress(OSError):
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
