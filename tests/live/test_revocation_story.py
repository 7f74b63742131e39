"""A grant is taken back while its holder has a list open and a socket subscribed: what is still shown after the commit?

Real server processes, real sockets; the steward acts on the page. Each thing that the holder has open is a `Watch` of
its own: one that runs on, as a download does, is added to those of the story.
"""

from __future__ import annotations

import http.cookiejar
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from accounts.models import Department
from coordination.events import clock, hint
from coordination.events.actor import SYSTEM
from sharing.access.models import Grant
from sharing.catalogue import actions
from sharing.catalogue.models import Dataset
from tests.events import outside
from tests.live import ground
from tests.live.ground import Web
from tests.live.test_datasets import LOST, dataset, followed, gone, opened, revoke

CANARY = b"canary-bed"


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
    return row, opened(row, city.water)


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
def test_taken_back_while_a_list_is_open_and_a_socket_subscribed(
    web: Web, city: SimpleNamespace, restricted: tuple[Dataset, int], monkeypatch: pytest.MonkeyPatch, lost: bool,
    figure: Callable[[str], None],
) -> None:
    row, pk = restricted
    path, page = f"/api/v1/datasets/{row.pk}/records", f"/data/{row.pk}/"
    listing = Watch(web, path, city.ben_cookie).start()
    screen = followed(web, city.ben_cookie, row)
    status, body, headers = got(web, path, city.ben_cookie)
    assert (status, CANARY in body, headers["cache-control"]) == (200, True, "private, no-store")
    status, shown, kept = got(web, page, city.ben_cookie)
    assert (status, kept["cache-control"]) == (200, "no-store")
    assert f"/data/sharing/{pk}/".encode() in shown
    assert f'data-live="dataset:{row.pk}"'.encode() in shown

    if lost:
        monkeypatch.setattr(hint, "_down_until", float("inf"))
        committed = revoke(pk)
    else:
        committed = on_the_page(web, steward(city.fire), pk)

    took = gone(screen, row, committed, LOST if lost else 2.0)
    figure(f"taken back{', hint lost' if lost else ''}: the subscription ended after {took:.1f} s")
    assert set(listing.after(committed)) == {(403, False)}
    status, body, _ = got(web, path, city.ben_cookie, **{"If-None-Match": headers["etag"]})
    assert (status, CANARY in body) == (403, False)
    for again in (page, f"{page}part/open/"):
        status, body, _ = got(web, again, city.ben_cookie)
        assert (status, f"/data/sharing/{pk}/".encode() in body) == (200, False)
    assert Grant.objects.get(pk=pk).revoked_at is not None
