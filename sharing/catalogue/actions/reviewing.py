"""How is broken glass judged?"""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from accounts import queries as accounts
from coordination.deadlines import actions as deadlines
from coordination.events.actor import Actor
from coordination.events.command import action
from coordination.events.refused import Conflict
from sharing import access
from sharing.access.fence import fenced
from sharing.catalogue.actions import glass_words
from sharing.catalogue.actions.breaking import REVIEW
from sharing.catalogue.entered import Entered
from sharing.catalogue.models import BreakGlass
from sharing.catalogue.queries import emergencies


class NotYetOver(Conflict):
    """It is judged when it is over; end it first."""

    code = "glass_running"


class JudgedAlready(Conflict):
    """It was judged already."""

    code = "glass_reviewed"


class NotYourJudgement(access.NotYourRight):
    """Nobody judges what they or their own department did, where somebody else can."""


@action("glass.review")
def review_glass(
    *, actor: Actor, now: datetime, glass_id: int, outcome: str, words: str, if_version: int | None = None
) -> BreakGlass:
    """Judge it: justified, not justified, or the plan must change, with words.

    By a data steward or head of the department whose data it was; once late, by a head of the one above too.
    """
    with fenced(actor):
        glass = emergencies.lock(actor, glass_id, if_version)
        _may(actor, glass, now)
        entered = Entered()
        chosen = entered.choice("outcome", outcome, BreakGlass.Outcome.values)
        text = entered.text("words", words, 1000, needed=True)
        entered.done()
        if glass.outcome:
            raise JudgedAlready(_("It was judged already."))
        if glass.running(now):
            raise NotYetOver(_("It is still open. End it, or wait until it is over."))
        glass.outcome, glass.review, glass.reviewed_at, glass.reviewed_by_id = chosen, text, now, actor.id
        glass_words.save(glass, "outcome", "review", "reviewed_at", "reviewed_by")
        deadlines.cancel(subject=glass, kinds=[REVIEW], now=now)
        glass_words.note(
            glass, "glass.reviewed", outcome=glass.outcome,
            tell=[{"person": glass.person_id}, {"department": glass.department_id, "post": "head"}],
        )
    return glass


def _may(actor: Actor, glass: BreakGlass, now: datetime) -> None:
    access.require(actor, "review_glass")
    if not emergencies.judges(actor, glass):
        raise NotYourJudgement(_("Only the department whose data it was judges this."), right="review_glass")
    if actor.id == glass.person_id:
        raise NotYourJudgement(_("Nobody judges what they did themselves."), right="review_glass")
    serves_there = accounts.actor_of_person(actor.id or 0, glass.department_id, now) is not None
    if serves_there and _others(glass, actor, now):
        raise NotYourJudgement(
            _("You serve in the department that broke the glass; let somebody else judge."), right="review_glass"
        )


def _others(glass: BreakGlass, actor: Actor, now: datetime) -> bool:
    """Whether somebody else of the owner, who does not serve in the department that broke the glass, could judge."""
    held = [*accounts.holders(glass.owner_id, "data_steward", now), *accounts.heads(glass.owner_id, now)]
    people = {one.person_id for one in held} - {actor.id, glass.person_id}
    return any(accounts.actor_of_person(pk, glass.department_id, now) is None for pk in people)
