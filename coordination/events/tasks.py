"""What do workers do with the log?"""

from __future__ import annotations

from celery import shared_task

from coordination.events import clock, purge, relay


@shared_task(queue="urgent", name="events.relay", expires=5)
def run_relay() -> None:
    """Bring subscribers up to date (each second; the engine does the same)."""
    relay.run_once()


@shared_task(queue="bulk", name="events.purge_commands")
def purge_commands() -> None:
    """Delete old command ids (once a day)."""
    purge.commands(now=clock.now())
