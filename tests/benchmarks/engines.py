"""How do several engines drain one table, each a process of its own, as they run in earnest?

``python -m tests.benchmarks.engines`` sweeps whenever it is told the beginning of a kind's name, until nothing of that
kind is armed, and answers how many it fired. It looks for waste as seldom as `manage.py engine` does.
"""

from __future__ import annotations

import gc
import subprocess
import sys
from datetime import timedelta

import django

from tests.events import outside

SAID = "fired "  # what else is written there are log lines


class Engines:
    """So many processes; ended by `stop`."""

    def __init__(self, number: int) -> None:
        self.running = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.benchmarks.engines"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                text=True, env=outside.environment(MUSTER_PROCESS="engine"), cwd=outside.ROOT,
            )
            for _ in range(number)
        ]  # fmt: skip
        self.tell()
        self.heard()

    def drain(self, kind: str) -> int:
        """Let them sweep until nothing whose kind begins so is armed; how many fired."""
        self.tell(kind)
        return self.heard()

    def tell(self, kind: str = "-") -> None:
        """Begin."""
        for one in self.running:
            assert one.stdin is not None
            one.stdin.write(f"{kind}\n")
            one.stdin.flush()

    def heard(self) -> int:
        """Wait for all of them; how many fired."""
        said = (next(line for line in one.stdout or () if line.startswith(SAID)) for one in self.running)
        return sum(int(line.removeprefix(SAID)) for line in said)

    def stop(self) -> None:
        """End them."""
        for one in self.running:
            one.communicate(timeout=20)


def main() -> None:
    """Sweep when told."""
    django.setup()
    from coordination.deadlines import engine  # only once Django is set up
    from coordination.deadlines.models import Deadline
    from coordination.events import clock
    from tests.deadlines import city as cities

    cities.install()
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    for line in sys.stdin:
        kind, fired = line.strip(), 0
        soon = clock.now() + timedelta(minutes=1)  # the next steps of their ladders come later
        waiting = Deadline.objects.filter(kind__startswith=kind, state="armed", due_at__lt=soon)
        # a batch at a time: the moment that a deadline is marked with is then that of its own batch
        while (found := engine.sweep(clock.now(), batches=1)) or waiting.exists():
            fired += found
        print(f"{SAID}{fired}", flush=True)


if __name__ == "__main__":
    main()
