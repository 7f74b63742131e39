"""Does a socket that follows a dataset end with the grant it rests on: at the commit, without a hint, by the clock?"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from accounts.models import Department
from coordination.events import clock, hint
from coordination.events.actor import SYSTEM
from coordination.events.models import Event
from coordination.live import on_event
from sharing import access
from sharing.access.actions.opening import Holder, Terms
from sharing.catalogue import actions
from sharing.catalogue.models import Dataset
from tests.browser.window import patience
from tests.catalogue.ground import SCHEMA
from tests.live.ground import Screen, Web, log_heads

LOST = 15.0


def dataset(of: Department, **more: Any) -> Dataset:
    """A published dataset of the department, with one record."""
    given = {"title_en": "Beds", "frequency": "daily", "contact": "data room", "code": "beds"} | more
    row = actions.draft(actor=SYSTEM, now=clock.now(), department_id=of.pk, **given)
    actions.add_schema(actor=SYSTEM, now=clock.now(), dataset_id=row.pk, schema=SCHEMA)
    actions.publish(actor=SYSTEM, now=clock.now(), dataset_id=row.pk)
    deliver(row, 1)
    return row


def deliver(row: Dataset, beds: int) -> None:
    record = {"id": "canary-bed", "beds": beds}
    actions.deliver(actor=SYSTEM, now=clock.now(), dataset_id=row.pk, records=[record], mode="part")


def opened(row: Dataset, to: Department, kind: str = "department", **more: Any) -> int:
    terms = {"fields": {"id": "full"}, "max_class": 3, "source": "agreement", "valid_from": clock.now()} | more
    holder = Holder(kind, str(to.pk))
    return access.open_dataset(dataset_id=row.pk, holders=[holder], terms=Terms(**terms))[0].pk


def revoke(pk: int) -> float:
    """Take it back; when that was committed."""
    actions.revoke_grant(actor=SYSTEM, now=clock.now(), grant_id=pk, why="over")
    return time.monotonic()


def followed(web: Web, cookie: str, row: Dataset) -> Screen:
    """A screen that has heard of one delivery by its own line."""
    stream = f"dataset:{row.pk}"
    screen = Screen(web, cookie, log_heads([stream]))
    assert screen.hear_kind("ready")["accepted"] == [stream]
    deliver(row, 2)
    screen.hear_kind("ev", 20)
    return screen


def gone(screen: Screen, row: Dataset, since: float, within: float) -> float:
    """Wait until the subscription has ended, and say after how many seconds.

    Nothing of the dataset comes after, whatever happens to it. ``within``: how long it may take; much longer is waited.
    """
    frame = screen.hear_kind("reset", within + 20)
    took = time.monotonic() - since
    assert (frame["stream"], frame["why"]) == (f"dataset:{row.pk}", "gone")
    heard = len(screen.frames)
    deliver(row, 3)
    screen.hear_kind("hb", 10)
    assert not [one for one in screen.frames[heard:] if one["kind"] != "hb" or f"dataset:{row.pk}" in one["heads"]]
    return took


def test_whoever_holds_it_follows_it_and_nobody_else(web: Web, city: SimpleNamespace) -> None:
    row = dataset(city.fire)
    stream = f"dataset:{row.pk}"
    other = Screen(web, city.ben_cookie, log_heads([stream]))
    assert other.hear_kind("ready")["refused"] == [stream]
    own = followed(web, city.anna_cookie, row)
    opened(row, city.water)
    holder = followed(web, city.ben_cookie, row)
    own.hear_until(lambda frame: own.cursors == holder.cursors, 20)
    assert "ev" not in {frame["kind"] for frame in other.frames}


@pytest.mark.parametrize("kind", ["department", "subtree"])
def test_a_grant_taken_back_ends_it_within_two_seconds(web: Web, city: SimpleNamespace, kind: str) -> None:
    row = dataset(city.fire)
    pk = opened(row, city.water, kind)
    screen = followed(web, city.ben_cookie, row)
    own = followed(web, city.anna_cookie, row)
    screen.hear_seq(f"dataset:{row.pk}", own.cursors[f"dataset:{row.pk}"][1])
    assert gone(screen, row, revoke(pk), 2.0) <= 2.0 * patience()
    own.hear_until(lambda frame: own.cursors == log_heads([f"dataset:{row.pk}"]), 20)


def test_with_the_hint_lost_within_fifteen(
    web: Web, city: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, figure: Callable[[str], None]
) -> None:
    row = dataset(city.fire)
    pk = opened(row, city.water)
    screen = followed(web, city.ben_cookie, row)
    monkeypatch.setattr(hint, "_down_until", float("inf"))
    took = gone(screen, row, revoke(pk), LOST)
    figure(f"hint lost: the subscription ended after {took:.1f} s")
    assert took <= LOST * patience()


def test_one_that_runs_out_ends_it_though_nothing_happens(web: Web, city: SimpleNamespace) -> None:
    row = dataset(city.fire)
    over = clock.now() + timedelta(seconds=6)
    opened(row, city.water, valid_to=over)
    screen = followed(web, city.ben_cookie, row)
    left = (over - clock.now()).total_seconds()
    assert gone(screen, row, time.monotonic() + left, LOST) <= LOST * patience()


def test_above_class_two_only_that_something_happened(web: Web, city: SimpleNamespace) -> None:
    basis = actions.add_legal_basis(
        actor=SYSTEM, now=clock.now(), instrument_zh="传染病防治法",
        in_force_from=clock.now().date() - timedelta(days=9),
    )  # fmt: skip
    row = dataset(
        city.fire, sharing="conditional", conditions_en="x", classification=3, legal_basis_id=basis.pk
    )
    opened(row, city.water)
    screen = followed(web, city.ben_cookie, row)
    said = [frame for frame in screen.frames if frame["kind"] == "ev"]
    assert said
    assert all(set(frame) == {"kind", "stream", "epoch", "seq"} for frame in said)


def test_the_relay_asks_for_whoever_follows_the_dataset(
    city: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = dataset(city.fire)
    revoke(opened(row, city.water))
    asked: list[Any] = []
    monkeypatch.setattr(hint, "send_recheck", lambda *args: asked.append(args))
    on_event.handle(list(Event.objects.filter(type__in=["grant.revoked", "access.changed"])))
    assert asked == [(sorted([city.fire.pk, city.water.pk]), [], [f"dataset:{row.pk}"])]
