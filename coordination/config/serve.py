"""How does a web process listen?

``python -m coordination.config.serve --port 8000`` (loopback), or ``--host``, behind a proxy.
"""

import argparse
import gc
import os
import signal
import sys

import uvicorn
from django.core.exceptions import ImproperlyConfigured

from coordination.config import servers

EX_CONFIG = 78
SELDOM = (20_000, 20, 20)
"""How many new objects pass before waste is looked for; a page makes some ten thousand."""
SETTINGS = {
    "http": "h11",  # strict in what it accepts
    "ws": "websockets-sansio",  # stops writing when the reader does not read
    "ws_max_size": 65_536,
    "ws_max_queue": 16,
    "ws_per_message_deflate": False,  # costs memory for each socket, and pointers are small
    "ws_ping_interval": 20.0,
    "ws_ping_timeout": 20.0,
    "timeout_graceful_shutdown": 10,
    "timeout_keep_alive": 20,
    "h11_max_incomplete_event_size": 64 * 1024,
    "backlog": 512,
    "lifespan": "off",
    "access_log": False,
    "server_header": False,
    "log_config": None,
    "loop": "asyncio",
}


def configuration(host: str, port: int, proxies: str) -> uvicorn.Config:
    """Return uvicorn's configuration; ``proxies``: the addresses whose X-Forwarded headers count ("" = none)."""
    return uvicorn.Config(
        "coordination.config.asgi:application",
        host=host,
        port=port,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies or None,
        **SETTINGS,  # type: ignore[arg-type]
    )


def warm() -> None:
    """Load every address and what stands behind it before the first request waits for it."""
    from django.urls import get_resolver, reverse  # noqa: PLC0415 - after the application has set Django up

    get_resolver()
    reverse("health-ready")
    # what is loaded by now stays; looking through it for waste again and again is a sixth of a page's time
    gc.collect()
    gc.freeze()
    gc.set_threshold(*SELDOM)


def main(arguments: list[str]) -> int:
    """Serve until asked to stop."""
    os.environ.setdefault("MUSTER_PROCESS", "web")  # before the application is loaded
    os.environ.setdefault("MUSTER_LASTING_THREADS", "1")  # those of the pool stay, and each keeps its connection
    parser = argparse.ArgumentParser(prog="serve")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--proxies", default=os.environ.get("MUSTER_PROXIES", ""))
    asked = parser.parse_args(arguments)
    settings = configuration(asked.host, asked.port, asked.proxies)
    settings.load()
    try:
        servers.demand()
    except ImproperlyConfigured as error:
        print(f"not started: {error}", file=sys.stderr)  # noqa: T201 - said to whoever starts it
        return EX_CONFIG
    warm()
    server = uvicorn.Server(settings)
    # uvicorn repeats the signal once it has stopped in order; that end is no failure
    signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    server.run()
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
