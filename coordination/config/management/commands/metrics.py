"""Where does Prometheus read?"""

from __future__ import annotations

import hmac
import os
import signal
import socket
import stat
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from coordination.config.monitor import exporter


class Reading(BaseHTTPRequestHandler):
    """Answers ``GET /metrics`` and nothing else."""

    timeout = 10
    server_version = "Muster"
    sys_version = ""

    def do_GET(self) -> None:
        """Answer one reading."""
        wanted = settings.MUSTER_METRICS_TOKEN
        shown = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.path.partition("?")[0] != "/metrics":
            self._say(404, b"")
        elif wanted and not hmac.compare_digest(shown.encode("utf-8", "replace"), wanted.encode()):
            self._say(401, b"")
        else:
            self._say(200, exporter.text())

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Readings are not worth a line."""

    def address_string(self) -> str:
        """A private socket has no address."""
        return "local"


class UnixServer(ThreadingHTTPServer):
    """Listens at a private socket."""

    address_family = socket.AF_UNIX

    def server_bind(self) -> None:
        """Take the path, and give it to nobody else."""
        path = Path(str(self.server_address))
        if path.exists() and stat.S_ISSOCK(path.lstat().st_mode):
            path.unlink()
        before = os.umask(0o077)
        try:
            self.socket.bind(str(path))
        finally:
            os.umask(before)
        self.server_name, self.server_port = "local", 0


def listen(address: str) -> ThreadingHTTPServer:
    """Return a server that listens at ``unix:/path`` or ``host:port``; raises CommandError where that cannot be."""
    ThreadingHTTPServer.daemon_threads = True
    try:
        if address.startswith("unix:"):
            return UnixServer(address.removeprefix("unix:"), Reading)  # type: ignore[arg-type]
        host, _colon, port = address.rpartition(":")
        if not port.isdigit():
            raise CommandError("MUSTER_METRICS_ADDRESS must be host:port or unix:/path")
        if host.strip("[]") not in {"127.0.0.1", "::1", "localhost"} and not settings.MUSTER_METRICS_TOKEN:
            raise CommandError("to be read from other machines, metrics need MUSTER_METRICS_TOKEN")
        return ThreadingHTTPServer((host.strip("[]"), int(port)), Reading)
    except OSError as error:
        raise CommandError(f"cannot listen at {address}: {error.strerror}") from error


class Command(BaseCommand):
    """Serve what all processes count and what their dependencies say at MUSTER_METRICS_ADDRESS/metrics."""

    requires_system_checks = ()
    help = __doc__ or ""

    def add_arguments(self, parser: Any) -> None:
        """``--once``: print and end; ``--address``: listen elsewhere than the setting says."""
        parser.add_argument("--once", action="store_true", help="print the metrics once")
        parser.add_argument("--address", default=settings.MUSTER_METRICS_ADDRESS, help="host:port or unix:/path")

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until SIGTERM or SIGINT."""
        if options["once"]:
            self.stdout.write(exporter.text().decode())
            return
        server = listen(options["address"])

        def stop(_number: int, _frame: object) -> None:
            raise SystemExit(0)

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        self.stdout.write(f"metrics: at {options['address']}")
        self.stdout.flush()
        try:
            server.serve_forever()
        finally:
            server.server_close()
