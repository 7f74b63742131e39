"""Who acts in the demo city, by their sign-in?"""

from __future__ import annotations

from datetime import datetime

from accounts import queries as accounts
from accounts.models import Membership
from coordination.events.actor import Actor


def actor_of(username: str, now: datetime) -> Actor:
    """Somebody of the city in the first post they were given; LookupError or ObjectDoesNotExist without any."""
    membership = Membership.objects.select_related("post").filter(person__username=username).earliest("id")
    actor = accounts.actor_of_person(
        person_id=membership.person_id, department_id=membership.post.department_id, at=now
    )
    if actor is None:
        raise LookupError(username)
    return actor
