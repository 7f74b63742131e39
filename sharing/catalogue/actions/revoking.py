"""How does a steward take back what was given of a dataset?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from coordination.events import streams
from coordination.events.actor import Actor
from coordination.events.command import action, record
from coordination.events.refused import Conflict
from sharing import access
from sharing.access.models import Grant
from sharing.access.queries import holdings
from sharing.catalogue import stewards
from sharing.catalogue.actions import acting
from sharing.catalogue.entered import Entered
from sharing.catalogue.models import Dataset
from sharing.catalogue.queries import grant_words, sharing

LONGEST_WHY = 200
STANDING = ("in_force", "not_yet")


class EndTheGlass(Conflict):
    """What break-glass opened ends with it, where its review, its banner and its record are."""

    code = "end_the_glass"


class GrantOver(Conflict):
    """The grant has lapsed, or was revoked before."""

    code = "grant_over"


@action("grant.revoke")
def revoke_grant(*, actor: Actor, now: datetime, grant_id: int, why: str, all_of_holder: bool = False) -> Grant:
    """Take a grant on my department's dataset back, from this commit on; ``why`` is told to whoever held it.

    One person is enough, whatever the class: four eyes guard what is opened, not what is closed. ``all_of_holder``:
    with it all that the same holder has of the dataset. The stewards may, and where there is none the head.
    """
    sharing.seen_grant(actor, grant_id)  # hidden is absent
    locked = access.lock_like(grant_id, all_of_holder=all_of_holder)
    chosen = next(row for row in locked if row.pk == grant_id)
    dataset = Dataset.objects.select_related("department").get(pk=chosen.object_id)
    _require(actor, dataset, now)
    entered = Entered()
    said = entered.text("why", why, LONGEST_WHY, needed=True)
    entered.done()
    if holdings.state_of(chosen, now) not in STANDING:
        raise GrantOver(_("This grant is over already."))
    if chosen.source == Grant.Source.BREAK_GLASS:
        raise EndTheGlass(_("This was opened by break-glass. End the break-glass itself, on its own page."))
    ending = [
        row for row in locked
        if holdings.state_of(row, now) in STANDING and row.source != Grant.Source.BREAK_GLASS
    ]
    access.close_dataset(actor=actor, grant_ids=[row.pk for row in ending], why=said, now=now)
    _note(dataset, ending)
    chosen.refresh_from_db()
    return chosen


def _require(actor: Actor, dataset: Dataset, now: datetime) -> None:
    if actor.kind == "system":
        return
    access.require(actor, "revoke", at=now)
    if stewards.may_steward(actor, dataset, now):
        return
    heads = "head" in actor.posts and actor.department_id == dataset.department_id
    if not heads or not stewards.without_steward(dataset.department_id, now):
        raise stewards.NotSteward(
            _("The data stewards take it back; the head may where nobody holds that post."), right="revoke"
        )


def _note(dataset: Dataset, ended: Sequence[Grant]) -> None:
    """Tell both sides, by ids alone; one notice, however many grants ended together."""
    for number, row in enumerate(ended):
        scope = (row.scope.kind, row.scope.key)
        home, tell = _concerned(scope)
        record(
            type="grant.revoked", subject=row, streams=[streams.department(dataset.department_id), *home],
            payload={"class": dataset.classification, "dataset": dataset.pk, "number": str(row.pk)},
            tell=tell if number == 0 else [],
        )  # fmt: skip
    acting.access_changed(dataset)


def _concerned(scope: tuple[str, str]) -> tuple[list[str], list[dict[str, Any]]]:
    """The streams of whoever held it, and whom to tell there."""
    kind, key = scope
    department = grant_words.department_of(scope)
    if department is not None:
        post = key.partition("/")[2] if kind == "post" else "duty_officer"
        return [streams.department(department)], [{"department": department, "post": post or "duty_officer"}]
    if kind == "person" and key.isdigit():
        return [streams.user(int(key))], [{"person": int(key)}]
    return [], []
