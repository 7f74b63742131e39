"""What does a line do that is cut, or that swallows everything? A TCP proxy between browser and server."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress


class Proxy:
    """Forwards a free port of loopback to ``port``, in a thread of its own.

    ``black_hole()``: connections stay open and nothing passes any more, new ones too: no end raises an event.
    ``heal()``: new connections pass again; those in the hole stay dead, as behind a firewall that forgot them.
    """

    def __init__(self, port: int) -> None:
        """Begin to forward."""
        self.target, self.port, self.holed = port, 0, False
        self._open: set[asyncio.StreamWriter] = set()
        self._lost: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(10)

    def _run(self, ready: threading.Event) -> None:
        async def serve() -> None:
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

    @property
    def base(self) -> str:
        """Where the pages are, through the proxy."""
        return f"http://127.0.0.1:{self.port}"

    def black_hole(self) -> None:
        """From now on nothing passes in either direction."""
        self.holed = True
        self._loop.call_soon_threadsafe(lambda: self._lost.update(self._open))

    def heal(self) -> None:
        """New connections pass again."""
        self.holed = False

    def close(self) -> None:
        """End all connections and the thread."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        self._loop.close()

    async def _took(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        back: asyncio.StreamWriter | None = None
        try:
            if self.holed:
                self._lost.add(writer)
                await self._swallow(reader)
                return
            back_reader, back = await asyncio.open_connection("127.0.0.1", self.target)
            ways = [
                asyncio.create_task(self._out(reader, writer, back)),
                asyncio.create_task(self._home(back_reader, writer)),
            ]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
        except (OSError, asyncio.CancelledError):
            pass  # the test is over, or the server is down: the browser's connection is closed too
        finally:
            for end in (writer, back):
                if end is not None:
                    end.transport.abort()
            self._open.discard(writer)
            self._lost.discard(writer)

    async def _swallow(self, reader: asyncio.StreamReader) -> None:
        """Read and forget until the other end gives up."""
        with suppress(OSError):
            while await reader.read(65536):
                pass

    async def _out(
        self, reader: asyncio.StreamReader, browser: asyncio.StreamWriter, server: asyncio.StreamWriter
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                if browser not in self._lost:
                    server.write(data)
                    await server.drain()

    async def _home(self, reader: asyncio.StreamReader, browser: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                if browser in self._lost:
                    break
                browser.write(data)
                await browser.drain()
        if browser in self._lost:
            await asyncio.Event().wait()  # the browser hears nothing of the end either
