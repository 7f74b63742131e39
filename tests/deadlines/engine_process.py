"""What does an engine of its own do in a test? ``sweep``: fire until nothing is left; ``hang``: stop in mid-batch;
``engine``: the command itself."""

import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import django

django.setup()

from django.core.management import call_command  # noqa: E402 - after the set-up

from coordination.deadlines import engine  # noqa: E402
from coordination.deadlines.handlers import Firing  # noqa: E402
from coordination.deadlines.models import Deadline  # noqa: E402
from coordination.events import clock  # noqa: E402
from tests.deadlines import city as cities  # noqa: E402


def main() -> None:
    """Do what the first argument says; touch the file of the second when it has begun."""
    what, begun = sys.argv[1], Path(sys.argv[2])
    handler = cities.install()
    if what == "hang":

        def hang(firings: Sequence[Firing], now: datetime) -> None:
            begun.touch()
            time.sleep(60)

        handler.fire_many = hang  # type: ignore[method-assign]
        engine.sweep(clock.now(), batch=20)
    elif what == "sweep":
        begun.touch()
        while Deadline.objects.filter(level=0, state="armed").exists():
            engine.sweep(clock.now(), batch=7)
    else:
        begun.touch()
        call_command("engine")


main()
