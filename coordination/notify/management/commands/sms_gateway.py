"""What would be on people's telephones? A gateway for demo and tests: it keeps the messages and shows them.

``POST /messages`` takes ``{"id", "to", "text"}`` once per id; ``GET /messages/<id>`` tells its state; ``GET
/messages`` lists all, newest first; ``GET /`` shows them as a page.
"""

from __future__ import annotations

import html
import json
import threading
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandParser

LARGEST = 64 * 1024
KEPT = 1000


class Box:
    """The messages, by id, in one file so that a restart forgets nothing."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._messages: dict[str, dict[str, Any]] = {}
        if path is not None and path.exists():
            for line in path.read_text(encoding="utf-8").splitlines()[-KEPT:]:
                try:
                    message = json.loads(line)
                    self._messages[message["id"]] = message
                except (ValueError, KeyError, TypeError):
                    continue

    def put(self, message: dict[str, Any]) -> bool:
        """Keep a message; False when its id is known already."""
        with self._lock:
            if message["id"] in self._messages:
                return False
            self._messages[message["id"]] = message
            while len(self._messages) > KEPT:
                del self._messages[next(iter(self._messages))]
            if self._path is not None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(message, ensure_ascii=False) + "\n")
            return True

    def get(self, message_id: str) -> dict[str, Any] | None:
        """One message."""
        with self._lock:
            return self._messages.get(message_id)

    def all(self) -> list[dict[str, Any]]:
        """All messages, newest first."""
        with self._lock:
            return list(reversed(self._messages.values()))


class Handler(BaseHTTPRequestHandler):
    """The gateway's few addresses."""

    box: ClassVar[Box]
    server_version = "MusterSms"
    timeout = 10

    def do_POST(self) -> None:
        """Take a message."""
        if self.path.rstrip("/") != "/messages":
            return self._answer(HTTPStatus.NOT_FOUND, {"error": "no such address"})
        try:
            length = int(self.headers.get("Content-Length") or 0)
            if not 0 < length <= LARGEST:
                return self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"error": "too long"})
            body = json.loads(self.rfile.read(length))
            message = {key: str(body[key])[:2000] for key in ("id", "to", "text")}
        except (ValueError, KeyError, TypeError):
            return self._answer(HTTPStatus.UNPROCESSABLE_ENTITY, {"error": "id, to and text are needed"})
        new = self.box.put({**message, "state": "sent", "at": datetime.now(UTC).isoformat(timespec="seconds")})
        status = HTTPStatus.CREATED if new else HTTPStatus.OK
        return self._answer(status, {"reference": message["id"], "state": "accepted"})

    def do_GET(self) -> None:
        """Show messages, or tell the state of one."""
        path = self.path.partition("?")[0].rstrip("/")
        if path == "":
            return self._page()
        if path == "/messages":
            return self._answer(HTTPStatus.OK, {"messages": self.box.all()})
        message = self.box.get(path.removeprefix("/messages/"))
        if message is None:
            return self._answer(HTTPStatus.NOT_FOUND, {"error": "no such message"})
        return self._answer(HTTPStatus.OK, message)

    def _page(self) -> None:
        rows = "".join(
            f"<tr><td>{html.escape(m['at'])}</td><td>{html.escape(m['to'])}</td><td>{html.escape(m['text'])}</td></tr>"
            for m in self.box.all()
        )
        page = f"<!doctype html><meta charset=utf-8><title>SMS</title><table border=1>{rows}</table>"
        self._write(HTTPStatus.OK, "text/html; charset=utf-8", page.encode())

    def _answer(self, status: HTTPStatus, body: dict[str, Any]) -> None:
        self._write(status, "application/json", json.dumps(body, ensure_ascii=False).encode())

    def _write(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: messages are on the page."""


def serve(port: int, path: Path | None = None, host: str = "127.0.0.1") -> ThreadingHTTPServer:
    """A gateway ready to ``serve_forever``; port 0 takes a free one (``server_address``)."""
    handler = type("BoundHandler", (Handler,), {"box": Box(path)})
    return ThreadingHTTPServer((host, port), handler)


class Command(BaseCommand):
    """Run the local test gateway for SMS (set ``MUSTER_SMS_URL`` to its /messages)."""

    help = "Run a local SMS gateway that keeps the messages and shows them; for demo and tests, never for production."

    def add_arguments(self, parser: CommandParser) -> None:
        """Port, host and file."""
        parser.add_argument("--port", type=int, default=8025)
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--file", type=Path, default=None, help="keep the messages in this file (JSON lines)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until interrupted."""
        server = serve(options["port"], options["file"], options["host"])
        self.stdout.write(f"SMS gateway on http://{options['host']}:{server.server_address[1]}/")
        self.stdout.flush()
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            server.server_close()
