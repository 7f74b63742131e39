"""Does a reader who comes back see every entry, over the socket and by asking?"""

from __future__ import annotations

import json
import threading
import time
from abc import ABC, abstractmethod
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from tests.api.client import Api, Party
from tests.faults.history import History

SILENCE = 12.0
"""A socket that says nothing for so long (heartbeats come every 5 s) is dead for a screen; it opens another."""


class Reader(threading.Thread, ABC):
    """Reads one stream from its first entry; ``at`` is the last entry seen without a hole."""

    def __init__(self, api: Api, party: Party, history: History, stream: str) -> None:
        super().__init__(name=f"{type(self).__name__} {stream}", daemon=True)
        self.api, self.party, self.history, self.stream = api, party, history, stream
        self.epoch, self.at = 1, 0
        self.stop = threading.Event()
        self.crash: BaseException | None = None
        self.opened = 0
        self.seen: dict[int, float] = {}

    def run(self) -> None:
        """Read until told to stop; come back after each fault."""
        try:
            while not self.stop.is_set():
                try:
                    self.read()
                except (OSError, TimeoutError, WebSocketException, httpx.HTTPError):
                    self.stop.wait(0.5)
        except BaseException as error:
            self.crash = error
            raise

    @abstractmethod
    def read(self) -> None:
        """Read on from ``at``."""

    def saw(self, epoch: int, seq: int) -> None:
        """Take note of one entry; a hole is a breach."""
        if epoch != self.epoch:
            self.history.breach("another epoch", f"{self.name}: {self.epoch} became {epoch}")
            self.epoch = epoch
        elif seq != self.at + 1:
            self.history.breach("a hole before a reader", f"{self.name}: {self.at} then {seq}")
        self.seen.setdefault(seq, time.time())
        self.at = max(self.at, seq)


class Asker(Reader):
    """Asks for the entries after its cursor, as another agency's system does."""

    def read(self) -> None:
        """One page, then a pause."""
        self.page()
        self.stop.wait(0.7)

    def page(self) -> None:
        """Read one page of entries."""
        url = urljoin(self.api.base, f"/api/v1/streams/{self.stream}/entries")
        answer = self.party.http.get(url, params={"after": f"{self.epoch}.{self.at}"}, timeout=8)
        if answer.status_code == 200:
            page = answer.json()
            for entry in page["items"]:
                self.saw(page["epoch"], entry["seq"])
        elif answer.status_code >= 500 and answer.status_code != 503:
            self.history.breach("an answer of 500", f"{self.name}: {answer.text[:500]}")


class Screen(Asker):
    """Listens at the socket, as a page does, and resumes where it was."""

    def read(self) -> None:
        """One socket until it dies."""
        base = urlsplit(self.api.base)
        cookie = "; ".join(f"{one.name}={one.value}" for one in self.party.http.cookies.jar)
        ws = "wss" if base.scheme == "https" else "ws"
        with connect(
            f"{ws}://{base.netloc}/live/ws", origin=f"{base.scheme}://{base.netloc}",  # type: ignore[arg-type]
            additional_headers={"Cookie": cookie}, compression=None, open_timeout=8, close_timeout=1,
        ) as socket:  # fmt: skip
            self.opened += 1
            socket.send(json.dumps({"kind": "hello", "streams": {self.stream: [self.epoch, self.at]}}))
            heard = time.monotonic()
            while not self.stop.is_set():
                try:
                    frame = json.loads(socket.recv(timeout=1))
                except TimeoutError:
                    if time.monotonic() - heard > SILENCE:
                        return
                    continue
                heard = time.monotonic()
                self.hear(frame)

    def hear(self, frame: dict[str, Any]) -> None:
        """Take one frame; a reset (more than 500 behind) is read the other way."""
        if frame.get("stream") != self.stream:
            return
        if frame["kind"] == "ev":
            self.saw(frame["epoch"], frame["seq"])
        elif frame["kind"] == "reset":
            while self.at < frame["seq"] and not self.stop.is_set():
                self.page()
