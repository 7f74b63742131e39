"""How does a named person break the glass, keep it open once more, and close it again?

The start, its grants and the notice to the stewards stand in one transaction: none is there without the others.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import queries as accounts
from accounts.actions import proving
from accounts.actions.proving import Proof, ProofNeeded
from accounts.models import Person
from coordination.deadlines import actions as deadlines
from coordination.events.actor import Actor
from coordination.events.command import action
from coordination.events.refused import Conflict
from sharing import access
from sharing.access.actions.opening import Holder, Terms
from sharing.access.fence import fenced
from sharing.catalogue import working_days
from sharing.catalogue.actions import glass_words, proposing
from sharing.catalogue.actions.glass_targets import DATASET, Target, released, target_of
from sharing.catalogue.entered import Entered
from sharing.catalogue.models import BreakGlass, Dataset
from sharing.catalogue.queries import emergencies

REVIEW = "review"
SHORTEST, LONGEST = 10, 1000
"""Characters of a reason."""


class AlreadyBroken(Conflict):
    """This person has this open by break-glass already. ``id``: which it is."""

    code = "glass_open"


class CannotRenew(Conflict):
    """It was renewed once already, or is over."""

    code = "glass_not_renewable"


class GlassOver(Conflict):
    """It is over already."""

    code = "glass_over"


def break_glass(
    request: HttpRequest, *, actor: Actor, now: datetime, command_id: Any = None, code: str = "", credential: str = "",
    password: str = "", **asked: Any,
) -> BreakGlass:
    """Prove anew who one is, then `start`; the edge's one call. Who may not at all is told so before any proof."""
    access.require(actor, "break_glass")
    proof = proving.prove_anew(request, actor=actor, code=code, credential=credential, password=password)
    with fenced(actor):
        made: BreakGlass = start(actor=actor, now=now, command_id=command_id, proof=proof, **asked)  # type: ignore[call-arg]
    return made


def renew_glass(
    request: HttpRequest, *, actor: Actor, now: datetime, glass_id: int, command_id: Any = None, code: str = "",
    credential: str = "", password: str = "", if_version: int | None = None,
) -> BreakGlass:
    """Prove anew who one is, then `renew`; the edge's one call."""
    access.require(actor, "break_glass")
    emergencies.glass(actor=actor, now=now, glass_id=glass_id)  # hidden: the same answer whatever is proved
    proof = proving.prove_anew(request, actor=actor, code=code, credential=credential, password=password)
    with fenced(actor):
        done: BreakGlass = renew(
            actor=actor, now=now, command_id=command_id, proof=proof, glass_id=glass_id, if_version=if_version  # type: ignore[call-arg]
        )
    return done


@action("glass.start")
def start(
    *,
    actor: Actor,
    now: datetime,
    proof: Proof | None,
    reason: str,
    dataset_id: int | None = None,
    owner_id: int | None = None,
    dataset_code: str = "",
    incident: str = "",
) -> BreakGlass:
    """Open one dataset (by id, or by its department and code) or one incident (by its number) for the actor alone.

    404 for what is not there and for what no emergency opens to one who does not see it: the same answer.
    """
    access.require(actor, "break_glass")
    person = _person(actor, proof)
    entered = Entered()
    why = entered.text("reason", reason, LONGEST, needed=True)
    if why and len(why) < SHORTEST:
        entered.fault("reason", "too_short", _("At least %(least)d characters: others will judge by it.") % {
            "least": SHORTEST})
    entered.done()
    found = target_of(actor, now, dataset_id=dataset_id, owner_id=owner_id, code=dataset_code, incident=incident)
    with fenced(actor):
        standing = emergencies.running(now).filter(
            person=person, object_type=found.type, object_id=found.id
        ).first()
        if standing is not None:
            raise AlreadyBroken(_("You have this open already."), id=standing.pk)
        glass = _keep(actor, person, proof.how if proof else "", found, why, now)
        deadlines.arm(
            subject=glass, kind=REVIEW, due_at=glass.review_due, ladder=ladder(glass), urgency="urgent",
            incident_id=None, now=now,
        )
        told = glass_words.tell_owner(glass, "glass.started", now)
        glass_words.note(glass, "glass.started", proof=glass.proof, told=told)
        proposing.propose(glass, now)
    return glass


@action("glass.renew")
def renew(
    *, actor: Actor, now: datetime, proof: Proof | None, glass_id: int, if_version: int | None = None
) -> BreakGlass:
    """Keep it open once more, for an hour from its present end; by the same person, and once."""
    access.require(actor, "break_glass")
    with fenced(actor):
        glass = emergencies.lock(actor, glass_id, if_version)
        _own(actor, glass)
        _person(actor, proof)
        if not glass.running(now) or glass.renewed_at is not None:
            raise CannotRenew(_("It is over, or was renewed once already. If you still need it, break the glass anew."))
        if glass.object_type == DATASET and not released(Dataset.objects.get(pk=glass.object_id)):
            raise CannotRenew(_("Its keeper no longer lets an emergency open this. It ends at its time."))
        glass.renewed_at = now
        glass.ends += timedelta(minutes=settings.MUSTER_BREAK_GLASS_RENEWAL_MINUTES)
        access.lengthen(grant_ids=glass.grant_ids, until=glass.ends)
        glass_words.save(glass, "renewed_at", "ends")
        told = glass_words.tell_owner(glass, "glass.renewed", now)
        glass_words.note(glass, "glass.renewed", proof=proof.how if proof else "", told=told)
    return glass


@action("glass.end")
def end_glass(
    *, actor: Actor, now: datetime, glass_id: int, why: str = "", if_version: int | None = None
) -> BreakGlass:
    """End it now: whoever broke it, or a data steward or head of the department whose data it is."""
    entered = Entered()
    text = entered.text("why", why, 200)
    entered.done()
    with fenced(actor):
        glass = emergencies.lock(actor, glass_id, if_version)
        theirs = actor.department_id == glass.owner_id and access.may(actor, "review_glass")
        if not theirs:
            _own(actor, glass)
        if not glass.running(now):
            raise GlassOver(_("It is over already."))
        access.take_back(actor=actor, grant_ids=glass.grant_ids, why=text or "ended", now=now)
        glass.ended_at, glass.ended_by_id, glass.ended_why = now, actor.id, text
        glass_words.save(glass, "ended_at", "ended_by", "ended_why")
        glass_words.note(
            glass, "glass.ended", tell=[{"person": glass.person_id}] if actor.id != glass.person_id else []
        )
    return glass


def _person(actor: Actor, proof: Proof | None) -> Person:
    """Who acts, locked: two starts at once come one after the other. With a proof of their own, and no superuser."""
    person = Person.objects.select_for_update(no_key=True).get(pk=actor.id or 0)
    if person.is_superuser:
        raise access.NotYourRight(_("A superuser opens nothing by break-glass."), right="break_glass")
    if proof is None or proof.person_id != person.pk:
        raise ProofNeeded(_("Prove that it is you: send a code of your second factor."))
    return person


def _own(actor: Actor, glass: BreakGlass) -> None:
    if not actor.is_person or actor.id != glass.person_id:
        raise access.NotYourRight(_("Only the person who broke the glass may do that."), right="break_glass")


def _keep(actor: Actor, person: Person, how: str, found: Target, why: str, now: datetime) -> BreakGlass:
    ends = now + timedelta(minutes=settings.MUSTER_BREAK_GLASS_MINUTES)
    above = accounts.departments_by_id([found.owner_id])[found.owner_id].parent_id
    glass = BreakGlass.objects.create(
        person=person, post=actor.post, department_id=actor.department_id or 0, owner_id=found.owner_id, above_id=above,
        object_type=found.type, object_id=found.id, object_name=found.name, kind_of=found.kind_of,
        classification=found.classification, reason=why, proof=how, started_at=now, ends=ends,
        review_due=working_days.after(now, settings.MUSTER_BREAK_GLASS_REVIEW_DAYS),
    )
    because = f"break_glass:{glass.pk}"
    if found.fields is None:
        grants = [access.open_incident(
            incident_id=found.id, opened_at=found.opened_at or now, person_id=person.pk, because=because, now=now,
            valid_to=ends,
        )]
    else:
        grants = access.open_dataset(
            dataset_id=found.id, holders=[Holder("person", str(person.pk))],
            terms=Terms(
                fields=dict.fromkeys(found.fields, "full"), max_class=found.ceiling, source="break_glass",
                valid_from=now, valid_to=ends, because=because,
            ),
        )
    glass.grant_ids = [grant.pk for grant in grants]
    glass.save(update_fields=["grant_ids"])
    return glass


def ladder(glass: BreakGlass) -> list[list[Any]]:
    """Remind the stewards half-way, tell the head when due, then those above and the auditors, again and again."""
    half = (glass.review_due - glass.started_at).total_seconds() / 2
    day = 86_400.0
    return [[-half, "remind_steward"], [0.0, "head"], [day, "department_above"], [2 * day, "auditor", day, 7 * day]]
