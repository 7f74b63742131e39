"""How does one run go: clients at work, readers reading, faults, quiet, and then the question whether all holds?"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field

import psycopg2

from tests.api.client import Api, City
from tests.faults import checker, ledgers, records
from tests.faults.clients import CREWS, Client, open_incident, prepare
from tests.faults.hail import Hail
from tests.faults.history import History
from tests.faults.nemesis import Watchman
from tests.faults.readers import Asker, Reader, Screen
from tests.stacks import System

QUIET = 60.0
"""Seconds within which everything must have settled once nothing is hurt any more, on a machine that has more to do."""


class NotHeldError(AssertionError):
    """Something promised did not hold; the message has the seed and the shortest history that shows it."""


@dataclass(frozen=True)
class Aim:
    """How much is to happen before a long run may end, and after how many seconds it ends in any case."""

    kills: int
    acknowledged: int
    deadlines: int
    seconds: float


@dataclass
class Figures:
    """What a run came to."""

    seed: int
    seconds: float = 0
    commands: dict[str, int] = field(default_factory=dict)
    done: dict[str, int] = field(default_factory=dict)
    kills: int = 0
    cases: int = 0
    answer_median: float = 0
    events: int = 0
    fired: int = 0
    late_p99: float = 0
    late_max: float = 0
    seen_median: float = 0
    seen_p99: float = 0
    seen_max: float = 0
    notices: int = 0
    ledgers: int = 0
    settled_after: float = 0
    back: dict[str, str] = field(default_factory=dict)
    watch: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    seen_late: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lists = ("watch", "late", "seen_late")
        said = ", ".join(f"{name} {value}" for name, value in vars(self).items() if name not in lists)
        return "\n".join([said, *(f"  {name}: {line}" for name in lists for line in vars(self)[name])])


class Run:
    """One run against one system, by one seed."""

    def __init__(self, system: System, seed: int, *, clients: int = 6, redis_away: float = 20.0) -> None:
        self.system, self.seed = system, seed
        self.history = History()
        self.api = Api(f"{system.base_url}/api/v1/schema")
        self.city = City(self.api, system.accounts)
        prepare(self.api, self.city)
        crews = [CREWS[number % len(CREWS)] for number in range(max(len(CREWS), clients // 4))]
        self.incidents = [open_incident(self.city, number, crew) for number, crew in enumerate(crews)]
        self.clients = [
            Client(
                self.api, self.city, self.history, crews[number % len(crews)], f"client {number}",
                self.incidents[number % len(crews)], f"{seed}/{number}",
            )
            for number in range(clients)
        ]  # fmt: skip
        self.readers = self._readers()
        self.watch = Watchman(system, self.history)
        self.nemesis = Hail(system, self.history, f"{seed}/nemesis", redis_away=redis_away)
        self.asked, self.fired = 0.0, 0

    def _readers(self) -> list[Reader]:
        commander, fire = self.city.person("city", "commander"), self.city.person("fire", "duty_officer")
        found: list[Reader] = [
            Screen(self.api, commander, self.history, f"incident:{incident}") for incident in self.incidents
        ]
        found.append(Asker(self.api, commander, self.history, f"incident:{self.incidents[0]}"))
        found.append(Screen(self.api, fire, self.history, f"department:{self.city.id('fire')}"))
        return found

    def go(self, aim: Aim | None = None) -> Figures:
        """Work, be hurt (each fault once, or by chance up to ``aim``), rest, be asked. Raises `NotHeldError`."""
        began = time.monotonic()
        threads = [*self.clients, *self.readers, self.watch]
        for thread in threads:
            thread.start()
        try:
            if aim is None:
                self.nemesis.run()
            else:
                self.nemesis.fall(lambda: self._goes_on(aim, began))
            for client in self.clients:
                client.stop.set()
            for client in self.clients:
                client.join(60)
            settled = self._settle()
            self._readers_arrive()
        finally:
            for thread in threads:
                thread.stop.set()
            for thread in threads:
                thread.join(60)
        try:
            return self._judge(began, settled)
        finally:
            self.city.close()

    def _goes_on(self, aim: Aim, began: float) -> bool:
        """Whether something of the aim is still to come, and nobody who works has fallen."""
        fallen = any(thread.crash for thread in (*self.clients, *self.readers))
        if fallen or time.monotonic() - began > aim.seconds:
            return False
        acknowledged = self.history.counts()["ok"]
        if time.monotonic() - self.asked > 20:  # while PostgreSQL is down the last answer stands
            self.asked = time.monotonic()
            with contextlib.suppress(psycopg2.Error):
                self.fired = self.system.query("SELECT count(*) FROM deadlines_deadline WHERE state = 'fired'")[0][0]
            said = f"{self.nemesis.kills} kills, {acknowledged} acknowledged, {self.fired} deadlines fired"
            print(f"{self.history.now:6.0f} s: {said}", flush=True)
        return self.nemesis.kills < aim.kills or acknowledged < aim.acknowledged or self.fired < aim.deadlines

    def _settle(self) -> float:
        """Wait until nothing is overdue and everybody has heard; return how long it took."""
        self.system.wait_ready()
        began, moment = time.monotonic(), time.time()
        self.system.until(lambda: self._engine_beats(moment), seconds=QUIET, what="a beat of the engine")
        while time.monotonic() - began < QUIET:
            found = records.read(self.system)
            if not [
                one for check in (checker.firings, checker.told, checker.notices, checker.streams)
                for one in check(self.history, found)
            ]:  # fmt: skip
                break
            time.sleep(1)
        return time.monotonic() - began

    def _engine_beats(self, since: float) -> bool:
        """Whether an engine process has ticked since."""
        try:
            return bool(
                self.system.query(
                    "SELECT 1 FROM deadlines_engineheartbeat WHERE doing = 'engine' AND at > to_timestamp(%s)", since
                )
            )
        except psycopg2.Error:
            return False

    def _readers_arrive(self) -> None:
        """Every reader stands at the head of its stream at last."""
        heads = {row[0]: row[1] for row in records.read(self.system)["streams"]}
        end = time.monotonic() + QUIET
        for reader in self.readers:
            while reader.at < heads[reader.stream] and time.monotonic() < end:
                time.sleep(0.1)
            if reader.at < heads[reader.stream]:
                self.history.breach("a reader is behind", f"{reader.name}: {reader.at} of {heads[reader.stream]}")

    def _judge(self, began: float, settled: float) -> Figures:
        for thread in (*self.clients, *self.readers):
            if thread.crash is not None:
                raise thread.crash
        found = records.read(self.system)
        officers = [self.city.person(code, "duty_officer") for code in ("city", "jinwan")]
        breaches = checker.check(self.history, found) + ledgers.check(self.api, officers, found)
        if breaches:
            raise NotHeldError("\n".join(checker.story(self.history, self.seed, breaches)))
        latest = checker.lateness(found)
        late = [seconds for seconds, _at in latest] or [0.0]
        shown = self._seen_after(found)
        seen = [seconds for seconds, _at in shown] or [0.0]
        return Figures(
            seed=self.seed,
            seconds=round(time.monotonic() - began, 1),
            commands=self.history.counts(),
            done=self.history.done(),
            kills=self.nemesis.kills,
            cases=sum(client.cases for client in self.clients),
            answer_median=round(sorted(self.history.times or [0.0])[len(self.history.times) // 2], 3),
            events=sum(row[1] for row in found["streams"]),
            fired=len(late),
            late_p99=round(late[int(len(late) * 0.99)], 2),
            late_max=round(late[-1], 2),
            seen_median=round(seen[len(seen) // 2], 2),
            seen_p99=round(seen[int(len(seen) * 0.99)], 2),
            seen_max=round(seen[-1], 2),
            notices=len(found["notices"]),
            ledgers=len(found["assignments"]),
            settled_after=round(settled, 1),
            back={name: "/".join(f"{one:.1f}" for one in took) for name, took in self.nemesis.back.items()},
            watch=self.watch.said,
            late=self._worst([(seconds, at.timestamp()) for seconds, at in latest], 5),
            seen_late=self._worst(shown, 16),
        )

    def _worst(self, late: list[tuple[float, float]], beyond: float) -> list[str]:
        """The worst moments of ``late`` (seconds, Unix time), a line each second, with the faults just before."""
        began = time.time() - self.history.now
        worst: dict[int, str] = {}
        for seconds, at in late:
            before = [f"{when:.1f} {said}" for when, said in self.history.faults if when < at - began][-3:]
            if seconds > beyond:
                worst[round(at - began)] = f"{seconds:.1f} s at {at - began:.1f}, after {'; '.join(before)}"
        return [worst[moment] for moment in sorted(worst)]

    def _seen_after(self, found: records.Records) -> list[tuple[float, float]]:
        """Seconds from an entry to the screen that showed it, and when, sorted; of what was written meanwhile."""
        began = time.time() - self.history.now
        written = {(stream, seq): at for stream, seq, at in found["entries"] if at > began}
        return sorted(
            (moment - written[reader.stream, seq], moment)
            for reader in self.readers if isinstance(reader, Screen)
            for seq, moment in reader.seen.items() if (reader.stream, seq) in written
        )  # fmt: skip
