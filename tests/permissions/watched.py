"""What stands in the city that is watched: a post that waits for its head, a file of the log?"""

from __future__ import annotations

import zlib
from typing import Any

from accounts import actions as accounts
from coordination.events import clock
from coordination.events.models import LogExport


def watched(world: Any) -> None:
    """Let a post over data wait for the centre's head, and a file of the log for its auditor."""
    now, centre = clock.now(), world.departments["centre"]
    proposed = accounts.appoint(
        actor=world.actor("centre/administrator"), now=now, department_id=centre.pk, person_id=world.ids["spare_id"],
        post="data_steward",
    )  # fmt: skip
    auditor = world.actor("centre/auditor")
    file = LogExport.objects.create(
        asked_by=auditor.key, asked_department=centre.pk, asked_at=now, form="csv", state="ready", finished_at=now,
        content=zlib.compress(b"canary-export"), digest="0" * 64,
    )  # fmt: skip
    world.ids |= {"proposal_id": proposed.pk, "audit_id": file.pk}
