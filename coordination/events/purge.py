"""What is kept no longer?"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db.models import QuerySet

from coordination.events.models import Command


def old_commands(before: datetime, _held: Collection[int] = ()) -> QuerySet[Command]:
    """Command ids taken before a moment: a retry never comes that late. They belong to no incident."""
    return Command.objects.filter(at__lt=before)
