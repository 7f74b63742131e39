"""How does a head confirm the post over data or the log that an administrator proposes?

Four eyes: who proposes does not confirm, and nobody confirms their own post.
"""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from accounts.actions.may import lock_department
from accounts.actions.posts import NotOnesOwn, check_apart, given, lock_person, note_proposed
from accounts.models import Membership, ProposedPost
from accounts.queries.people import ADMINISTERING, may_administer
from accounts.queries.proposed import CONFIRMING, SEEING
from coordination.events import command
from coordination.events.actor import Actor
from coordination.events.refused import Conflict, Forbidden, NotFound


class NoSuchProposal(NotFound):
    """There is no such proposed post."""


class NotItsHead(Forbidden):
    """Only a head of the department, or of one above it, confirms (``right``: confirm_post)."""


def _locked(actor: Actor, proposal_id: int) -> ProposedPost:
    """The open proposal with its department and person, locked; 404 for whoever neither proposes nor confirms there."""
    place = ProposedPost.objects.filter(pk=proposal_id).values_list("department_id", "person_id").first()
    if place is None or not may_administer(actor, place[0], SEEING):
        raise NoSuchProposal(_("There is no such proposed post."))
    lock_department(place[0])
    lock_person(place[1])
    row = ProposedPost.objects.select_for_update(no_key=True, of=("self",)).get(pk=proposal_id)
    if row.state != ProposedPost.State.OPEN:
        raise Conflict(_("This has been decided already."), code="already_decided", state=row.state)
    return row


@command.action("proposedpost.confirm")
def confirm_post(*, actor: Actor, now: datetime, proposal_id: int) -> Membership:
    """Confirm a proposed post: from now on, or from the day it was proposed for, the person holds it."""
    row = _locked(actor, proposal_id)
    if not may_administer(actor, row.department_id, CONFIRMING):
        raise NotItsHead(
            _("Only the head of this department, or of one above it, may confirm this post."), right="confirm_post"
        )
    if actor.is_person and actor.id in (row.person_id, row.proposed_by_id):
        raise NotOnesOwn(_("Who proposed this post, or is to hold it, cannot confirm it."), right="confirm_post")
    start = max(row.valid_from or now, now)
    if row.valid_to is not None and row.valid_to <= start:
        raise Conflict(_("The time it was proposed for is over. Decline it."), code="over")
    check_apart(row.person_id, row.department_id, row.kind, start, row.valid_to)
    _decide(row, actor, now, ProposedPost.State.CONFIRMED)
    return given(row.department, row.person, row.kind, start, row.valid_to)


@command.action("proposedpost.decline")
def decline_post(*, actor: Actor, now: datetime, proposal_id: int) -> ProposedPost:
    """Decline a proposed post (a head), or take the proposal back (an administrator)."""
    row = _locked(actor, proposal_id)
    takes_back = not may_administer(actor, row.department_id, CONFIRMING) and may_administer(
        actor, row.department_id, ADMINISTERING
    )
    _decide(row, actor, now, ProposedPost.State.WITHDRAWN if takes_back else ProposedPost.State.DECLINED)
    return row


def _decide(row: ProposedPost, actor: Actor, now: datetime, state: str) -> None:
    row.state, row.decided_by_id, row.decided_at = state, actor.id if actor.is_person else None, now
    row.save(update_fields=["state", "decided_by", "decided_at"])
    note_proposed(row, state)
