"""Which sockets are there, and from which pages may they be opened?"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from channels.routing import URLRouter
from django.conf import settings

from coordination.config.monitor import process
from coordination.live.routing import websocket_urlpatterns

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


def allowed_origin(origin: str, host: str, *, secure: bool) -> bool:
    """Say whether a page of ``origin`` may open a socket at ``host``: scheme, name and port must be ours exactly.

    ``host`` is the Host header; with ``MUSTER_ORIGINS`` set, those origins alone count.
    """
    parts = urlsplit(origin)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path not in {"", "/"}:
        return False
    if settings.ORIGINS:
        return origin.rstrip("/") in settings.ORIGINS
    if parts.scheme != ("https" if secure else "http") or parts.netloc.lower() != host.lower():
        return False
    return (parts.hostname or "") in {name.strip("[]") for name in settings.ALLOWED_HOSTS}


class ExactOrigin:
    """Refuses the handshake (403) of a page that is not ours: bare allowed hosts would ignore scheme and port."""

    def __init__(self, inner: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        """Guard ``inner``."""
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the handshake pass or close it before it is accepted."""
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if not allowed_origin(headers.get(b"origin", ""), headers.get(b"host", ""), secure=settings.SECURE):
            await receive()
            await send({"type": "websocket.close", "code": 4403})
            return
        with process.SOCKETS.track_inprogress():
            await self.inner(scope, receive, send)


def routes() -> list[Any]:
    """Return the addresses of sockets."""
    return list(websocket_urlpatterns)


sockets = ExactOrigin(URLRouter(routes()))
