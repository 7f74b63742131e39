"""What do workers do with the log?"""

from __future__ import annotations

from celery import shared_task

from coordination.events import relay


@shared_task(queue="urgent", name="events.relay", expires=5)
def run_relay() -> None:
    """Bring subscribers up to date (each second; the engine does the same)."""
    relay.run_once()
