"""Does each queue still have a worker that works?"""

from celery import shared_task

from coordination.config import actions


@shared_task(name="config.canary", expires=9)
def canary(queue: str) -> None:
    """Note that a worker of ``queue`` took this task."""
    actions.sing(queue)
