"""Does what the database holds agree with what the clients know and with what is promised?

Each check returns breaches; a breach names the object it concerns, so that its history alone can be shown.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from coordination.instructions import states
from tests.faults.history import Command, History
from tests.faults.records import Records

LATE = timedelta(seconds=10)
"""Armed and due for longer, with nothing hurt: missed."""
SETTLED = timedelta(seconds=15)
"""What happened longer ago must have reached everybody."""


@dataclass(frozen=True)
class Breach:
    """Something promised that does not hold."""

    what: str
    said: str
    subject: str = ""
    about: int | None = None
    key: str = ""


def check(history: History, records: Records) -> list[Breach]:
    """Return every breach there is."""
    found = [Breach(what, said) for what, said in history.broken]
    for one in (commands, paths, firings, ladders, notices, told, streams, alarms):
        found += one(history, records)
    return found


def story(history: History, seed: object, breaches: list[Breach]) -> list[str]:
    """The seed, what does not hold, of each kind its shortest history, and the faults; [] where all holds."""
    if not breaches:
        return []
    lines = [f"seed {seed}: {len(breaches)} breaches"]
    for what in dict.fromkeys(one.what for one in breaches):
        kind = [one for one in breaches if one.what == what]
        told = [(history.shortest(one.subject, one.about, one.key), one) for one in kind]
        shortest, one = min(told, key=lambda pair: (not pair[0], len(pair[0])))
        lines += [f"{what} ({len(kind)} times), for instance {one.said}", *(f"    {line}" for line in shortest)]
    return [*lines, *(f"{at:7.2f} nemesis: {said}" for at, said in history.faults)]


# --- every command once, or not at all

_EXPECTED = {"ok": (1, 1), "info": (0, 1), "fail": (0, 0)}


def commands(history: History, records: Records) -> list[Breach]:
    """Ok: its effect exactly once. Info: at most once. Fail: not at all."""
    kept = Counter(key for (key,) in records["commands"])
    moves: dict[str, list[Any]] = defaultdict(list)
    for row in records["transitions"]:
        if row[6]:
            moves[row[6]].append(row)
    texts = Counter(
        word
        for table in ("drafts", "feedback", "evaluations", "log")
        for _about, text in records[table]
        for word in str(text).split()
    )
    return [
        Breach(
            "a command's effect is not there once", f"{command.outcome}, but {name}: {count}; {command.line()}",
            command.subject, command.about if command.about is not None else command.made, command.key,
        )
        for command in history.commands
        for name, count in _effects(command, kept, moves, texts)
        if not _EXPECTED[command.outcome][0] <= count <= _EXPECTED[command.outcome][1]
    ]  # fmt: skip


def _effects(
    command: Command, kept: Counter[str], moves: dict[str, list[Any]], texts: Counter[str]
) -> Iterator[tuple[str, int]]:
    """What a command leaves behind, and how often it is there."""
    yield "command ids", kept[command.key]
    if any(command.key in str(value) for value in command.body.values()):
        yield "texts", texts[command.key]
    if command.subject in ("instruction", "assignment"):
        about = command.about if command.about is not None else command.made
        mine = [row for row in moves[command.key] if row[0] == command.subject and row[3] == command.action]
        yield "moves", len([row for row in mine if about is None or row[1] == about])


# --- every path legal

_REACHED = {
    ("instruction", "submit"): {"in_approval", "approved"},
    ("instruction", "approve"): {"in_approval", "approved"},
    ("assignment", "acknowledge"): {"acknowledged", "cancelled", "="},
    ("assignment", "feedback"): {"in_progress", "feedback_submitted"},
    ("assignment", "evaluate"): {"closed", "evaluated", "in_progress"},
    ("assignment", "arbitrate"): {"declined", "delivered"},
    ("assignment", "cancel"): {"cancelled", "="},
}
"""Where a move that has several ends may end; ``=``: where it began."""


def paths(_history: History, records: Records) -> list[Breach]:
    """Each subject's moves follow each other, each as the table of moves has it, up to the row's own state."""
    found = []
    lines: dict[tuple[str, int], list[Any]] = defaultdict(list)
    for row in records["transitions"]:
        lines[row[0], row[1]].append(row)
    ends = {("instruction", pk): (state, version) for pk, state, version, _ in records["instructions"]}
    ends |= {("assignment", row[0]): (row[2], row[3]) for row in records["assignments"]}
    for (subject, pk), (state, version) in ends.items():
        line = lines[subject, pk]
        said = _illegal(subject, line)
        if not line or (line[-1][5], line[-1][2]) != (state, version):
            said = f"the row says {state} version {version}, the record ends with {line[-1][:6] if line else None}"
        if said:
            found.append(Breach("an illegal path", f"{subject} {pk}: {said}", subject, pk))
    return found


def _illegal(subject: str, line: list[Any]) -> str:
    state, version = "", None
    for _, _, number, action, before, after, *_rest in line:
        if before != state or (version is not None and number != version + 1):
            return f"{action} v{number} leaves {before!r}, but {state!r} v{version} was before it"
        try:
            move = states.move_named(subject, action)
        except KeyError:
            return f"no move {action}"
        ends = _REACHED.get((subject, action)) or {"=" if move.target is None else move.target}
        if before not in move.sources or (after not in ends and not ("=" in ends and after == before)):
            return f"{action} from {before!r} to {after!r}"
        state, version = after, number
    return ""


# --- every deadline once, never early, none missed


def firings(_history: History, records: Records) -> list[Breach]:
    """Each fired level has one event and fired when due; nothing due lies unfired; nothing was held as poison."""
    found = []
    events = Counter(row[4] for row in records["fired"])
    steps = Counter((row[2], row[3], row[5], row[6], row[7]) for row in records["fired"])
    for step, count in steps.items():
        if count > 1:
            found.append(_clock("a deadline fired twice", f"{step}: {count} times", step[0], step[1]))
    for row in records["deadlines"]:
        pk, subject, about, kind, generation, level, state, due, fired, _armed, _length, why = row
        name = f"{subject} {about} {kind} generation {generation} level {level} due {due:%H:%M:%S.%f}"
        if events[pk] != (state == "fired"):
            said = f"{name}: {state}, {events[pk]} events"
            found.append(_clock("a firing and its event differ", said, subject, about))
        if state == "fired" and fired < due:
            found.append(_clock("a deadline fired early", f"{name}, fired {fired:%H:%M:%S.%f}", subject, about))
        if state == "armed" and due < records.now - LATE:
            found.append(_clock("a deadline was missed", f"{name}, now {records.now:%H:%M:%S}", subject, about))
        if state == "held" and why.startswith("poison"):
            found.append(_clock("a deadline was held as poison", f"{name}: {why}", subject, about))
    return found


def ladders(_history: History, records: Records) -> list[Breach]:
    """Behind each fired step stands the next one, whatever has become of it since."""
    rows = {(row[1], row[2], row[3], row[4], row[5]): row for row in records["deadlines"]}
    lengths = {row[0]: row[10] for row in records["deadlines"]}
    return [
        _clock("the next step is missing", f"{subject} {about} {kind} {generation}.{level + 1}", subject, about)
        for _, _, subject, about, deadline, kind, generation, level, _ in records["fired"]
        if level + 1 < lengths.get(deadline, 0) and (subject, about, kind, generation, level + 1) not in rows
    ]  # fmt: skip


def lateness(records: Records) -> list[tuple[float, datetime]]:
    """Seconds between due and fired, and when that was, sorted."""
    fired = [row for row in records["deadlines"] if row[6] == "fired"]
    return sorted(((row[8] - row[7]).total_seconds(), row[8]) for row in fired)


def _clock(what: str, said: str, subject: str, about: int) -> Breach:
    return Breach(what, said, subject.rpartition(".")[2], about)


# --- every notice once


def notices(_history: History, records: Records) -> list[Breach]:
    """One notice, with one event, per message on screen; no message left lying; no key twice."""
    found = []
    keys = Counter(row[0] for row in records["deliveries"])
    found += [Breach("a message is there twice", key) for key, count in keys.items() if count > 1]
    wanted = Counter(
        (person, event, text, kind, pk, at)
        for _, event, person, channel, _, _, kind, pk, text, at in records["deliveries"] if channel == "in_app"
    )  # fmt: skip
    there = Counter((person, event, text, kind, pk, at) for _, person, event, text, kind, pk, at in records["notices"])
    for notice in (wanted - there) | (there - wanted):
        said = f"{notice}: {wanted[notice]} messages, {there[notice]} notices"
        found.append(_clock("notices and messages differ", said, notice[3], notice[4]))
    events = dict(records["noticed"])
    found += [
        Breach("a notice without its one event", f"notice {row[0]}: {events.get(row[0], 0)}")
        for row in records["notices"] if events.get(row[0], 0) != 1
    ]  # fmt: skip
    found += [
        _clock("a message lies unsent", f"{row[0]} {row[4]}", row[6], row[7])
        for row in records["deliveries"]
        if row[4] in ("pending", "sending", "unknown") and row[3] == "in_app" and row[5] < records.now - SETTLED
    ]
    return found


def told(_history: History, records: Records) -> list[Breach]:
    """Every event that names somebody, and every fired step, has reached a person."""
    found = []
    per_event: dict[int, list[str]] = defaultdict(list)
    keys = set()
    for row in records["deliveries"]:
        keys.add(row[0])
        if row[1] is not None and row[3] == "in_app":
            per_event[row[1]].append(row[0])
    for pk, kind, at, subject, about, tell in records["tells"]:
        if at > records.now - SETTLED or kind == "alarm.raised":
            continue
        for entry in tell:
            named = entry.get("object") or [subject, about]
            if not any(key.startswith(f"{named[0]}:{named[1]}:{kind}:{pk}:") for key in per_event[pk]):
                said = f"event {pk} {kind} of {subject} {about}: {entry}"
                found.append(_clock("nobody was told", said, subject, about))
    for pk, _at, subject, about, _, kind, generation, level, people in records["fired"]:
        for person in people or ():
            key = f"{subject}:{about}:{kind}:{generation}:{level}:p{person}:in_app"
            if key not in keys:
                found.append(_clock("a step told nobody", f"event {pk}: {key}", subject, about))
    return found


# --- every stream whole


def streams(_history: History, records: Records) -> list[Breach]:
    """Numbers run from 1 to the head without a gap; each event has one home; every subscriber has caught up."""
    found = []
    for stream, head, count, first, last in records["streams"]:
        if head and (count, first, last) != (head, 1, head):
            found.append(Breach("a gap in a stream", f"{stream}: head {head}, {count} entries from {first} to {last}"))
    found += [Breach("an event without its one home", f"{row}") for row in records["homes"]]
    found += [Breach("a subscriber is behind", f"{row}") for row in records["behind"]]
    return found


def alarms(_history: History, records: Records) -> list[Breach]:
    """Nothing was given up as poison; nothing had lost its deadline, so that the watchdog had to arm it anew."""
    raised = [row for row in records["alarms"] if row[0] in ("poison", "no_deadline")]
    return [Breach("an alarm", f"{kind} {key} {detail}") for kind, key, detail, *_ in raised]
