"""How do pages and the API listen as a service of their own, where a proxy takes the sockets elsewhere?

``python -m coordination.config.serve_pages --host 0.0.0.0 --port 8000``, behind a proxy that sends whole requests: what
is long or stays open goes to ``coordination.config.serve``, which holds no thread for a slow sender.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterable
from ipaddress import ip_address, ip_network
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from gunicorn.app.base import BaseApplication

os.environ.setdefault("MUSTER_PROCESS", "web")
os.environ.setdefault("MUSTER_LASTING_THREADS", "1")

from coordination.config.wsgi import application as pages  # noqa: I001 - the process must be named before
from coordination.config import servers
from coordination.config.serve import EX_CONFIG, warm

THREADS = 16  # what the proxy sends at once, and a little for whoever asks whether we live
SETTINGS: dict[str, Any] = {
    "workers": 1,  # more are more containers: each is watched, counted and limited by itself
    "worker_class": "gthread",
    "threads": THREADS,
    "timeout": 30,  # a process that does not turn is replaced
    "graceful_timeout": 10,
    "keepalive": 75,  # longer than the proxy keeps an idle connection: never closed under a request
    "worker_connections": 512,
    "backlog": 512,
    "limit_request_line": 8190,
    "limit_request_fields": 64,
    "limit_request_field_size": 16_380,
    "worker_tmp_dir": "/dev/shm",  # noqa: S108 - a heartbeat of nobody's interest, never on a disk that may hang
    "preload_app": True,
    "control_socket_disable": True,
    "proc_name": "muster-pages",
    "accesslog": None,
    "loglevel": "warning",
}

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Behind:
    """A WSGI application that hears who asks from the proxy in front of it, and from nobody else."""

    def __init__(self, inner: Application, proxies: str) -> None:
        """``proxies``: addresses or networks, with commas; ``*``: nobody else reaches this port; "": no proxy."""
        self.inner = inner
        self.everybody = proxies.strip() == "*"
        words = () if self.everybody else proxies.split(",")
        self.networks = [ip_network(word.strip(), strict=False) for word in words if word.strip()]

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request under its sender's address."""
        said = str(environ.pop("HTTP_X_FORWARDED_FOR", ""))
        if self._trusted(str(environ.get("REMOTE_ADDR", ""))):
            sender = _address(said.rpartition(",")[2].strip())  # the last was added by our own proxy
            if sender:
                environ["REMOTE_ADDR"] = sender
        else:
            environ.pop("HTTP_X_FORWARDED_PROTO", None)
        return self.inner(environ, start_response)

    def _trusted(self, address: str) -> bool:
        if self.everybody:
            return True
        try:
            asked = ip_address(address)
        except ValueError:
            return False
        return any(asked in network for network in self.networks)


def _address(word: str) -> str:
    try:
        return str(ip_address(word))
    except ValueError:
        return ""


class Service(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """Gunicorn with our settings; no file and no command line of its own."""

    def __init__(self, listen: str, proxies: str) -> None:
        """``listen``: host:port."""
        self.listen, self.proxies = listen, proxies
        super().__init__()

    def load_config(self) -> None:
        """Set what is ours; a name that this gunicorn does not know is left out."""
        wanted = {**SETTINGS, "bind": self.listen, "forwarded_allow_ips": self.proxies or "127.0.0.1"}
        for name, value in wanted.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Behind:
        """Return what answers; loaded once, before the process that serves is made."""
        warm()
        return Behind(pages, self.proxies)


def main(arguments: list[str]) -> int:
    """Serve until asked to stop."""
    parser = argparse.ArgumentParser(prog="serve_pages")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--proxies", default=os.environ.get("MUSTER_PROXIES", ""))
    asked = parser.parse_args(arguments)
    try:
        servers.demand()
    except ImproperlyConfigured as error:
        print(f"not started: {error}", file=sys.stderr)  # noqa: T201 - said to whoever starts it
        return EX_CONFIG
    Service(f"{asked.host}:{asked.port}", asked.proxies).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
