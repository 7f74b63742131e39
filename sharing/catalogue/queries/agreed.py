"""What was agreed, is it still what was signed, and how does it read as ODRL?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts import queries as accounts
from coordination.events.actor import Actor
from coordination.events.refused import Conflict, Invalid, NotFound
from coordination.events.text import localized
from sharing.catalogue import deciders, stewards
from sharing.catalogue.frozen import digest_of
from sharing.catalogue.models import Agreement, Dataset, Signature
from sharing.catalogue.queries.asked import Page, seen_requests
from sharing.catalogue.queries.entries import Row, department_row
from sharing.catalogue.states import WAITING


class NoSuchAgreement(NotFound):
    """There is no such agreement, or none that the actor may know of."""


class Altered(Conflict):
    """What is kept is not what was agreed: nothing is done on its strength."""

    code = "agreement_altered"


def _seen(actor: Actor, now: datetime) -> QuerySet[Agreement]:
    rows = Agreement.objects.filter(request__in=seen_requests(actor, now).values("pk"))
    return rows.select_related("request__dataset__department", "request__department")


def seen_one(actor: Actor, agreement_id: int, now: datetime, *, lock: bool = False) -> Agreement:
    """One agreement with its request; 404 where hidden or absent."""
    rows = _seen(actor, now).filter(pk=agreement_id)
    if lock:
        # its request too: who waited for another signature would else not know what that has opened
        rows = rows.select_for_update(no_key=True, of=("self", "request"))
    found = rows.first()
    if found is None:
        raise NoSuchAgreement(_("There is no such agreement."))
    return found


def intact(row: Agreement) -> bool:
    """Whether the policy, and all that was signed, is what the digest says."""
    signed = all(one.digest == row.digest for one in row.signatures.all())
    ends = row.policy.get("valid_to") == (row.valid_to.isoformat() if row.valid_to else None)
    return signed and ends and digest_of(row.policy) == row.digest


def require_intact(row: Agreement) -> None:
    """Refuse (409) to do anything on the strength of what was changed after it was agreed."""
    if not intact(row):
        raise Altered(_("This agreement is not what was agreed: its digest does not fit. Tell the auditor."))


def agreements(
    *, actor: Actor, now: datetime, after: Sequence[Any] | None = None, size: int = 50
) -> Page:
    """Agreements of the actor's department, as keeper or receiver, the newest first."""
    rows = _seen(actor, now).prefetch_related("signatures").order_by("-pk")
    if after is not None:
        if len(after) != 1 or isinstance(after[0], bool) or not isinstance(after[0], int):
            detail = _("Use next of the earlier answer as it is.")
            raise Invalid(detail, errors=[{"pointer": "/cursor", "code": "cursor", "detail": detail}])
        rows = rows.filter(pk__lt=after[0])
    found = list(rows[: size + 1])
    more = len(found) > size
    return [listed(row, now) for row in found[:size]], ([found[size - 1].pk] if more else None)


def listed(row: Agreement, now: datetime) -> Row:
    """An agreement as it stands in a list; needs its signatures."""
    signed = {one.side for one in row.signatures.all()}
    owed = row.to_be_signed and len(signed) < len(Signature.Side.values)
    opened = bool(row.request.grant_ids)
    over = row.valid_to is not None and row.valid_to <= now
    state = "ended" if row.ended_at else "over" if over else "in_force" if opened else "to_be_signed"
    return {
        "id": row.pk,
        "version": row.version,
        "number": row.number,
        "request_id": row.request_id,
        "dataset": {"id": row.request.dataset_id, "title": row.request.dataset.title},
        "classification": row.request.dataset.classification,
        "keeper": department_row(row.request.dataset.department),
        "recipient": department_row(row.request.department),
        "digest": row.digest,
        "intact": intact(row),
        "state": state,
        "state_name": str(STATES[state]),
        "signatures_owed": owed and state in ("in_force", "to_be_signed"),
        "sign_due": row.sign_due,
        "made_at": row.made_at,
        "valid_from": row.valid_from,
        "valid_to": row.valid_to,
        "ended_at": row.ended_at,
        "ended_why": row.ended_why,
    }


STATES = {
    "in_force": _("In force"), "to_be_signed": _("Waits for signatures"), "over": _("Has run out"),
    "ended": _("Ended"),
}


def agreement(*, actor: Actor, now: datetime, agreement_id: int) -> Row:
    """All of one agreement, its signatures, and what the actor may do with it now."""
    row = seen_one(actor, agreement_id, now)
    signatures = {one.side: one for one in row.signatures.all()}
    people = accounts.people_by_id(one.person_id for one in signatures.values())
    found = listed(row, now)
    return found | {
        "policy": row.policy,
        "signatures": [
            {"side": one.side, "side_name": one.get_side_display(), "person": str(people[one.person_id].name),
             "post": one.post, "at": one.at, "digest": one.digest}
            for one in sorted(signatures.values(), key=lambda one: one.at)
        ],
        "allowed_actions": [{"action": name} for name in _allowed(actor, row, found, set(signatures), now)],
    }  # fmt: skip


def _allowed(actor: Actor, row: Agreement, found: Row, signed: set[str], now: datetime) -> list[str]:
    live = found["state"] in ("in_force", "to_be_signed")
    keeper = actor.department_id == row.request.dataset.department_id
    asker = actor.department_id == row.request.department_id
    side = Signature.Side.KEEPER if keeper else Signature.Side.RECEIVER
    asks = asker and deciders.may_ask(actor, now)
    may = []
    if live and row.to_be_signed and side not in signed and (keeper or asker) and "head" in actor.posts:
        may.append("sign")
    if asks and found["state"] != "ended" and _renewable(row):
        may.append("renew")
    if live and (asks or stewards.may_steward(actor, row.request.dataset, now)):
        may.append("end")
    return may


def _renewable(row: Agreement) -> bool:
    """Whether the data can still be asked for, and no renewal waits for its answer already."""
    dataset = row.request.dataset
    shared = dataset.state == Dataset.State.PUBLISHED and dataset.sharing != Dataset.Sharing.NONE
    return shared and not row.renewals.filter(state__in=WAITING).exists()


def odrl(*, actor: Actor, now: datetime, agreement_id: int) -> Row:
    """The agreement as an ODRL 2.2 document; fields, rows and digest in terms of our own."""
    row = seen_one(actor, agreement_id, now)
    require_intact(row)
    policy = row.policy
    bounds = [("gteq", policy["valid_from"]), ("lt", policy["valid_to"])]
    constraints = [
        {"leftOperand": "dateTime", "operator": sign, "rightOperand": {"@value": at, "@type": "xsd:dateTime"}}
        for sign, at in bounds if at
    ]
    return {
        "@context": [
            "http://www.w3.org/ns/odrl.jsonld",
            {"muster": "urn:muster:", "fields": {"@id": "muster:fields", "@type": "@json"},
             "rows": {"@id": "muster:rows", "@type": "@json"}, "digest": "muster:sha256"},
        ],
        "@type": "Agreement",
        "uid": f"urn:muster:agreement:{row.pk}",
        "digest": row.digest,
        "permission": [
            {
                "assigner": _party(policy["keeper"]),
                "assignee": _party(policy["receiver"]),
                "target": f"urn:muster:dataset:{policy['dataset']['id']}",
                "action": "use",
                "constraint": [
                    *constraints, {"leftOperand": "purpose", "operator": "eq", "rightOperand": policy["purpose"]},
                ],
                "fields": policy["fields"],
                "rows": policy["rows"],
            }
        ],
    }  # fmt: skip


def _party(given: dict[str, Any]) -> Row:
    return {
        "uid": f"urn:muster:department:{given['id']}", "title": localized(given["name_zh"], given["name_en"]),
    }
