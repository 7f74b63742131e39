"""How do relay, sweep, delivery and sealing go on until somebody asks them to stop?

Each runs in a thread of its own, so that a slow receiver keeps no deadline waiting. None needs Redis: a hint only
shortens the pause. Any number of processes may run the same loops.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.db import InterfaceError, OperationalError, connection

from coordination.deadlines import actions, alarms, queries, watchdog
from coordination.deadlines.engine.sweep import BATCH, sweep
from coordination.deadlines.engine.tick import tick
from coordination.events import checking, clock, exporting, relay
from coordination.events.hint import Listener
from coordination.events.models import LogCheck
from coordination.events.sealing import anchoring, line, sealer
from coordination.notify import delivery, witnesses

#: the longest any loop sleeps
LONGEST_PAUSE = 1.0
WATCH_EVERY = 10.0
RELEASE_EVERY = 86_400.0
SEAL_EVERY = 2.0
ANCHOR_EVERY = 10.0
LOG_EVERY = 2.0
#: waits after a failure: doubled each time up to the longest
SHORTEST_BACK_OFF, LONGEST_BACK_OFF = 0.1, 2.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Loop:
    """``turn`` does one round and returns how long to pause (seconds; 0: there is more to do now).

    ``end`` finishes what is under way when the loop is asked to stop. ``hints_after``: a hint shortens the pause to
    no less than these seconds, so that a flood of hints is no flood of queries; None: hints mean nothing to it.
    ``first_after``: seconds to wait before the first round.
    """

    name: str
    turn: Callable[[], float]
    end: Callable[[], None] | None = None
    hints_after: float | None = None
    first_after: float = 0.0


def relay_turn() -> float:
    """Bring subscribers up to date."""
    return 0.0 if relay.run_once() else LONGEST_PAUSE


def sweep_turn() -> float:
    """Show that this engine lives; fire what is due, unless the clock jumped."""
    asked = time.monotonic()
    now = clock.now()
    if not tick(now, "engine", asked=asked):
        return LONGEST_PAUSE
    fired = sweep(now)
    if fired >= BATCH:
        return 0.0
    left = queries.next_due(clock.now())
    if left is None:
        return LONGEST_PAUSE
    # overdue rows that did not fire belong to a locked subject: look again soon, not at once
    return min(LONGEST_PAUSE, left) if left > 0 else 0.05


def delivery_turn() -> float:
    """Send what waits to be sent."""
    sender = _sender()
    busy = sender.step(clock.now())
    if busy:
        return 0.05
    left = delivery.next_due(clock.now())
    return LONGEST_PAUSE if left is None else min(LONGEST_PAUSE, max(0.05, left))


def delivery_end() -> None:
    """Wait for the calls under way and write what they came to, so that nothing is sent twice."""
    _sender().finish(clock.now())


_senders: dict[int, delivery.Sender] = {}


def _sender() -> delivery.Sender:
    return _senders.setdefault(threading.get_ident(), delivery.Sender())


def watchdog_turn() -> float:
    """Look for what should have happened and did not; beat does the same, should no engine be left."""
    watchdog.check(clock.now())
    return WATCH_EVERY


def seal_turn() -> float:
    """Seal what was written; an entry that was missing is an alarm, and holds nothing up."""
    done = sealer.run_once()
    for stream, seq in done.gaps.items():
        alarms.raise_alarm(alarms.LOG_BROKEN, stream, {"stream": stream, "after": seq}, now=clock.now())
    return 0.0 if done.more else SEAL_EVERY


def anchor_turn() -> float:
    """Anchor the seals when it is time (`anchoring.EVERY`), and hand anchors to whoever keeps them outside."""
    anchoring.make_due()
    return 0.0 if witnesses.hand_over(clock.now()) else ANCHOR_EVERY


def log_turn() -> float:
    """Check the log once a day and when an auditor asks; make the files that auditors wait for."""
    now = clock.now()
    checking.make_due(now)
    done = checking.run_next(now, _changed), exporting.run_next(now)
    return 0.0 if any(done) else LOG_EVERY


def _changed(check: LogCheck) -> None:
    detail = {"check": check.pk, "found": check.findings[:3]}
    alarms.raise_alarm(alarms.LOG_BROKEN, "check", detail, now=clock.now())


def release_turn() -> float:
    """Let what was held as poison try again: at the start, when its cause may be mended, and once a day."""
    actions.release_all(now=clock.now())
    return RELEASE_EVERY


LOOPS = (
    Loop("relay", relay_turn, hints_after=0.02),
    Loop("sweep", sweep_turn),
    Loop("delivery", delivery_turn, delivery_end, hints_after=0.2),
    # at once it would find no engine: this one has not ticked yet
    Loop("watchdog", watchdog_turn, first_after=3.0),
    Loop("release", release_turn),
    Loop("seal", seal_turn, line.close),
    Loop("anchor", anchor_turn, line.close),
    Loop("log", log_turn, first_after=5.0),
)


def run_forever(stop: threading.Event, *, loops: tuple[Loop, ...] = LOOPS) -> None:
    """Run all loops until ``stop`` is set; each finishes the batch it has in hand. Returns when all have ended."""
    threads = [threading.Thread(target=_run, args=(loop, stop), name=loop.name, daemon=True) for loop in loops]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            thread.join(0.5)


def _run(loop: Loop, stop: threading.Event) -> None:
    listener = _listener(loop, stop)
    failures = 0
    stop.wait(loop.first_after)
    try:
        while not stop.is_set():
            try:
                pause, failures = loop.turn(), 0
            except (OperationalError, InterfaceError) as error:
                failures += 1
                _log.warning("%s: the database does not answer (%s)", loop.name, error)
                connection.close()
                pause = _back_off(failures)
            except Exception:  # noqa: BLE001 - a loop that ends is the one fault that must not happen
                failures += 1
                _log.exception("%s: a round failed", loop.name)
                pause = _back_off(failures)
            if pause > 0 and not stop.is_set():
                # jittered, so that many engines do not look at the same moment
                _sleep(loop, listener if not failures else None, stop, pause * random.uniform(0.8, 1.0))  # noqa: S311
    finally:
        _end(loop)
        if listener is not None:
            listener.close()
        connection.close()


def _end(loop: Loop) -> None:
    if loop.end is None:
        return
    try:
        loop.end()
    except Exception:  # noqa: BLE001 - what was under way is seen when its lease is over
        _log.exception("%s: the last round failed", loop.name)


def _listener(loop: Loop, stop: threading.Event) -> Listener | None:
    if loop.hints_after is None:
        return None
    listener = Listener().start()
    threading.Thread(target=_wake_at_the_end, args=(stop, listener), name=f"{loop.name}-stop", daemon=True).start()
    return listener


def _wake_at_the_end(stop: threading.Event, listener: Listener) -> None:
    stop.wait()
    listener.wake()


def _sleep(loop: Loop, listener: Listener | None, stop: threading.Event, seconds: float) -> None:
    if listener is None or loop.hints_after is None:
        stop.wait(seconds)
        return
    shortest = min(loop.hints_after, seconds)
    if not stop.wait(shortest):
        listener.wait(seconds - shortest)


def _back_off(failures: int) -> float:
    return float(min(LONGEST_BACK_OFF, SHORTEST_BACK_OFF * 2 ** min(failures - 1, 10)))
