"""What does this room do in the background?"""

from celery import shared_task

from coordination.events import clock
from incidents import actions


@shared_task(name="incidents.purge_loose", queue="bulk", ignore_result=True)
def purge_loose() -> None:
    """Delete files that nobody hung on anything."""
    actions.purge_loose(now=clock.now())
