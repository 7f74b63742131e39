"""How does one process bring what happens to all its sockets?

One subscription to hints, one read for all streams that moved, each entry made into bytes once, then a queue a socket.
A hint may be lost and Redis may be gone: the heads are compared every 15 s (3 s while there are no hints).
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import Error as DatabaseError

from coordination.events.queries import Cursor, Page
from coordination.live import frames, reading
from coordination.live.hints import Hints
from coordination.live.outbox import NO_HELLO, OVERFLOW, SIGNED_OUT, TRY_LATER, Outbox
from coordination.live.who import Verdict

TICK = 0.5
BEAT_SECONDS = 5.0
BEAT_SLOTS = int(BEAT_SECONDS / TICK)
HEAD_SECONDS = 15.0
HEAD_SECONDS_UNHINTED = 3.0
BLIND_SECONDS = 20.0
"""With no look at the heads for so long nobody is told that the screen is fresh."""
HELLO_SECONDS = 5.0
SEND_SECONDS = 5.0
CHECK_SECONDS = 13.0
"""A right that ends by the clock, or whose end no hint told of, has ended on every screen within 15 s: with the tick
and the check itself."""
UNCHECKED_SECONDS = 45.0
CHECKS_AT_ONCE = 100
ENTRIES_AT_ONCE = 64
READS_OF_A_HOLE = 5

_log = logging.getLogger(__name__)


class Hub:
    """All sockets of one event loop."""

    def __init__(self) -> None:
        self.outboxes: set[Outbox] = set()
        self.followers: defaultdict[str, set[Outbox]] = defaultdict(set)
        self.known: dict[str, Cursor] = {}
        self.dirty: set[str] = set()
        self.moved = asyncio.Event()
        self.hints = Hints(self.hinted, self.recheck, self.look_soon)
        self.slots: list[set[Outbox]] = [set() for _ in range(BEAT_SLOTS)]
        self.slot = self.entered = 0
        self.clock: tuple[datetime, float] | None = None
        self.seen_at = 0.0
        self.heads_due = 0.0
        self.checking = False
        self.tasks: set[asyncio.Task[None]] = set()
        self.loop = asyncio.get_running_loop()
        for work in (self.hints.run, self._drain, self._tick):
            self._start(work())

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = self.loop.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    # --- sockets come and go

    def enter(self, outbox: Outbox) -> None:
        """Take care of a new socket: it has five seconds to say hello."""
        self.outboxes.add(outbox)
        self.entered += 1
        outbox.beat_slot = self.entered % BEAT_SLOTS  # a herd that came at once is not beaten at once

    def leave(self, outbox: Outbox) -> None:
        """Forget a socket that has ended."""
        for stream in list(outbox.at):
            self._unfollow(outbox, stream)
        self.outboxes.discard(outbox)
        self.slots[outbox.beat_slot].discard(outbox)
        outbox.gone()

    async def hello(self, outbox: Outbox, asked: Mapping[str, Cursor]) -> None:
        """Authorise, then replay what came after each cursor, then go on live."""
        asked = {stream: at for stream, at in asked.items() if stream not in outbox.at}
        verdict = (await reading.judge([(outbox.door, list(asked))]))[0]
        if not outbox.alive or outbox.closing is not None:
            return
        if verdict.actor.kind == "anonymous":
            outbox.close(SIGNED_OUT)
            return
        self._checked(outbox, verdict)
        for stream in verdict.allowed:
            outbox.hold(stream, asked[stream])
            self.followers[stream].add(outbox)
        self._set_clock(verdict.now)
        outbox.answer(frames.ready(verdict.allowed, set(asked) - verdict.allowed, verdict.now))
        await self._replay(outbox, {stream: asked[stream] for stream in verdict.allowed})
        self.slots[outbox.beat_slot].add(outbox)

    def _checked(self, outbox: Outbox, verdict: Verdict) -> None:
        outbox.checked_at = self.loop.time()
        # what was asked for while this was looked up stays due: it may have read what was there before
        outbox.next_check = min(outbox.next_check, outbox.checked_at + CHECK_SECONDS)
        outbox.department = verdict.actor.department_id
        outbox.person = verdict.actor.id if verdict.actor.is_person else None

    def _unfollow(self, outbox: Outbox, stream: str) -> None:
        outbox.forget(stream)
        followers = self.followers.get(stream)
        if followers is not None:
            followers.discard(outbox)
            if not followers:
                del self.followers[stream]
                self.known.pop(stream, None)

    async def _replay(self, outbox: Outbox, after: Mapping[str, Cursor]) -> None:
        """Read what the socket lacks until nothing lies between that and what the hub has handed out meanwhile."""
        left = dict(after)
        for turn in range(READS_OF_A_HOLE):
            if not left or not outbox.alive:
                return
            pages = await reading.pages(left)
            left = self._hand_over(outbox, pages, last=turn == READS_OF_A_HOLE - 1)

    def _hand_over(self, outbox: Outbox, pages: Mapping[str, Page], *, last: bool) -> dict[str, Cursor]:
        """Queue pages of a replay; the streams, with cursors, of which more must be read."""
        left: dict[str, Cursor] = {}
        for stream, page in pages.items():
            if stream not in outbox.held:
                continue
            at = (page.epoch, page.seq)
            if _about_access(stream, page):  # it may have been looked up before that happened
                outbox.next_check = 0.0
            if page.reset:
                said = [frames.reset(stream, page.epoch, page.seq, page.reset)]
            else:
                said = [frames.ev(entry, page.epoch) for entry in page.entries]
            whole = outbox.replayed(stream, at, said)
            if whole and self._behind_hub(outbox, stream):
                outbox.hold(stream, outbox.at[stream])
                whole = False
            if whole:
                if stream not in self.known:
                    self.known[stream] = outbox.at[stream]
                    if stream in self.dirty:
                        self.moved.set()
            elif last:  # it moves faster than it can be read
                outbox.close(OVERFLOW)
            else:
                left[stream] = outbox.at[stream]
        return left

    def _behind_hub(self, outbox: Outbox, stream: str) -> bool:
        known = self.known.get(stream)
        return known is not None and known[0] == outbox.at[stream][0] and known[1] > outbox.at[stream][1]

    # --- what happened goes out

    def hinted(self, streams: Iterable[str]) -> None:
        """Streams moved, somebody says."""
        new = self.followers.keys() & set(streams)
        if new:
            self.dirty |= new
            self.moved.set()

    async def _drain(self) -> None:
        while True:
            await self.moved.wait()
            self.moved.clear()
            todo = {stream: self.known[stream] for stream in self.dirty if stream in self.known}
            self.dirty -= todo.keys()
            self.dirty &= self.followers.keys()
            if not todo:
                continue
            try:
                pages = await reading.moved(todo)
                reached = self._reached(pages)
                for stream, page in pages.items():
                    await self._deliver(stream, page, reached)
            except DatabaseError as error:
                _log.warning("streams not read: %s", error)
                self.dirty |= todo.keys() & self.followers.keys()
                self.loop.call_later(1.0, self.moved.set)
            except Exception:  # noqa: BLE001 - the loop goes on whatever happens
                _log.exception("streams not delivered")
                self.heads_due = 0.0

    def _reached(self, pages: Mapping[str, Page]) -> dict[datetime, int]:
        """How many screens each commit reaches (all its events bear one moment); nothing where they are few."""
        if len(set().union(*(self.followers.get(stream, ()) for stream in pages))) <= frames.FEW:
            return {}
        commits: dict[datetime, set[str]] = defaultdict(set)
        for stream, page in pages.items():
            for entry in page.entries:
                commits[entry.at].add(stream)
        counts: dict[frozenset[str], int] = {}
        for streams in map(frozenset, commits.values()):
            if streams not in counts:
                counts[streams] = len(set().union(*(self.followers.get(stream, ()) for stream in streams)))
        return {at: counts[frozenset(streams)] for at, streams in commits.items()}

    async def _deliver(self, stream: str, page: Page, reached: Mapping[datetime, int]) -> None:
        known = self.known.get(stream)
        if known is None:
            return
        at = (page.epoch, page.seq)
        if _about_access(stream, page):  # said by the log itself, so no hint is needed for it
            self.recheck((), (), (stream,))
        if page.reset:
            self.known[stream] = at
            frame = frames.reset(stream, page.epoch, page.seq, page.reset, len(self.followers.get(stream, ())))
            for outbox in list(self.followers.get(stream, ())):
                if stream not in outbox.held:
                    outbox.at[stream] = at
                    outbox.say(frame)
            return
        fresh = [entry for entry in page.entries if entry.seq > known[1]]
        made = [(entry.seq, frames.ev(entry, page.epoch, reached.get(entry.at, 1))) for entry in fresh]
        for start in range(0, len(made), ENTRIES_AT_ONCE):
            if stream not in self.known:
                return  # the last follower has left meanwhile
            part = made[start : start + ENTRIES_AT_ONCE]
            self.known[stream] = (page.epoch, part[-1][0])
            for outbox in tuple(self.followers.get(stream, ())):
                if not outbox.offer(stream, page.epoch, part):
                    self._mend(outbox, stream)
            await asyncio.sleep(0)  # every writer empties its queue before the next part

    def _mend(self, outbox: Outbox, stream: str) -> None:
        """Read a hole for one socket."""
        at = outbox.at[stream]
        outbox.hold(stream, at)
        self._start(self._mended(outbox, {stream: at}))

    async def _mended(self, outbox: Outbox, after: Mapping[str, Cursor]) -> None:
        try:
            await self._replay(outbox, after)
        except Exception as error:  # noqa: BLE001 - the hub goes on whatever happens
            _log.warning("hole not read: %s", error)
            outbox.close(TRY_LATER)

    # --- time passes

    def _set_clock(self, now: datetime) -> None:
        self.clock = (now, self.loop.time())

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            try:
                now = self.loop.time()
                self._end_the_slow(now)
                self._beat(now)
                if now >= self.heads_due and self.followers:
                    self.heads_due = now + (HEAD_SECONDS if self.hints.live else HEAD_SECONDS_UNHINTED)
                    self._start(self._look_at_heads())
                if not self.checking:
                    self._check_due(now)
            except Exception:  # noqa: BLE001 - the loop goes on whatever happens
                _log.exception("hub tick")

    def _end_the_slow(self, now: float) -> None:
        for outbox in list(self.outboxes):
            if outbox.sending_since is not None and now - outbox.sending_since > SEND_SECONDS:
                outbox.close(OVERFLOW)
            elif outbox.checked_at is None:
                if now - outbox.opened_at > HELLO_SECONDS:
                    outbox.close(NO_HELLO)
            elif now - outbox.checked_at > UNCHECKED_SECONDS:
                outbox.close(TRY_LATER)  # a check that cannot be made is a no

    def _beat(self, now: float) -> None:
        self.slot = (self.slot + 1) % BEAT_SLOTS
        if self.clock is None or now - self.seen_at > BLIND_SECONDS:
            return
        moment = self.clock[0] + timedelta(seconds=now - self.clock[1])
        for outbox in list(self.slots[self.slot]):
            if outbox.closing is None:
                outbox.say(frames.beat(moment, outbox.heads(), late=not self.hints.live))

    def look_soon(self) -> None:
        """Compare the heads at the next tick: hints may have been lost."""
        self.heads_due = 0.0

    async def _look_at_heads(self) -> None:
        """Find what no hint told of, and read the server's clock."""
        streams = list(self.followers)
        try:
            now, heads = await reading.heads(streams)
        except Exception as error:  # noqa: BLE001 - the hub goes on whatever happens
            _log.warning("heads not read: %s", error)
            self.heads_due = min(self.heads_due, self.loop.time() + HEAD_SECONDS_UNHINTED)
            return
        self._set_clock(now)
        self.seen_at = self.loop.time()
        behind = [stream for stream, at in heads.items() if stream in self.known and self.known[stream] != at]
        if behind:
            self.hinted(behind)

    # --- may they still?

    def recheck(self, departments: Sequence[int], people: Sequence[int], streams: Sequence[str] = ()) -> None:
        """Look again at what the sockets of these departments, people and followers may follow, at once."""
        wanted_departments, wanted_people = set(departments), set(people)
        following = set().union(*(self.followers.get(stream, ()) for stream in streams))
        for outbox in self.outboxes:
            if outbox in following or outbox.department in wanted_departments or outbox.person in wanted_people:
                outbox.next_check = 0.0
        if not self.checking:
            self._check_due(self.loop.time())

    def _check_due(self, now: float) -> None:
        due = [box for box in self.outboxes if box.next_check <= now and box.closing is None][:CHECKS_AT_ONCE]
        if due:
            self.checking = True
            for outbox in due:
                outbox.next_check = now + CHECK_SECONDS
            self._start(self._check(due))

    async def _check(self, due: Sequence[Outbox]) -> None:
        try:
            verdicts = await reading.judge([(outbox.door, list(outbox.at)) for outbox in due])
        except Exception as error:  # noqa: BLE001 - the hub goes on whatever happens
            _log.warning("access not checked: %s", error)
            for outbox in due:
                outbox.next_check = min(outbox.next_check, self.loop.time() + 2.0)
            return
        finally:
            self.checking = False
        for outbox, verdict in zip(due, verdicts, strict=True):
            self._apply(outbox, verdict)

    def _apply(self, outbox: Outbox, verdict: Verdict) -> None:
        if not outbox.alive or outbox.closing is not None:
            return
        if verdict.actor.kind == "anonymous":
            outbox.close(SIGNED_OUT)
            return
        self._checked(outbox, verdict)
        for stream in set(outbox.at) - verdict.allowed:
            epoch, seq = outbox.at[stream]
            self._unfollow(outbox, stream)
            outbox.say(frames.reset(stream, epoch, seq, "gone"))


def _about_access(stream: str, page: Page) -> bool:
    """Whether a page of a dataset's stream tells that who may have it has changed, or leaves out what it tells."""
    if not stream.startswith("dataset:"):
        return False
    return bool(page.reset) or any(entry.type.startswith("access.") for entry in page.entries)


_hubs: dict[asyncio.AbstractEventLoop, Hub] = {}


def hub() -> Hub:
    """This process's hub (one an event loop), made at the first socket."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs.clear()
        _hubs[loop] = Hub()
    return _hubs[loop]
