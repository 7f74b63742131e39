"""What happens on one screen's socket?

Read-only: a screen says which streams it follows and from where; it never commands here.
"""

from __future__ import annotations

import logging
from typing import Any

from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import Error as DatabaseError

from coordination.live import frames, who
from coordination.live.hub import hub
from coordination.live.outbox import TRY_LATER, Outbox

MOST_MESSAGES = 20
MESSAGE_SECONDS = 10.0

_log = logging.getLogger(__name__)


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """``/live/ws``: hello in, pointers out. Close codes: 4401 signed out, 4408 no hello, 4409 reads too slowly,
    1003 binary, 1007 not our JSON, 1008 too many streams or messages, 1009 too long, 1013 try later.
    """

    channel_layer_alias = "none"  # the hub fans out; a layer would cost one message a socket

    outbox: Outbox
    scope: dict[str, Any]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection; however it ends, the hub forgets it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            if hasattr(self, "outbox"):
                self.hub.leave(self.outbox)

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Hand an ASGI message to its method; no database is touched here, so none is closed."""
        if message["type"] == "websocket.connect":
            await self.accept()
            self.hub = hub()
            self.outbox = Outbox(who.door(self.scope), self.base_send, self.hub.loop.time())
            self.heard: list[float] = []
            self.scope = {}  # cookies and headers are in the door; the rest is not needed any more
            self.hub.enter(self.outbox)
        elif message["type"] == "websocket.receive":
            await self._receive(message)
        elif message["type"] == "websocket.disconnect":
            raise StopConsumer

    async def _receive(self, message: dict[str, Any]) -> None:
        if self.outbox.closing is not None:
            return
        now = self.hub.loop.time()
        if len(self.heard) == MOST_MESSAGES and now - self.heard[0] < MESSAGE_SECONDS:
            self.outbox.close(1008)
            return
        self.heard = [*self.heard[1 - MOST_MESSAGES :], now]
        text = message.get("text")
        if text is None:
            self.outbox.close(1003)
            return
        try:
            asked = frames.read_hello(text)
            if len(self.outbox.at.keys() | asked.keys()) > frames.MOST_STREAMS:
                raise frames.BadFrame(1008)
            await self.hub.hello(self.outbox, asked)
        except frames.BadFrame as bad:
            self.outbox.close(bad.code)
        except DatabaseError as error:
            _log.warning("hello not answered: %s", error)
            self.outbox.close(TRY_LATER)
