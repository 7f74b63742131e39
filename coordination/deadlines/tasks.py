"""Which rounds of the engine does beat nudge? The engine process does the same without it."""

import time

from celery import shared_task

from coordination.deadlines import actions, engine, watchdog
from coordination.events import clock


@shared_task(name="deadlines.sweep", queue="urgent", ignore_result=True, expires=5)
def sweep() -> None:
    """Fire what is due."""
    asked = time.monotonic()
    now = clock.now()
    if engine.tick(now, "worker", asked=asked):
        engine.sweep(now)


@shared_task(name="deadlines.watchdog", queue="urgent", ignore_result=True, expires=9)
def watch() -> None:
    """Find what should have fired and did not."""
    watchdog.check(clock.now())


@shared_task(name="deadlines.archive", queue="bulk", ignore_result=True)
def archive() -> None:
    """Clear away what has been over for long (once a day)."""
    actions.archive(now=clock.now())
