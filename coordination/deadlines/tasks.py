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
def archive(after: int = 0) -> None:
    """Clear away what has been over for long (once a day); what is left then goes to the end of the queue."""
    _, go_on = actions.archive(now=clock.now(), after=after, seconds=actions.ARCHIVE_SECONDS)
    if go_on:
        archive.delay(go_on)
