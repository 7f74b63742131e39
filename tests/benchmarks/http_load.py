"""Many clients in one process, as cheap as can be, each asking again as soon as it is answered.

``python -m tests.benchmarks.http_load``: one line of JSON on standard input: ``{ports, clients, seconds, requests}``; a
request is ``[method, path, headers, body]``, and the clients are dealt out over the ports. With ``seconds`` they go
round the requests so long; with 0 and one port each request is sent once. Answers one line: ``{count, seconds, p50,
p95, p99, most, bad}``, times in milliseconds.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Iterator
from typing import Any


def bytes_of(port: int, request: list[Any]) -> bytes:
    """A request as it goes over the line."""
    method, path, headers, body = request
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    if body:
        lines.append(f"Content-Length: {len(body.encode())}")
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> int:
    """Ask once; the status."""
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if b"content-length:" in head:
        await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
    elif b"chunked" in head:
        await reader.readuntil(b"0\r\n\r\n")
    return int(head[9:12])


async def client(port: int, requests: Iterator[bytes], until: float, times: list[float], bad: list[int]) -> None:
    """One client; a line that the server closes is opened again."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in requests:
        began = time.perf_counter()
        try:
            status = await one(reader, writer, request)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            status = await one(reader, writer, request)
        times.append(time.perf_counter() - began)
        if status >= 400:
            bad.append(status)
        if until and time.perf_counter() > until:
            break
    writer.close()


async def main(order: dict[str, Any]) -> dict[str, Any]:
    """Carry out one order."""
    ports = order["ports"]
    again = itertools.cycle if order["seconds"] else iter
    asked = {port: again([bytes_of(port, request) for request in order["requests"]]) for port in ports}
    times: list[float] = []
    bad: list[int] = []
    began = time.perf_counter()
    until = began + order["seconds"] if order["seconds"] else 0.0
    dealt = [ports[number % len(ports)] for number in range(order["clients"])]
    await asyncio.gather(*(client(port, asked[port], until, times, bad) for port in dealt))
    spent = time.perf_counter() - began
    times.sort()
    at = {name: 1000 * times[min(len(times) - 1, int(len(times) * share))]
          for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("most", 1.0))}  # fmt: skip
    return {"count": len(times), "seconds": spent, "rate": len(times) / spent, "bad": sorted(set(bad)), **at}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(json.loads(sys.stdin.readline())))), flush=True)
