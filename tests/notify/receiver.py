"""Which systems outside does a test need? A receiver that answers as it is told, in a thread of its own."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Receiver:
    """What came in, and how to answer."""

    port: int = 0
    answer: Answer = field(default=lambda request: reply(request, 204))
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/hook"


def reply(request: BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: str) -> None:
    """A plain answer."""
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name.replace("_", "-"), value)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


def endless(request: BaseHTTPRequestHandler) -> None:
    """Answers without end, as fast as it can."""
    request.send_response(200)
    request.end_headers()
    with contextlib.suppress(OSError):
        while True:
            request.wfile.write(b"x" * 65536)


def endless_head(request: BaseHTTPRequestHandler) -> None:
    """Answers with headers without end."""
    with contextlib.suppress(OSError):
        request.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            request.wfile.write(b"X-More: " + b"x" * 8192 + b"\r\n")


def garbage(request: BaseHTTPRequestHandler) -> None:
    """Answers what is no HTTP."""
    with contextlib.suppress(OSError):
        request.wfile.write(b"\xff\x00" * 4096)
    hang_up(request)


def drip(request: BaseHTTPRequestHandler) -> None:
    """Answers a byte at a time, for longer than anybody should wait."""
    request.send_response(200)
    request.end_headers()
    with contextlib.suppress(OSError):
        for _ in range(600):
            request.wfile.write(b"x")
            request.wfile.flush()
            time.sleep(0.1)


def drip_head(request: BaseHTTPRequestHandler) -> None:
    """Sends its headers a byte at a time: no single wait is long."""
    with contextlib.suppress(OSError):
        request.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        for _ in range(600):
            request.wfile.write(b"x")
            request.wfile.flush()
            time.sleep(0.1)


def hang_up(request: BaseHTTPRequestHandler) -> None:
    """Takes the request and closes without a word."""
    request.close_connection = True
    request.connection.close()


@contextlib.contextmanager
def receiver(answer: Answer | None = None) -> Iterator[Receiver]:
    """A receiver on a free port of loopback."""
    kept = Receiver()
    if answer is not None:
        kept.answer = answer

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            kept.requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            kept.answer(self)

        do_GET = do_POST

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    kept.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
