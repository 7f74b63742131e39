"""What does the closed loop do by the calendar?"""

from celery import shared_task

from coordination.events import clock
from coordination.events.actor import SYSTEM
from coordination.instructions.actions.proving import prove_ladders


@shared_task(name="instructions.prove_ladders", queue="bulk", ignore_result=True)
def prove() -> None:
    """Look for holes in the ladders of the week to come (each night, and it may be repeated)."""
    prove_ladders(actor=SYSTEM, now=clock.now())
