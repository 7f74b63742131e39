"""Which posts are proposed and wait for a head?"""

from __future__ import annotations

from accounts.models import ProposedPost
from accounts.queries.people import may_administer
from coordination.events.actor import Actor

CONFIRMING = frozenset({"head"})
SEEING = frozenset({"head", "administrator"})
MOST = 200


def proposed_posts(actor: Actor, department_id: int) -> list[ProposedPost]:
    """Open proposals for a department, oldest first: for its heads and administrators and those above, else none."""
    if not may_administer(actor, department_id, SEEING):
        return []
    rows = ProposedPost.objects.filter(department_id=department_id, state=ProposedPost.State.OPEN)
    return list(rows.select_related("person", "proposed_by", "department").order_by("pk")[:MOST])
