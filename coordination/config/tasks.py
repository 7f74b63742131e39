"""Does each queue still have a worker that works, and what need not be kept any longer?"""

from celery import shared_task

from coordination.config import actions, retention, visibility
from coordination.events import clock
from coordination.events.actor import SYSTEM


@shared_task(name="config.canary", expires=9)
def canary(queue: str) -> None:
    """Note that a worker of ``queue`` took this task."""
    actions.sing(queue)


@shared_task(name="config.purge", queue="bulk")
def purge() -> None:
    """Remove what is older than it need be (once a day)."""
    retention.purge(now=clock.now())


@shared_task(name="config.visibility", queue="bulk", ignore_result=True)
def check_visibility() -> None:
    """Compare what is open with what should be (once a day)."""
    visibility.check(actor=SYSTEM, now=clock.now())
