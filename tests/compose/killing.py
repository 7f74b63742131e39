"""Who kills one of each pair while others work?"""

from __future__ import annotations

import random
import sys
import threading
import time

from tests.compose.engine import Project

PAIRS = ("web", "live", "engine", "worker-urgent", "worker-normal")
SINGLE = ("beat", "worker-bulk")


class Killer(threading.Thread):
    """Kills one of each pair, waits until it is well again, kills the other; ``rounds`` times."""

    def __init__(self, project: Project, *, rounds: int, seed: int) -> None:
        super().__init__(name="killer", daemon=True)
        self.project, self.rounds = project, rounds
        self.random = random.Random(seed)
        self.killed: list[tuple[float, str]] = []
        self.crash: BaseException | None = None

    def run(self) -> None:
        """Kill; a pair that does not come back is a crash."""
        try:
            for turn in range(self.rounds):
                self.turn(turn)
        except BaseException as error:
            self.crash = error

    def turn(self, turn: int) -> None:
        """One of each pair, in a drawn order, at drawn moments; and one of those of which there is but one."""
        names = list(PAIRS) + [SINGLE[turn % len(SINGLE)]]
        self.random.shuffle(names)
        for service in names:
            time.sleep(self.random.uniform(0.2, 2.5))
            found = self.project.containers(service)
            one = found[turn % len(found)]
            before = one["State"]["StartedAt"]
            self.project.kill(one)
            self.killed.append((time.time(), one["Name"].lstrip("/")))
            # the script's own words are kept back, ours are not
            print(f"    killed {one['Name'].lstrip('/')}", file=sys.__stdout__, flush=True)
            self.project.wait(lambda c=one, b=before: self._not_again(c, b), 60, "not started again")
        self.project.wait(lambda: self.project.not_healthy(*names), 180, "not well again")

    def _not_again(self, container: dict[str, object], before: str) -> str:
        for one in self.project.containers():
            if one["Id"] == container["Id"]:
                again = one["State"]["Running"] and one["State"]["StartedAt"] != before
                return "" if again else f"{one['Name']} {one['State']['Status']}"
        return "gone"
