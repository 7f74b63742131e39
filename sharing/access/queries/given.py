"""By which grants may others read these objects, or might they have?"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sharing.access.models import Grant
from sharing.access.queries.records import DATASET

MOST = 500


def grants_on_datasets(dataset_ids: Collection[int]) -> list[int]:
    """Ids of the grants ever given on these datasets, the newest first, at most 500.

    For whoever keeps them: the caller has made sure of that.
    """
    rows = Grant.objects.filter(object_type=DATASET, object_id__in=dataset_ids)
    return list(rows.order_by("-pk").values_list("pk", flat=True)[:MOST])


def ends_of(grant_ids: Collection[int]) -> dict[int, datetime | None]:
    """When each of these grants ends by itself (None: never); those that were taken back are left out."""
    standing = Grant.objects.filter(pk__in=grant_ids, revoked_at=None, scope__retired_at=None) if grant_ids else ()
    return {grant.pk: grant.valid_to for grant in standing}
