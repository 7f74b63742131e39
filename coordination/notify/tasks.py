"""Which round of delivery does beat nudge? The engine process does the same without it."""

from celery import shared_task

from coordination.events import clock
from coordination.notify import delivery


@shared_task(name="notify.deliver", queue="normal", ignore_result=True, expires=5)
def deliver() -> None:
    """Send what waits."""
    delivery.run_once(clock.now())
