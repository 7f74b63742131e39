"""A grant is taken back while its holder reads, listens and downloads: what is still shown after the commit?

Real server processes, real sockets, a real browser; the steward acts on the page. What the holder has open: a list
asked for again and again (`Watch`), a page in a browser, a socket of its own, and a file that is on its way (`Taking`).
"""

from __future__ import annotations

import http.cookiejar
import json
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest
from playwright.sync_api import sync_playwright

from accounts.models import Department
from coordination.events import clock, hint
from coordination.events.actor import SYSTEM
from coordination.events.models import Event
from sharing.access.models import Grant
from sharing.catalogue import actions
from sharing.catalogue.models import Dataset
from tests import chromium
from tests.browser.window import new_context, patience
from tests.events import outside
from tests.live import ground
from tests.live.ground import Web
from tests.live.test_datasets import LOST, dataset, followed, gone, opened, revoke

pytestmark = [pytest.mark.browser, pytest.mark.whole_system]

CANARY = b"canary-bed"
RECORDS = 4_000
SCHEMA: dict[str, Any] = {
    "fields": [
        {"name": "id", "type": "string", "title_en": "Number", "filterable": True},
        {"name": "beds", "type": "integer", "title_en": "Beds"},
        {"name": "note", "type": "string", "title_en": "Note"},
    ],
    "primaryKey": ["id"],
}  # fmt: skip
PURPOSE = "drill"
T = TypeVar("T")
ONE = {"field": "id", "op": "eq", "value": CANARY.decode()}


def got(web: Web, path: str, cookie: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    """One question of a browser that is signed in."""
    request = urllib.request.Request(web.origin + path, headers={"Cookie": cookie, "Accept-Language": "en", **headers})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read(), {name.lower(): value for name, value in answer.headers.items()}
    except urllib.error.HTTPError as error:
        return error.code, error.read(), {name.lower(): value for name, value in error.headers.items()}


@dataclass
class Watch:
    """The list that somebody has open, asked for again and again: when each question began, and what came."""

    web: Web
    path: str
    cookie: str
    over: threading.Event = field(default_factory=threading.Event)
    answers: list[tuple[float, int, bool]] = field(default_factory=list)

    def start(self) -> Watch:
        """Begin, and wait for the first answer that shows it."""
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        ground.until(lambda: any(shown for _, _, shown in self.answers))
        return self

    def _run(self) -> None:
        while not self.over.is_set():
            began = time.monotonic()
            status, body, _ = got(self.web, self.path, self.cookie)
            self.answers.append((began, status, CANARY in body))
            time.sleep(0.25)

    def after(self, moment: float) -> list[tuple[int, bool]]:
        """The answers to what was asked after a moment; there are some."""
        ground.until(lambda: sum(began > moment for began, _, _ in self.answers) > 5)
        self.over.set()
        self.thread.join(30)
        return [(status, shown) for began, status, shown in self.answers if began > moment]


@dataclass
class Taking:
    """A file on its way to a slow reader, who reads fast once ``over`` is set: what came, and when it ended."""

    web: Web
    path: str
    cookie: str
    over: threading.Event = field(default_factory=threading.Event)
    content: bytearray = field(default_factory=bytearray)
    ended: float = 0.0

    def start(self) -> Taking:
        """Begin, and wait for the first record."""
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        ground.until(lambda: b"\r\nr0" in self.content or b"\nr0" in self.content)
        return self

    def _run(self) -> None:
        with socket.socket() as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)  # what waits stays with the server
            line.connect(("127.0.0.1", self.web.port))
            asked = f"GET {self.path} HTTP/1.1\r\nHost: 127.0.0.1:{self.web.port}\r\nConnection: close\r\n"
            line.sendall(f"{asked}Accept-Language: en\r\nCookie: {self.cookie}\r\n\r\n".encode())
            line.settimeout(60)
            while piece := line.recv(8_192):
                self.content += piece
                if not self.over.is_set():
                    time.sleep(0.05)
        self.ended = time.monotonic()

    def rest(self) -> bytes:
        """All that came, once it has ended."""
        self.over.set()
        self.thread.join(60)
        assert self.ended
        return bytes(self.content)


class Desk:
    """The holder's browser with one page, in a thread of its own: its loop and our database do not meet."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1)
        self.ask(self._begin)

    def _begin(self) -> None:
        self._running = sync_playwright().start()
        self._browser = self._running.chromium.launch(
            executable_path=chromium.program(), args=chromium.arguments()
        )
        self.context = new_context(self._browser, language="en", theme="light", width=1280, height=900)
        self.page = self.context.new_page()

    def ask(self, act: Callable[[], T]) -> T:
        """Do something with the page, there."""
        return self._thread.submit(act).result()

    def open(self, web: Web, cookie: str, path: str) -> None:
        """Go to a page as somebody who is signed in; wait until it shows the record and hears the server."""
        name, _, value = cookie.partition("=")
        self.context.add_cookies([{"name": name, "value": value, "domain": "127.0.0.1", "path": "/"}])
        self.page.goto(web.origin + path)
        self.page.locator("#ops-age[data-state=live]").wait_for(timeout=30_000)
        self.page.get_by_text(CANARY.decode()).first.wait_for()

    def emptied(self, seconds: float) -> float:
        """Wait until the list is gone; when that was."""
        self.page.locator("#records-now.ops-empty").wait_for(timeout=seconds * 1000)
        return time.monotonic()

    def close(self) -> None:
        """Let go of everything."""
        self.ask(self._browser.close)
        self.ask(self._running.stop)
        self._thread.shutdown()


def on_the_page(web: Web, cookie: str, pk: int) -> float:
    """The steward opens the grant and presses the button; when the answer came."""
    path = f"/data/sharing/{pk}/"
    status, body, headers = got(web, path, cookie)
    assert status == 200
    assert headers["cache-control"] == "no-store"
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', body.decode())
    command = re.search(r'name="command_id" value="([^"]+)"', body.decode())
    assert token
    assert command
    jar = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    csrf = headers["set-cookie"].partition(";")[0]
    form = {"csrfmiddlewaretoken": token[1], "command_id": command[1], "why": "the agreement has ended"}
    request = urllib.request.Request(
        f"{web.origin}{path}revoke/", data=urllib.parse.urlencode(form).encode(),
        headers={"Cookie": f"{cookie}; {csrf}", "Origin": web.origin, "Referer": web.origin + path},
    )  # fmt: skip
    with opener.open(request, timeout=20) as answer:
        assert answer.status == 200
    return time.monotonic()


@pytest.fixture
def restricted(city: SimpleNamespace) -> tuple[Dataset, int]:
    """A dataset of class 3, its steward, and a grant on it."""
    basis = actions.add_legal_basis(
        actor=SYSTEM, now=clock.now(), instrument_zh="传染病防治法",
        in_force_from=clock.now().date() - timedelta(days=9),
    )  # fmt: skip
    row = dataset(city.fire, sharing="conditional", conditions_en="x", classification=3, legal_basis_id=basis.pk)
    actions.add_schema(actor=SYSTEM, now=clock.now(), dataset_id=row.pk, schema=SCHEMA)
    many = [{"id": f"r{n:05}", "beds": n, "note": "x" * 2_000} for n in range(RECORDS)]
    many.append({"id": CANARY.decode(), "beds": 1, "note": ""})
    actions.deliver(actor=SYSTEM, now=clock.now(), dataset_id=row.pk, records=many)
    shown = {one["name"]: "full" for one in SCHEMA["fields"]}
    return row, opened(row, city.water, fields=shown, purpose=PURPOSE)


@pytest.fixture
def desk() -> Iterator[Desk]:
    """The holder's browser."""
    made = Desk()
    yield made
    made.close()


def steward(of: Department) -> str:
    """The cookie of a data steward."""
    return ground.sign_in(ground.person("sue", of, "data_steward"), of)


@pytest.fixture
def web(transactional_db: None, tmp_path: Path) -> Iterator[Web]:
    """A web process that serves pages too: their scripts and styles are collected as in earnest."""
    where = {"MUSTER_STATIC_ROOT": str(tmp_path), "MUSTER_HASHED_STATIC": "1"}
    subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"], check=True, cwd=outside.ROOT,
        env=outside.environment(**where, MUSTER_PROCESS="command"),
    )  # fmt: skip
    made = Web(**where)
    yield made
    made.stop()


@pytest.mark.parametrize("lost", [False, True])
def test_taken_back_while_its_holder_reads_listens_and_downloads(
    web: Web, city: SimpleNamespace, restricted: tuple[Dataset, int], monkeypatch: pytest.MonkeyPatch, lost: bool,
    figure: Callable[[str], None], desk: Desk,
) -> None:
    row, pk = restricted
    page = f"/data/{row.pk}/"
    path = f"/api/v1/datasets/{row.pk}/records?{urllib.parse.urlencode({'where': json.dumps(ONE)})}"
    listing = Watch(web, path, city.ben_cookie).start()
    screen = followed(web, city.ben_cookie, row)
    status, body, headers = got(web, path, city.ben_cookie)
    assert (status, CANARY in body, headers["cache-control"]) == (200, True, "private, no-store")
    status, shown, kept = got(web, page, city.ben_cookie)
    assert (status, kept["cache-control"]) == (200, "no-store")
    assert f"/data/sharing/{pk}/".encode() in shown
    assert f'data-live="dataset:{row.pk}"'.encode() in shown
    desk.ask(lambda: desk.open(web, city.ben_cookie, f"{page}records/?f-id={CANARY.decode()}"))
    taking = Taking(web, f"{page}records/download/?format=csv&purpose={PURPOSE}", city.ben_cookie).start()

    if lost:
        monkeypatch.setattr(hint, "_down_until", float("inf"))
        committed = revoke(pk)
    else:
        committed = on_the_page(web, steward(city.fire), pk)

    taking.over.set()
    within = LOST if lost else 2.0
    emptied = desk.ask(lambda: desk.emptied(within + 20)) - committed
    assert "canary-bed" not in desk.ask(lambda: desk.page.locator("#records-now").inner_text())
    said_aloud = desk.ask(lambda: desk.page.locator("#ops-say").inner_text())
    assert said_aloud == desk.ask(lambda: desk.page.locator("#records-now").inner_text()) != ""
    took = gone(screen, row, committed, within)
    assert took <= within * patience()
    figure(f"taken back{', hint lost' if lost else ''}: the subscription ended after {took:.1f} s")
    assert emptied <= within * patience() + 1
    file = taking.rest()
    figure(f"taken back{', hint lost' if lost else ''}: the list emptied after {emptied:.1f} s, "
           f"the download ended after {taking.ended - committed:.1f} s")
    assert taking.ended - committed <= LOST * patience()
    assert file.startswith(b"HTTP/1.1 200") and f"r{RECORDS - 1:05}".encode() not in file
    assert b"taken back while the download ran" in file
    said = Event.objects.filter(type="records.exported").latest("pk").payload
    assert (said["complete"], said["why"]) == (False, "withdrawn") and 0 < said["rows"] < RECORDS
    assert set(listing.after(committed)) == {(403, False)}
    answer = desk.ask(lambda: desk.page.reload())
    assert answer is not None and answer.status == 403
    assert desk.ask(lambda: desk.page.locator(".ops-records").count()) == 0
    status, body, _ = got(web, path, city.ben_cookie, **{"If-None-Match": headers["etag"]})
    assert (status, CANARY in body) == (403, False)
    for again in (page, f"{page}part/open/"):
        status, body, _ = got(web, again, city.ben_cookie)
        assert (status, f"/data/sharing/{pk}/".encode() in body) == (200, False)
    assert Grant.objects.get(pk=pk).revoked_at is not None
