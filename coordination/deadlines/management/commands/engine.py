"""How does the engine run as a process of its own?"""

from __future__ import annotations

import gc
import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from coordination.deadlines.engine import run_forever


class Command(BaseCommand):
    """Relay, deadlines and delivery: the loops that must not stop. Needs PostgreSQL only; run as many as you like."""

    # `prepare` has run the checks; here they would only double the time in which nothing fires after a crash
    requires_system_checks = ()
    help = "Run relay, deadline sweep and delivery until SIGTERM; the batch in hand is finished."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGTERM or SIGINT."""
        gc.collect()
        gc.freeze()  # what is loaded stays, and need not be looked through again
        gc.set_threshold(20_000, 20, 20)
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        self.stdout.write("engine: watching")
        self.stdout.flush()
        run_forever(stop)
        self.stdout.write("engine: stopped")
