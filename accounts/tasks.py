"""What do workers do about signing in?"""

from __future__ import annotations

from celery import shared_task

from accounts.purge import purge
from coordination.events import clock


@shared_task(queue="bulk", name="accounts.purge")
def purge_sessions() -> None:
    """Delete what of signing in is no longer needed (once an hour)."""
    purge(now=clock.now())
