"""Who holds two posts that nobody may hold together, and what is left to them?"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db.models import Q

from accounts.models import Membership, Person, Post
from coordination.events.actor import Actor

#: who keeps the data, who watches, who hands out posts: three different people, everywhere and at all times
SEPARATED = frozenset({Post.Kind.DATA_STEWARD.value, Post.Kind.AUDITOR.value, Post.Kind.ADMINISTRATOR.value})
MOST = 100


def left(kinds: Collection[str], everywhere: Iterable[str]) -> list[str]:
    """Of the posts held in one department those that count; ``everywhere``: kinds held now in any department.

    Who holds two of the separated ones all the same (the rows are older than the rule) has none of them.
    """
    if len(SEPARATED.intersection(everywhere)) < 2:
        return list(kinds)
    return [kind for kind in kinds if kind not in SEPARATED]


def not_apart(at: datetime) -> list[Person]:
    """Active people who hold two of them at this moment or later, by name; one query."""
    held = Membership.objects.filter(Q(valid_to=None) | Q(valid_to__gt=at), post__kind__in=SEPARATED)
    rows = held.filter(person__is_active=True).values_list("person_id", "post__kind", "valid_from", "valid_to")
    theirs: dict[int, list[tuple[str, datetime, datetime | None]]] = {}
    for person_id, kind, start, end in rows:
        theirs.setdefault(person_id, []).append((kind, start, end))
    found = sorted(pk for pk, times in theirs.items() if _meet(times))[:MOST]
    return list(Person.objects.filter(pk__in=found).order_by("username")) if found else []


def _meet(times: list[tuple[str, datetime, datetime | None]]) -> bool:
    return any(
        kind != other and (end is None or start < end) and (until is None or begin < until)
        for kind, begin, end in times for other, start, until in times
    )  # fmt: skip


def may_see_not_apart(actor: Actor) -> bool:
    """Whether the actor is told who they are: whoever can mend it, or watches."""
    return bool(actor.posts & {Post.Kind.ADMINISTRATOR.value, Post.Kind.AUDITOR.value, Post.Kind.HEAD.value})
