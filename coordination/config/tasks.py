"""Does each queue still have a worker that works, and what need not be kept any longer?"""

from celery import shared_task

from coordination.config import actions, retention
from coordination.events import clock


@shared_task(name="config.canary", expires=9)
def canary(queue: str) -> None:
    """Note that a worker of ``queue`` took this task."""
    actions.sing(queue)


@shared_task(name="config.purge", queue="bulk")
def purge() -> None:
    """Remove what is older than it need be (once a day)."""
    retention.purge(now=clock.now())
