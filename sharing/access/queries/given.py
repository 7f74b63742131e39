"""By which grants may others read these objects, or might they have?"""

from __future__ import annotations

from collections.abc import Collection

from sharing.access.models import Grant
from sharing.access.queries.records import DATASET

MOST = 500


def grants_on_datasets(dataset_ids: Collection[int]) -> list[int]:
    """Ids of the grants ever given on these datasets, the newest first, at most 500.

    For whoever keeps them: the caller has made sure of that.
    """
    rows = Grant.objects.filter(object_type=DATASET, object_id__in=dataset_ids)
    return list(rows.order_by("-pk").values_list("pk", flat=True)[:MOST])
