"""Which alarms are kept no longer?"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db.models import Q, QuerySet

from coordination.deadlines.models import Alarm


def alarms(before: datetime, held: Collection[int]) -> QuerySet[Alarm]:
    """Alarms settled before a moment; those of incidents ``held`` stay."""
    return Alarm.objects.filter(~Q(incident_id__in=list(held), incident_id__isnull=False), settled_at__lt=before)
