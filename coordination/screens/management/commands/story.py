"""How is the demo's story kept going?"""

import signal
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import OperationalError, close_old_connections

from coordination.events import clock
from coordination.screens.demo import story


class Command(BaseCommand):
    """Tell the story step by step until stopped; with --begin start it where none was ever told."""

    requires_system_checks = ()  # `prepare` has run them
    help = __doc__ or ""
    running = True

    def add_arguments(self, parser: CommandParser) -> None:
        """Speed and whether to begin by itself."""
        parser.add_argument("--begin", action="store_true")
        parser.add_argument("--speed", type=float, default=1.0)

    def handle(self, *args: Any, **options: Any) -> None:
        """Loop; a database that is away for a moment is waited for."""
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)
        if options["begin"] and story.current() is None:
            story.begin(now=clock.now(), speed=options["speed"])
        while self.running:
            try:
                told = story.tell_next(now=clock.now())
            except OperationalError:
                close_old_connections()
                told = False
            time.sleep(0.05 if told else 0.5)

    def stop(self, *_: Any) -> None:
        """Finish the step under way, then end."""
        self.running = False
