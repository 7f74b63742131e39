"""The floor of fan-out: a bare server that says each line of its standard input to every socket.

``python -m tests.benchmarks.live_floor``: prints its port, then one line for each order ``<how often> <pause> <text>``.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

from websockets.asyncio.server import ServerConnection, broadcast, serve

SOCKETS: set[ServerConnection] = set()


async def _socket(line: ServerConnection) -> None:
    SOCKETS.add(line)
    try:
        await line.recv()
        await line.send('{"kind":"ready"}')
        await line.wait_closed()
    finally:
        SOCKETS.discard(line)


async def main() -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    async with serve(_socket, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        while order := await loop.run_in_executor(None, sys.stdin.readline):
            times, pause, text = order.split(" ", 2)
            sent = []
            for _ in range(int(times)):
                sent.append(time.monotonic())
                broadcast(SOCKETS, text.strip())
                await asyncio.sleep(float(pause))
            print(json.dumps(sent), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
