"""How is an agreement signed by both sides, and how does either side end it?"""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from coordination.deadlines import actions as deadlines
from coordination.events.actor import Actor
from coordination.events.command import action
from coordination.events.refused import Conflict
from sharing import access
from sharing.catalogue import stewards
from sharing.catalogue.actions import answering, asking, waiting
from sharing.catalogue.entered import reason
from sharing.catalogue.models import Agreement, Signature
from sharing.catalogue.queries import agreed


class NothingToSign(Conflict):
    """It is signed already, ended, over, or needs no signatures."""

    code = "nothing_to_sign"


@action("agreement.sign")
def sign_agreement(*, actor: Actor, now: datetime, agreement_id: int, digest: str) -> Agreement:
    """Sign as head of one of the two departments, by the digest of what was read.

    With the second signature the grant opens, where it has waited for it.
    """
    access.require(actor, "sign_agreement")
    agreement = agreed.seen_one(actor, agreement_id, now, lock=True)
    agreed.require_intact(agreement)
    if digest != agreement.digest:
        raise Conflict(_("This is not the agreement you read. Read it again, then sign."), code="other_digest")
    side = _side(actor, agreement)
    if not agreement.to_be_signed or agreement.ended_at is not None or _over(agreement, now):
        raise NothingToSign(_("This agreement takes no signatures."))
    signed = {one.side: one for one in agreement.signatures.all()}
    if side in signed:
        raise NothingToSign(_("Your department has signed already."))
    if any(one.person_id == actor.id for one in signed.values()):
        raise Conflict(_("Two different persons sign, one for each side."), code="four_eyes")
    opens = len(signed) == 1 and not agreement.unsigned_opens
    if opens:
        _require_still_shared(agreement)
    Signature.objects.create(
        agreement=agreement, side=side, department_id=int(actor.department_id or 0), person_id=int(actor.id or 0),
        post="head", at=now, digest=agreement.digest,
    )
    Agreement.objects.filter(pk=agreement.pk).update(version=agreement.version + 1)
    agreement.version += 1
    waiting.note_agreement(agreement, "agreement.signed", side=side)
    if len(signed) == 1:
        deadlines.cancel(subject=agreement, now=now)
        if opens:
            answering.open_signed(agreement, now)
    return agreement


def _require_still_shared(agreement: Agreement) -> None:
    """Refuse (409) to open what its keeper has meanwhile taken out of use, shares no more, or raised in class."""
    dataset = agreement.request.dataset
    asking.askable_schema(dataset)
    if dataset.classification > agreement.policy["max_class"]:
        raise asking.NotShared(_("This data is of a higher class than was agreed. Ask for it anew."))


@action("agreement.end")
def end_agreement(*, actor: Actor, now: datetime, agreement_id: int, why: str) -> Agreement:
    """End it before its time, for either side; its grants are revoked in the same transaction."""
    agreement = agreed.seen_one(actor, agreement_id, now, lock=True)
    request = agreement.request
    keeper = stewards.may_steward(actor, request.dataset, now)
    asker = actor.department_id == request.department_id and access.may(actor, "request_data", at=now)
    if not keeper and not asker:
        raise access.NotYourRight(_("Only the two departments of this agreement may end it."), right="steward")
    words = reason("why", why, needed=True)
    if agreement.ended_at is not None or _over(agreement, now):
        raise Conflict(_("This agreement has ended already."), code="ended")
    Agreement.objects.filter(pk=agreement.pk).update(
        ended_at=now, ended_by=actor.key[:40], ended_why=words, version=agreement.version + 1
    )
    agreement.refresh_from_db(fields=["ended_at", "ended_by", "ended_why", "version"])
    deadlines.cancel(subject=agreement, now=now)
    waiting.stop(request, now, waiting.DELIVER)
    if request.grant_ids:
        access.close_dataset(actor=actor, grant_ids=request.grant_ids, why=words[:200], now=now)
        waiting.note_grants(request, "grant.ended", request.grant_ids)
    waiting.note_agreement(agreement, "agreement.ended")
    return agreement


def _over(agreement: Agreement, now: datetime) -> bool:
    return agreement.valid_to is not None and agreement.valid_to <= now


def _side(actor: Actor, agreement: Agreement) -> str:
    if actor.department_id == agreement.request.dataset.department_id:
        return Signature.Side.KEEPER
    if actor.department_id == agreement.request.department_id:
        return Signature.Side.RECEIVER
    raise access.NotYourRight(_("Only the heads of its two departments sign an agreement."), right="sign_agreement")
