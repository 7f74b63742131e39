"""Is no event lost to an open screen, and does nobody hear what is not theirs?"""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest
from django.contrib.sessions.models import Session
from websockets.exceptions import InvalidStatus

from accounts.models import Display, Membership
from accounts.queries.displays import digest
from coordination.events import clock, command, hint, relay
from coordination.events.actor import SYSTEM
from coordination.events.models import StreamEntry, StreamHead
from coordination.live import on_event
from tests.input import table
from tests.input.making import bytes_of
from tests.live import ground
from tests.live.ground import Screen, Web, write


def test_hello_replay_live_and_heartbeat(web: Web, city: SimpleNamespace) -> None:
    write(city.fire, city.f, times=3)
    screen = Screen(web, city.anna_cookie, {city.f: [1, 1]})
    ready = screen.hear()
    assert (ready["kind"], ready["accepted"], ready["refused"]) == ("ready", [city.f], [])
    screen.hear_seq(city.f, 3)
    write(city.fire, city.f, times=2)
    screen.hear_seq(city.f, 5)
    assert screen.seen[city.f] == [2, 3, 4, 5]
    assert screen.frames[-1] | {"kind": "ev"} == {
        "kind": "ev", "stream": city.f, "epoch": 1, "seq": 5,
        "type": "department.noted", "id": city.fire.pk, "version": 1,
    }  # fmt: skip
    beat = screen.hear_kind("hb", 8)
    assert beat["heads"] == {city.f: [1, 5]}
    assert beat["now"] >= ready["now"]
    screen.hear_kind("hb", 8)


def test_a_second_hello_adds_streams(web: Web, city: SimpleNamespace) -> None:
    me = f"user:{city.anna.pk}"
    screen = Screen(web, city.anna_cookie, {city.f: [1, 0]})
    screen.hear_kind("ready")
    write(city.fire, me, times=2)
    screen.hello({me: [1, 1]})
    assert screen.hear_kind("ready")["accepted"] == [me]
    write(city.fire, me, city.f)
    screen.hear_seq(me, 3)
    screen.hear_seq(city.f, 1)
    assert screen.seen == {city.f: [1], me: [2, 3]}


def test_streams_of_others_are_refused_and_stay_silent(web: Web, city: SimpleNamespace) -> None:
    """S16: streams of others are refused and stay silent."""
    foreign = [
        city.w,
        f"user:{city.ben.pk}",
        "incident:1",
        "incident:1:brief",
        "incident:999999",
        "department:0x1".replace("x", ""),
    ]
    screen = Screen(web, city.anna_cookie, {city.f: [1, 0], **{stream: [1, 0] for stream in foreign[:5]}})
    ready = screen.hear()
    assert ready["accepted"] == [city.f]
    assert ready["refused"] == sorted(foreign[:5])
    write(city.water, city.w, "incident:1", f"user:{city.ben.pk}")
    write(city.fire, city.f)
    screen.hear_seq(city.f, 1)
    screen.hear_kind("hb", 8)
    assert {frame.get("stream") for frame in screen.frames if frame["kind"] == "ev"} == {city.f}
    assert set(screen.frames[-1]["heads"]) == {city.f}


def test_above_class_two_only_that_something_happened_is_said(web: Web, city: SimpleNamespace) -> None:
    screen = Screen(web, city.anna_cookie, {city.f: [1, 0]})
    screen.hear_kind("ready")
    write(city.fire, city.f, **{"class": 3})
    assert screen.hear_kind("ev") == {"kind": "ev", "stream": city.f, "epoch": 1, "seq": 1}


def test_nothing_is_lost_when_the_server_is_killed_and_started_again(own_web: Web, city: SimpleNamespace) -> None:
    screen = Screen(own_web, city.anna_cookie, {city.f: [1, 0]})
    screen.hear_kind("ready")
    over = threading.Event()

    def writer() -> None:
        try:
            while not over.is_set():
                write(city.fire, city.f, times=5)
                over.wait(0.1)
        finally:
            ground.command.log.connection.close()

    thread = threading.Thread(target=writer)
    thread.start()
    try:
        for _ in range(3):
            screen.hear_seq(city.f, screen.cursors[city.f][1] + 10)
            own_web.kill()
            assert screen.close_code(10) == 1006
            own_web.start()
            screen.again()
    finally:
        over.set()
        thread.join(30)
    head = StreamHead.objects.get(pk=city.f).last_seq
    screen.hear_seq(city.f, head)
    assert screen.seen[city.f] == list(range(1, head + 1))


def test_a_server_that_stops_says_so_and_exits(own_web: Web, city: SimpleNamespace) -> None:
    screens = [Screen(own_web, city.anna_cookie, {city.f: [1, 0]}) for _ in range(20)]
    for screen in screens:
        screen.hear_kind("ready")
    assert own_web.stop() == 0
    assert {screen.close_code(10) for screen in screens} == {1012}


def test_screens_that_come_while_much_is_written_miss_nothing(web: Web, city: SimpleNamespace) -> None:
    """Between authorising, replaying and going live lie moments in which entries are committed."""
    over = threading.Event()

    def writer() -> None:
        try:
            while not over.is_set():
                write(city.fire, city.f, times=3)
        finally:
            ground.command.log.connection.close()

    threads = [threading.Thread(target=writer) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        screens = [Screen(web, city.anna_cookie, {city.f: [1, 0]}) for _ in range(12)]
        for screen in screens:
            screen.hear_until(lambda frame: frame["kind"] in ("ev", "reset"))
    finally:
        over.set()
        for thread in threads:
            thread.join(30)
    head = StreamHead.objects.get(pk=city.f).last_seq
    for screen in screens:
        screen.hear_seq(city.f, head)  # each frame was checked against the one before
        assert screen.cursors[city.f][1] == head


def test_far_behind_or_of_another_numbering_starts_anew(web: Web, city: SimpleNamespace) -> None:
    with command.unit(SYSTEM, clock.now()):
        for _ in range(501):
            command.record(type="x", subject=city.fire, streams=(city.f,))
    behind = Screen(web, city.anna_cookie, {city.f: [1, 0]})
    reset = behind.hear_kind("reset")
    assert reset == {"kind": "reset", "stream": city.f, "epoch": 1, "seq": 501, "why": "behind"}
    almost = Screen(web, city.anna_cookie, {city.f: [1, 1]})
    almost.hear_seq(city.f, 501)
    assert len(almost.seen[city.f]) == 500
    for epoch, seq in ((2, 0), (1, 502)):
        other = Screen(web, city.anna_cookie, {city.f: [epoch, seq]})
        assert other.hear_kind("reset")["why"] == "epoch"
    write(city.fire, city.f)
    for screen in (behind, almost, other):
        screen.hear_seq(city.f, 502)
    StreamEntry.objects.filter(stream=city.f).delete()
    StreamHead.objects.filter(pk=city.f).update(epoch=2, last_seq=0)
    write(city.fire, city.f)
    for screen in (behind, almost, other):
        assert screen.hear_kind("reset") == {"kind": "reset", "stream": city.f, "epoch": 2, "seq": 1, "why": "epoch"}


def test_a_lost_hint_is_made_good(web: Web, city: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen(web, city.anna_cookie, {city.f: [1, 0]})
    screen.hear_kind("ready")
    write(city.fire, city.f)
    screen.hear_seq(city.f, 1)
    monkeypatch.setattr(hint, "_down_until", float("inf"))
    write(city.fire, city.f, times=2)
    screen.hear_seq(city.f, 3, 25)  # the look at the heads comes each 15 s
    assert screen.seen[city.f] == [1, 2, 3]


class TestRevocation:
    def test_a_post_that_ends_ends_its_subscriptions_at_once_when_told(self, web: Web, city: SimpleNamespace) -> None:
        """S33: a post that ends ends its subscriptions at once when told."""
        me = f"user:{city.anna.pk}"
        screen = Screen(web, city.anna_cookie, {city.f: [1, 0], me: [1, 0]})
        screen.hear_kind("ready")
        screen.hear_kind("hb", 8)
        Membership.objects.filter(person=city.anna).update(valid_to=clock.now())
        with command.unit(SYSTEM, clock.now()):
            command.record(type="access.changed", subject=city.fire, streams=(city.f,))
        relay.run_once([("live", on_event.handle)])
        gone = {screen.hear_kind("reset", 10)["stream"], screen.hear_kind("reset", 10)["stream"]}
        assert gone == {city.f, me}
        assert all(frame["why"] == "gone" for frame in screen.frames if frame["kind"] == "reset")
        write(city.fire, city.f)
        assert screen.hear_kind("hb", 8)["heads"] == {}
        assert all(frame["seq"] == 1 for frame in screen.frames if frame["kind"] == "ev")

    def test_and_within_the_next_look_when_nobody_tells(self, web: Web, city: SimpleNamespace) -> None:
        """S33: and within the next look when nobody tells."""
        screen = Screen(web, city.anna_cookie, {city.f: [1, 0]})
        screen.hear_kind("ready")
        Membership.objects.filter(person=city.anna).update(valid_to=clock.now())
        assert screen.hear_kind("reset", 25)["why"] == "gone"

    def test_a_session_that_ended_closes_the_socket(self, web: Web, city: SimpleNamespace) -> None:
        """S27: a session that ended closes the socket."""
        screen = Screen(web, city.anna_cookie, {city.f: [1, 0]})
        screen.hear_kind("ready")
        Session.objects.all().delete()
        assert screen.close_code(25) == 4401

    def test_a_person_who_is_deactivated_is_out(self, web: Web, city: SimpleNamespace) -> None:
        screen = Screen(web, city.anna_cookie, {f"user:{city.anna.pk}": [1, 0]})
        screen.hear_kind("ready")
        city.anna.is_active = False
        city.anna.save()
        with command.unit(SYSTEM, clock.now()):
            command.record(type="person.deactivated", subject=city.anna, streams=(f"user:{city.anna.pk}",))
        relay.run_once([("live", on_event.handle)])
        assert screen.close_code(10) == 4401

    @pytest.mark.parametrize("cookie", ["", "session=nonsense", f"{'muster_wall'}=nonsense"])
    def test_who_is_not_signed_in_is_told_so(self, web: Web, city: SimpleNamespace, cookie: str) -> None:
        screen = Screen(web, cookie, {city.f: [1, 0]})
        assert screen.close_code(10) == 4401
        assert screen.frames == []

    def test_a_wall_reads_by_its_token_until_it_is_revoked(self, web: Web, city: SimpleNamespace) -> None:
        wall = Display.objects.create(
            department=city.fire, name="Wall", token_hash=digest("token"), address="127.0.0.1"
        )
        screen = Screen(web, ground.wall_cookie("token"), {city.f: [1, 0], city.w: [1, 0]})
        ready = screen.hear_kind("ready")
        assert (ready["accepted"], ready["refused"]) == ([city.f], [city.w])
        write(city.fire, city.f)
        screen.hear_seq(city.f, 1)
        wall.revoked_at = clock.now()
        wall.save()
        assert screen.close_code(25) == 4401


class TestHostile:
    @pytest.mark.parametrize("one", table.at("origin")[0].tries, ids=lambda one: one.name)
    def test_pages_of_others_open_no_socket(self, web: Web, city: SimpleNamespace, one: table.Try) -> None:
        """S15, B40: pages of others open no socket."""
        with pytest.raises(InvalidStatus) as caught:
            Screen(web, city.anna_cookie, {city.f: [1, 0]}, origin=(bytes_of(one.sent) or b"").decode())
        assert caught.value.response.status_code == 403

    @pytest.mark.parametrize("one", table.at("socket")[0].tries, ids=lambda one: one.name)
    def test_frames_that_are_not_ours_close_with_the_reason(
        self, web: Web, city: SimpleNamespace, one: table.Try
    ) -> None:
        """S16, B39: frames that are not ours close with the reason, and a flood of good ones too."""
        screen = Screen(web, city.anna_cookie, {city.f: [1, 0]})
        screen.hear_kind("ready")
        frame = bytes_of(one.sent["send"]) or b""
        try:
            for _ in range(one.sent.get("times", 1)):
                screen.socket.send(frame if one.sent["close"] == 1003 else frame.decode())
        except OSError:
            pass  # it was cut off on the way
        assert screen.close_code(10) in {one.sent["close"], 1006 if "times" in one.sent else one.sent["close"]}
        other = Screen(web, city.anna_cookie, {city.f: [1, 0]})
        assert other.hear_kind("ready")["accepted"] == [city.f]

    def test_streams_add_up_to_sixty_four_at_most(self, web: Web, city: SimpleNamespace) -> None:
        screen = Screen(web, city.anna_cookie, {city.f: [1, 0]})
        screen.hear_kind("ready")
        screen.hello({f"incident:{n}": [1, 0] for n in range(1, 64)})  # refused, so they do not count
        screen.hear_kind("ready")
        screen.hello({f"incident:{n}": [1, 0] for n in range(1, 65)})
        assert screen.close_code(10) == 1008

    def test_who_says_no_hello_is_shown_the_door(self, web: Web, city: SimpleNamespace) -> None:
        screen = Screen.__new__(Screen)
        screen.web, screen.cookie, screen.cursors, screen.frames = web, city.anna_cookie, {}, []
        screen.socket = screen.open()
        assert screen.close_code(15) == 4408
