"""Which datasets does a department keep?"""

from __future__ import annotations

from sharing.catalogue.models import Dataset

MOST = 2_000


def kept_by(department_id: int) -> list[int]:
    """Ids of all datasets that a department keeps, drafts and retired ones too, the newest first."""
    rows = Dataset.objects.filter(department_id=department_id)
    return list(rows.order_by("-pk").values_list("pk", flat=True)[:MOST])
