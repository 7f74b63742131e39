"""What did the clients ask for, and what do they know of what became of it?

Each command is invoked once under one id, however often it is sent; it ends ``ok`` (done, says the server), ``fail``
(refused: nothing done) or ``info`` (nobody knows: done once or not at all).
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Command:
    """One command of one client. ``about``: (kind, id) of what it moves. A ``{key}`` in its texts became the id."""

    number: int
    client: str
    who: str
    key: str
    subject: str
    action: str
    about: int | None
    url: str
    body: dict[str, Any]
    began: float
    outcome: str = "info"
    status: int = 0
    tries: int = 0
    ended: float = 0.0
    answers: list[str] = field(default_factory=list)
    made: int | None = None

    def line(self) -> str:
        """One line for people."""
        what = f"{self.subject} {self.about if self.about is not None else ''}".strip()
        made = f" made {self.made}" if self.made is not None else ""
        return (
            f"{self.began:7.2f}-{self.ended:7.2f} #{self.number} {self.client} {self.who}: {self.action} {what}{made} "
            f"key {self.key} -> {self.outcome} [{', '.join(self.answers)}]"
        )


class History:
    """All that clients, readers and nemesis noted, in one order; for many threads."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.commands: list[Command] = []
        self.faults: list[tuple[float, str]] = []
        self.broken: list[tuple[str, str]] = []
        self.times: list[float] = []
        self._lock = threading.Lock()

    @property
    def now(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.began

    def invoke(self, **values: Any) -> Command:
        """Note that a command is about to be sent."""
        with self._lock:
            made = Command(number=len(self.commands), began=self.now, **values)
            self.commands.append(made)
            return made

    def answered(self, command: Command, said: str) -> None:
        """Note one answer, or that there was none."""
        command.tries += 1
        command.answers.append(said)
        command.ended = self.now

    def end(self, command: Command, outcome: str, status: int = 0) -> None:
        """Note what the client knows in the end."""
        command.outcome, command.status, command.ended = outcome, status, self.now

    def fault(self, said: str) -> None:
        """Note what the nemesis did."""
        with self._lock:
            self.faults.append((self.now, said))

    def breach(self, what: str, said: str) -> None:
        """Note at once what must never be (a 500, a hole before a reader)."""
        with self._lock:
            self.broken.append((what, f"{self.now:.2f} {said}"))

    def counts(self) -> dict[str, int]:
        """How many commands ended how."""
        found = {"ok": 0, "fail": 0, "info": 0}
        for command in self.commands:
            found[command.outcome] += 1
        return found

    def done(self) -> dict[str, int]:
        """How many commands of each kind were acknowledged."""
        return dict(Counter(one.action for one in self.commands if one.outcome == "ok").most_common())

    def shortest(self, subject: str, about: int | None, key: str = "") -> list[str]:
        """The lines that concern one object (or one command), with the faults of their time between them."""
        mine = [
            one for one in self.commands
            if (about is not None and subject == one.subject and about in (one.about, one.made)) or key == one.key
        ]  # fmt: skip
        lines = [(one.began, one.line()) for one in mine]
        if mine:
            first, last = min(one.began for one in mine) - 5, max(one.ended for one in mine) + 5
            lines += [(at, f"{at:7.2f} nemesis: {said}") for at, said in self.faults if first <= at <= last]
        return [line for _, line in sorted(lines)]
