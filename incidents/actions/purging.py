"""What becomes of files that nobody ever hung on anything?"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from incidents.models import Attachment
from sharing import access

KEPT = timedelta(days=7)
AT_ONCE = 200


def purge_loose(*, now: datetime) -> int:
    """Delete files uploaded more than seven days ago that hang on nothing, 200 at most; how many. Rows go first."""
    rows = access.unscoped(Attachment, reason="files that hang on nothing belong to no incident")
    with transaction.atomic():
        found = list(
            rows.select_for_update(skip_locked=True)
            .filter(subject_type="", incident=None, at__lt=now - KEPT)
            .order_by("pk")[:AT_ONCE]
        )
        rows.filter(pk__in=[row.pk for row in found]).delete()
    for row in found:
        for stored in (row.file, row.thumbnail):
            if stored:
                stored.delete(save=False)
    return len(found)
