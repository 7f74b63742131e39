"""What is kept no longer?"""

from __future__ import annotations

from datetime import datetime, timedelta

from coordination.events.models import Command

KEEP_COMMANDS = timedelta(days=30)
BATCH = 5_000


def commands(*, now: datetime) -> int:
    """Delete command ids older than 30 days, in small statements; return how many. A retry never comes that late."""
    deleted = 0
    while True:
        old = list(Command.objects.filter(at__lt=now - KEEP_COMMANDS).values_list("pk", flat=True)[:BATCH])
        deleted += Command.objects.filter(pk__in=old).delete()[0]
        if len(old) < BATCH:
            return deleted
