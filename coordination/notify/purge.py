"""Which messages are kept no longer?"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db.models import Q, QuerySet

from coordination.notify.models import Delivery, Notice

OVER = (Delivery.State.SENT, Delivery.State.FAILED, Delivery.State.SUPERSEDED)


def notices(before: datetime, held: Collection[int]) -> QuerySet[Notice]:
    """Notices read before a moment; those about incidents ``held`` stay."""
    return Notice.objects.filter(~_of(held), read_at__lt=before)


def deliveries(before: datetime, held: Collection[int]) -> QuerySet[Delivery]:
    """Messages made before a moment and settled since; those about incidents ``held`` stay."""
    return Delivery.objects.filter(~_of(held), created_at__lt=before, state__in=OVER)


def _of(incidents: Collection[int]) -> Q:
    return Q(incident_id__in=list(incidents), incident_id__isnull=False)
