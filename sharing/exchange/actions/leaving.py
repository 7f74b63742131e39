"""How is it recorded that records left as a file?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from coordination.events import streams
from coordination.events.actor import Actor
from coordination.events.command import action, record
from sharing.catalogue.models import Dataset


@action("records.export")
def exported(
    *,
    actor: Actor,
    now: datetime,
    dataset: Dataset,
    format: str,
    rows: int,
    size: int,
    sha256: str,
    complete: bool,
    why: str,
    purpose: str,
    grants: Sequence[int],
    filter_sha256: str,
) -> None:
    """Record, in the stream of the department that keeps them, how a download of its records ended.

    ``sha256`` and ``size``: of the bytes that were sent; ``why``: what ended it before its end. What it was narrowed
    by is told by its digest alone, since it may name people.
    """
    record(
        type="records.exported", subject=dataset, streams=[streams.department(dataset.department_id)],
        payload={
            "format": format, "rows": rows, "size": size, "sha256": sha256, "complete": complete, "why": why,
            "purpose": purpose, "grants": list(grants), "filter_sha256": filter_sha256,
        },
    )
