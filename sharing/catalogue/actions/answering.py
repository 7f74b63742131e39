"""How does a request become a grant: by the rules of its terms, or by what somebody decided?"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from coordination.deadlines import actions as deadlines
from coordination.events.actor import Actor
from sharing import access
from sharing.access.actions.opening import Holder, Terms
from sharing.access.queries import holdings
from sharing.catalogue import narrowing, working, working_days
from sharing.catalogue.actions import waiting
from sharing.catalogue.deciders import four_eyes
from sharing.catalogue.frozen import digest_of
from sharing.catalogue.incident_terms import Response
from sharing.catalogue.models import Agreement, Dataset, SchemaVersion, ShareRequest, StandingOffer

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Given:
    """What is given: never more than the request asks for; who decides sees to that."""

    fields: Mapping[str, Any]
    rows: Mapping[str, Any]
    valid_from: datetime
    valid_to: datetime | None


def class_of(dataset: Dataset, fields: Mapping[str, Any], schema: SchemaVersion) -> int:
    """The highest class of a dataset and of these of its fields."""
    classes = narrowing.classes_of(schema.document)
    return max([dataset.classification, *(classes.get(name, 1) for name in fields)])


def holder_of(request: ShareRequest) -> Holder:
    """Who is to hold the grants of a request."""
    kind, department = str(request.holder), str(request.department_id)
    return Holder(kind, f"{department}/{request.post}" if kind == "post" else department)


def by_rule(
    actor: Actor, request: ShareRequest, schema: SchemaVersion, response: Response | None, now: datetime
) -> bool:
    """Grant at once what the terms give without a person's word; whether they did.

    Nothing of class 3 and above, and nothing of what a person took back from the same holder before.
    """
    dataset, holder = request.dataset, holder_of(request)
    if four_eyes(dataset, class_of(dataset, request.fields, schema), now):
        return False
    if holdings.taken_back(dataset.pk, holder.kind, holder.key):
        return False
    if dataset.sharing == Dataset.Sharing.UNCONDITIONAL:
        if not _plain(request, schema) or (dataset.personal and request.valid_to is None):
            return False
        given = Given(request.fields, request.rows, request.valid_from, request.valid_to)
        _answered(request, given, None, now, source="unconditional")
        return True
    offer = StandingOffer.objects.filter(dataset=dataset, ended_at=None).first()
    if offer is None or not _meets(request, offer, response, now):
        return False
    narrowed = narrowing.together(request.rows, offer.rows)
    given = Given(request.fields, narrowing.checked_rows(narrowed, schema.document), request.valid_from,
                  request.valid_to)  # fmt: skip
    grant(request, given, schema, None, now)
    return True


def _plain(request: ShareRequest, schema: SchemaVersion) -> bool:
    """Whether no field is asked for more openly than the schema offers it."""
    offered = {one["name"]: narrowing.offered(one) for one in schema.document["fields"]}
    return all(narrowing.tells_no_more(rule, offered[name]) for name, rule in request.fields.items())


def _meets(request: ShareRequest, offer: StandingOffer, response: Response | None, now: datetime) -> bool:
    if offer.only_in_open_incident and (response is None or not response.is_open):
        return False
    # counted from today: nobody takes one period after the other in advance of what the terms will be then
    if request.valid_to is None or request.valid_to - now > timedelta(days=offer.longest_days):
        return False
    return all(
        name in offer.fields and narrowing.tells_no_more(rule, offer.fields[name])
        for name, rule in request.fields.items()
    )


def grant(
    request: ShareRequest, given: Given, schema: SchemaVersion, response: Response | None, now: datetime,
    by: int | None = None, answer: str = "",
) -> Agreement:
    """Answer with an agreement; its grant opens at once unless both heads must sign first (class 3 and above)."""
    level = class_of(request.dataset, given.fields, schema)
    signed = four_eyes(request.dataset, level, now)
    opens = not signed or (response is not None and response.is_open)
    policy = _policy(request, given, schema, level)
    key = request.continues.pseudonym_key if request.continues else secrets.token_hex(KEY_BYTES)
    due = working_days.after(now, working.SIGN_DAYS) if signed else None
    agreement = Agreement.objects.create(
        request=request, policy=policy, digest=digest_of(policy), pseudonym_key=key, made_at=now,
        valid_from=given.valid_from, valid_to=given.valid_to, to_be_signed=signed, unsigned_opens=opens, sign_due=due,
    )
    _answered(request, given, agreement, now, source="agreement", level=level, opens=opens, by=by, answer=answer)
    if due is not None:
        waiting.note_agreement(agreement, "agreement.made")
        later = (working_days.after(due, working.SIGN_DAYS) - due).total_seconds()
        half = (working_days.after(now, 1) - due).total_seconds()
        deadlines.arm(
            subject=agreement, kind="sign", due_at=due, urgency="routine", incident_id=None, now=now,
            ladder=[[half, "head"], [0.0, "head"], [later, "department_above"]],
        )
    return agreement


def _answered(
    request: ShareRequest, given: Given, agreement: Agreement | None, now: datetime, *, source: str, level: int = 0,
    opens: bool = True, by: int | None = None, answer: str = "",
) -> None:
    same = (
        given.fields == request.fields and given.rows == request.rows and given.valid_to == request.valid_to
        and given.valid_from <= max(request.valid_from, now)
    )
    request.state = ShareRequest.State.GRANTED if same else ShareRequest.State.PARTLY_GRANTED
    request.submitted_at = request.submitted_at or now
    request.screened_at = request.screened_at or now
    request.answered_at, request.answered_by, request.answer = now, by, answer
    waiting.save(
        request, "state", "submitted_at", "screened_at", "screened_by", "answered_at", "answered_by", "answer",
        "valid_from",
    )
    waiting.stop(request, now)
    waiting.note(request, f"request.{request.state}", tell_asker=by is not None, opens=opens)
    if opens:
        _open(request, given, agreement, source, level or request.dataset.classification, now)


def _open(
    request: ShareRequest, given: Given, agreement: Agreement | None, source: str, level: int, now: datetime
) -> None:
    terms = Terms(
        fields=given.fields, max_class=level, source=source, valid_from=given.valid_from, valid_to=given.valid_to,
        filter=given.rows, purpose=request.purpose, incident_id=request.incident_id,
        because=f"agreement:{agreement.pk}" if agreement else f"request:{request.pk}",
        pseudonym_key=agreement.pseudonym_key if agreement else secrets.token_hex(KEY_BYTES),
    )
    opened = access.open_dataset(dataset_id=request.dataset_id, holders=[holder_of(request)], terms=terms)
    request.grant_ids = [grant.pk for grant in opened]
    request.save(update_fields=["grant_ids"])
    waiting.note_grants(request, "grant.given", request.grant_ids)
    waiting.owe(request, now)


def open_signed(agreement: Agreement, now: datetime) -> None:
    """Open what an agreement gives, now that both sides have signed it."""
    policy = agreement.policy
    given = Given(policy["fields"], policy["rows"], agreement.valid_from, agreement.valid_to)
    _open(agreement.request, given, agreement, "agreement", policy["max_class"], now)


def _policy(request: ShareRequest, given: Given, schema: SchemaVersion, level: int) -> dict[str, Any]:
    dataset = request.dataset
    basis = dataset.legal_basis
    return {
        "dataset": {"id": dataset.pk, "code": dataset.code, "schema": schema.number, "classification": level,
                    "title_zh": dataset.title_zh, "title_en": dataset.title_en},
        "keeper": {"id": dataset.department_id, "name_zh": dataset.department.name_zh,
                   "name_en": dataset.department.name_en},
        "receiver": {"id": request.department_id, "name_zh": request.department.name_zh,
                     "name_en": request.department.name_en, "holder": request.holder, "post": request.post},
        "fields": dict(given.fields), "rows": dict(given.rows), "max_class": level, "purpose": request.purpose,
        "incident": request.incident_id,
        "valid_from": given.valid_from.isoformat(),
        "valid_to": given.valid_to.isoformat() if given.valid_to else None,
        "conditions_zh": dataset.conditions_zh, "conditions_en": dataset.conditions_en,
        "legal_basis": {"id": basis.pk, "instrument_zh": basis.instrument_zh, "instrument_en": basis.instrument_en,
                        "article": basis.article} if basis else None,
        "request": request.pk,
    }  # fmt: skip
