"""How is everything that a holder was given taken back at once, however much it is?"""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from accounts.queries import department as department_of
from accounts.queries import subtree_ids
from coordination.events import streams
from coordination.events.actor import Actor
from coordination.events.command import action, record
from coordination.events.refused import Conflict, Invalid
from sharing.access.models import Scope
from sharing.access.queries.decisions import require

OF_DEPARTMENTS = (Scope.Kind.DEPARTMENT, Scope.Kind.SUBTREE, Scope.Kind.POST)


class NothingToRetire(Conflict):
    """The holder holds nothing, or was retired before."""

    code = "nothing_held"


@action("scope.retire")
def retire(*, actor: Actor, now: datetime, kind: str, key: str) -> Scope:
    """Let nobody resolve to this holder any more: one row is written, whether it holds one object or a million.

    ``kind``: department, subtree or post, with its ``key``. Needs the right to administer that department. Grants and
    rows of visibility stay as they are, for those who ask later who could see what.
    """
    number = key.partition("/")[0]
    if kind not in OF_DEPARTMENTS or not number.isascii() or not number.isdigit() or len(number) > 18:
        raise Invalid(_("Only a department, all below one, or a post in one can be retired as a holder."))
    home = department_of(int(number))
    if actor.kind != "system":
        require(actor, "org_admin", home, at=now)
    rows = Scope.objects.select_for_update(no_key=True)
    found = rows.filter(kind=kind, key=key, retired_at=None).first()
    if found is None:
        raise NothingToRetire(_("This holder holds nothing any more."))
    found.retired_at, found.key = now, f"{key}~{found.pk}"
    found.save(update_fields=["retired_at", "key"])
    heard = subtree_ids(home.pk) if kind == Scope.Kind.SUBTREE else {home.pk}
    record(type="access.changed", subject=found, streams=[streams.department(pk) for pk in sorted(heard)])
    return found
