"""What do the fault rows stand on: one system that is hurt, those who write in it, and many deadlines that come due?"""

from __future__ import annotations

import contextlib
import json
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import psutil
from celery import Celery

from coordination.config.settings.background import _broker
from tests.api.client import Api, City, Party
from tests.browser.window import patience
from tests.faults import checker, records
from tests.faults.clients import CREWS, open_incident, prepare
from tests.faults.history import History
from tests.faults.nemesis import Watchman, decoy
from tests.stacks import System

TARGETS = ("fire", "health", "transport", "eco", "police", "water")
ORDERS = 8
LADDER = [[0, "remind_duty"], [86_400, "head"]]
SETTLE = 20.0
"""Seconds after which everybody must have been told, on a machine that has more to do."""


def p99(values: Sequence[float]) -> float:
    """Return what 99 of 100 do not exceed."""
    assert values
    return sorted(values)[min(len(values) - 1, int(len(values) * 0.99))]


def within(seconds: float) -> float:
    """Return a bound for this machine now: the bound itself on an idle one, more where others compute beside us."""
    return seconds * patience()


def waited(seconds: float, more: float = 0.2) -> float:
    """Return a bound for what waits rather than computes: other people's work adds little, ``more`` for each core's."""
    return seconds + more * (patience() - 1)


def family(pid: int) -> list[psutil.Process]:
    """Return a process that is held by its id, and its children."""
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


@dataclass(frozen=True)
class Answer:
    """One answer to one try: when it came (monotonic), after how long, and its status (0: none)."""

    at: float
    seconds: float
    status: int


class Writer(threading.Thread):
    """Writes a line in the log of an incident, again and again, each under one id until it is clearly answered."""

    def __init__(self, party: Party, url: str, pause: float = 0.05, patience: float = 30.0) -> None:
        super().__init__(name="writer", daemon=True)
        self.party, self.url, self.pause, self.patience = party, url, pause, patience
        self.done: list[str] = []
        self.answers: list[Answer] = []
        self.stop = threading.Event()

    def run(self) -> None:
        """One line after another."""
        while not self.stop.is_set():
            key = str(uuid.uuid4())
            while not self.once(key):
                if self.stop.wait(0.2):
                    return
            self.done.append(key)
            self.stop.wait(self.pause)

    def once(self, key: str) -> bool:
        """Send a line once; whether it was acknowledged."""
        began, status = time.monotonic(), 0
        with contextlib.suppress(httpx.HTTPError):
            status = write(self.party, self.url, key, self.patience).status_code
        self.answers.append(Answer(time.monotonic(), time.monotonic() - began, status))
        return status == 201


def write(party: Party, url: str, key: str, seconds: float = 30.0) -> httpx.Response:
    """Send one line under ``key``; the caller repeats it."""
    headers = {"Idempotency-Key": key}
    return party.http.post(url, json={"text": f"Seen on site. {key}"}, headers=headers, timeout=seconds)


class Ground:
    """One running system, people signed in, an incident to write in, orders whose deadlines are set at will."""

    def __init__(self, system: System) -> None:
        self.system, self.history = system, History()
        self.api = Api(f"{system.base_url}/api/v1/schema")
        self.city = City(self.api, system.accounts)
        prepare(self.api, self.city)
        self.incident = open_incident(self.city, 0, CREWS[0])
        self.officer = self.city.person("city", "duty_officer")
        self.log = f"{system.base_url}/api/v1/incidents/{self.incident}/log"
        self.parts: list[int] = []
        self.watchman = Watchman(system, self.history)
        self.watchman.start()

    def close(self) -> None:
        """End the watch and the connections."""
        self.watchman.stop.set()
        self.watchman.join(60)
        self.city.close()

    # --- writing

    @contextlib.contextmanager
    def written(self, writers: int = 4, **options: Any) -> Iterator[list[Writer]]:
        """Let so many write meanwhile; afterwards each line that was acknowledged is there once."""
        threads = [Writer(self.officer, self.log, **options) for _ in range(writers)]
        for thread in threads:
            thread.start()
        try:
            yield threads
        finally:
            for thread in threads:
                thread.stop.set()
            for thread in threads:
                thread.join(60)
        assert self.lost([key for thread in threads for key in thread.done]) == {}

    def lost(self, keys: Sequence[str]) -> dict[str, int]:
        """Which of these lines are not there exactly once, and how often they are."""
        rows = self.system.query("SELECT text FROM incidents_logentry WHERE incident_id = %s", self.incident)
        there: dict[str, int] = {}
        for (text,) in rows:
            word = text.split()[-1] if text else ""
            there[word] = there.get(word, 0) + 1
        return {key: there.get(key, 0) for key in keys if there.get(key, 0) != 1}

    # --- deadlines

    def give_orders(self, orders: int = ORDERS) -> None:
        """Issue orders to six departments each, whose parts nobody acknowledges."""
        for number in range(len(self.parts) // len(TARGETS), orders):
            targets = [
                {"department": self.city.id(code), "role": "support" if index else "lead"}
                for index, code in enumerate(TARGETS)
            ]
            drafted = self.officer.call(
                "instructions_draft",
                {
                    "incident_id": self.incident, "headline_zh": f"巡查{number}", "headline_en": f"Patrol {number}",
                    "text": "Patrol and report.", "what": f"sector {number}", "place": "Gate 3",
                    "due_at": "2099-01-01T00:00:00+00:00", "urgency": "urgent", "evidence": ["text"],
                    "progress_every": 3600, "targets": targets,
                },
                status=201,
            )  # fmt: skip
            seen = self.officer.do("instruction", drafted["id"], "submit")
            for post in ("approver", "head"):
                if seen["state"] == "in_approval":
                    seen = self.city.person("city", post).do("instruction", drafted["id"], "approve", {"remark": "Go."})
            issued = self.officer.do("instruction", drafted["id"], "issue")
            self.parts += [int(one["id"]) for one in issued["assignments"]]

    def arm(self, after: float, spread: float) -> dict[int, int]:
        """Set a deadline for each part, due evenly over ``spread`` seconds from ``after`` seconds on; part → its id."""
        self.give_orders()
        connection = self.system.connect()
        try:
            connection.autocommit = False
            with connection.cursor() as cursor:
                cursor.execute("LOCK TABLE deadlines_deadline IN SHARE ROW EXCLUSIVE MODE")  # nobody climbs meanwhile
                cursor.execute(
                    "UPDATE deadlines_deadline SET state = 'cancelled' WHERE subject_type = 'instructions.assignment'"
                    " AND subject_id = ANY(%s) AND kind = 'acknowledge' AND state IN ('armed', 'held')",
                    [self.parts],
                )
                cursor.execute(
                    "INSERT INTO deadlines_deadline (subject_type, subject_id, kind, level, generation, due_at,"
                    "  base_due, armed_at, urgency, state, held_why, armed_version, on_outage, ladder, incident_id,"
                    "  attempts, step)"
                    " SELECT 'instructions.assignment', one.id, 'acknowledge', 0, one.generation + 1, one.due, one.due,"
                    "  clock_timestamp(), 1, 'armed', '', 1, 'fire', %s::jsonb, %s, 0, 'remind_duty' FROM"
                    " (SELECT subject_id AS id, max(generation) AS generation, clock_timestamp() + %s * interval '1 s'"
                    "   + row_number() OVER (ORDER BY subject_id) * %s * interval '1 s' AS due"
                    "  FROM deadlines_deadline WHERE subject_type = 'instructions.assignment' AND subject_id = ANY(%s)"
                    "  AND kind = 'acknowledge' GROUP BY subject_id) AS one RETURNING subject_id, id",
                    [json.dumps(LADDER), self.incident, after, spread / len(self.parts), self.parts],
                )
                made = dict(cursor.fetchall())
            connection.commit()
        finally:
            connection.close()
        assert len(made) == len(self.parts)
        return made

    def fired(self, ids: dict[int, int]) -> list[tuple[float, float]]:
        """Of these deadlines: (Unix time when fired, seconds late), each of which fired once."""
        rows = self.system.query(
            "SELECT extract(epoch FROM fired_at)::float, extract(epoch FROM fired_at - due_at)::float"
            " FROM deadlines_deadline WHERE id = ANY(%s) AND state = 'fired' ORDER BY 1",
            list(ids.values()),
        )
        return [(at, late) for at, late in rows]

    def all_fired(self, ids: dict[int, int], seconds: float = 60) -> list[tuple[float, float]]:
        """Wait until each of these has fired, and see that each did so once, not early, and was told."""
        self.system.until(lambda: len(self.fired(ids)) == len(ids), seconds=seconds, what="each deadline to fire")
        events = self.system.query(
            "SELECT (payload->>'deadline')::bigint, count(*) FROM events_event WHERE type = 'deadline.fired'"
            " AND (payload->>'deadline')::bigint = ANY(%s) GROUP BY 1", list(ids.values()),
        )  # fmt: skip
        assert dict(events) == dict.fromkeys(ids.values(), 1)
        found = self.fired(ids)
        assert min(late for _at, late in found) >= 0
        return found

    def sound(self) -> list[checker.Breach]:
        """Every breach of what is promised, once all has settled."""
        began = time.monotonic()
        while True:
            found = checker.check(self.history, records.read(self.system))
            if not found or time.monotonic() - began > within(SETTLE):
                return found
            time.sleep(1)

    # --- hurting

    @contextlib.contextmanager
    def beside_a_decoy(self) -> Iterator[None]:
        """Do something to processes; a decoy with a server's name must live through it."""
        before = len(self.history.broken)
        with decoy(self.history):
            yield
        assert self.history.broken[before:] == []

    def kill(self, name: str, *, tree: bool = True) -> int:
        """Kill a process, by its handle, and its children; return its id."""
        pid = self.system.supervisor.pid(name)
        assert pid, f"{name} does not run"
        with self.beside_a_decoy():
            for process in family(pid) if tree else [psutil.Process(pid)]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
        self.history.fault(f"SIGKILL {name} {pid}")
        return pid

    @contextlib.contextmanager
    def frozen(self, *processes: psutil.Process) -> Iterator[None]:
        """Stop processes by SIGSTOP for a while, and the children that they had begotten by then."""
        with self.beside_a_decoy():
            stopped: list[psutil.Process] = []

            def stop(those: Iterable[psutil.Process]) -> None:
                for process in those:
                    with contextlib.suppress(psutil.NoSuchProcess):  # it ended since they were listed
                        process.send_signal(signal.SIGSTOP)
                        stopped.append(process)

            try:
                stop(processes)
                with contextlib.suppress(psutil.NoSuchProcess):
                    stop(one for one in family(processes[0].pid) if one not in stopped)  # begotten since then
                yield
            finally:
                for process in reversed(stopped):
                    with contextlib.suppress(psutil.NoSuchProcess):
                        process.send_signal(signal.SIGCONT)

    def runs_again(self, name: str, old: int, seconds: float = 60) -> float:
        """Wait until another process runs under that name; return the seconds that took."""
        began = time.monotonic()
        supervisor = self.system.supervisor
        self.system.until(
            lambda: supervisor.pid(name) not in (0, old) and supervisor.state(name) == "RUNNING",
            seconds=seconds, what=f"{name} again",
        )  # fmt: skip
        return time.monotonic() - began

    def ready(self, seconds: float = 60) -> float:
        """Wait until the web process says that it is ready; return the seconds that took."""
        began = time.monotonic()
        self.system.until(lambda: self.system.web_answers(1) == "", seconds=seconds, what="readiness")
        return time.monotonic() - began

    def celery(self) -> Celery:
        """An app that sends what it is told to this system's broker."""
        app = Celery("faults", broker=_broker(self.system.environment("web")["REDIS_URL"]))
        app.conf.task_create_missing_queues = True
        return app


def answers(ask: Callable[[], httpx.Response], seconds: float, pause: float = 0.1) -> list[Answer]:
    """Ask again and again for so long."""
    found: list[Answer] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began, status = time.monotonic(), 0
        with contextlib.suppress(httpx.HTTPError):
            status = ask().status_code
        found.append(Answer(time.monotonic(), time.monotonic() - began, status))
        time.sleep(pause)
    return found
