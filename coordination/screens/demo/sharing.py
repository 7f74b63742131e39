"""What do the departments of the demo city share with each other, and what of it is under way?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction

from accounts.actions.proving import Proof
from coordination.events.actor import SYSTEM
from coordination.screens.demo.people import actor_of
from sharing import access
from sharing.catalogue import actions, queries, working_days
from sharing.catalogue.actions.breaking import start
from sharing.catalogue.models import (
    Agreement,
    Dataset,
    LegalBasis,
    SchemaVersion,
    ShareRequest,
    StandingOffer,
)

_FILE = Path(__file__).with_name("sharing.yaml")
_DAY = timedelta(days=1)
Line = Mapping[str, Any]


@transaction.atomic
def load_sharing(*, now: datetime) -> int:
    """Let the city's people share as ``sharing.yaml`` says, as far as they have not yet; returns how many acts it took.

    Through the rooms' own actions, each at its time in the past, so that clocks run and notices come as for everybody.
    """
    content = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    taken = 0
    for part, do in (("rules", _rules), ("offers", _offer), ("requests", _request), ("glass", _glass)):
        fresh = [line for line in content[part] if (row := _dataset(line)) and not _there(part, line, row, now)]
        for line in fresh:
            try:
                with transaction.atomic():
                    taken += do(line, _dataset(line), now)
            except (LookupError, ObjectDoesNotExist):  # a city that was made before these people were
                continue
    return taken


def _dataset(line: Line) -> Any:
    department, _slash, code = line["of"].partition("/")
    rows = Dataset.objects.filter(department__code=department, code=code, state=Dataset.State.PUBLISHED)
    return rows.select_related("department").first()


def _there(part: str, line: Line, row: Dataset, now: datetime) -> bool:
    """Whether it was done before: rules, once a dataset has any."""
    if part == "rules":
        return access.rules_of(row.pk).exists()
    if part == "offers":
        return StandingOffer.objects.filter(dataset=row).exists()
    if part == "requests":
        return ShareRequest.objects.filter(dataset=row, purpose=line["purpose"]).exists()
    known, _after = queries.glasses(actor=SYSTEM, now=now)
    return any(one["object_id"] == row.pk and one["reason"] == line["reason"] for one in known)


def _shown(line: Line, row: Dataset) -> dict[str, Any]:
    """All fields of the schema whole, but what the line says of single ones."""
    document = SchemaVersion.objects.get(dataset=row, current=True).document
    kept = [one["name"] for one in document["fields"] if one["name"] not in line.get("without", ())]
    return dict.fromkeys(kept, "full") | line.get("masks", {})


def _of(row: Dataset, post: str) -> str:
    return f"{row.department.code}-{post}"


def _rules(line: Line, row: Dataset, now: datetime) -> int:
    made = now - 28 * _DAY
    for role in line["roles"]:
        rule = actions.make_rule(
            actor=actor_of(_of(row, "data-steward"), made), now=made, dataset_id=row.pk, role=role,
            shown=_shown(line, row), type=line.get("type", ""), lowest_level=line.get("level", 4),
        )
        if rule.needs_second:
            head = actor_of(_of(row, "head"), made)
            actions.confirm_rule(actor=head, now=made + _DAY, dataset_id=row.pk, rule_id=rule.pk)
    return len(line["roles"])


def _offer(line: Line, row: Dataset, now: datetime) -> int:
    made = now - 26 * _DAY
    actions.set_offer(
        actor=actor_of(_of(row, "data-steward"), made), now=made, dataset_id=row.pk, fields=_shown(line, row),
        longest_days=line["longest_days"],
    )
    return 1


def _request(line: Line, row: Dataset, now: datetime) -> int:
    asked = now - line["ago"] * _DAY if "ago" in line else _worked_ago(now, line["worked"])
    request = actions.ask(
        actor=actor_of(line["by"], asked), now=asked, dataset_id=row.pk, fields=_shown(line, row),
        purpose=line["purpose"], valid_to=asked + line["for"] * _DAY, holder=line.get("holder", "department"),
        post=line.get("post", ""),
    )
    steps = line.get("steps", ())
    for days, who, what, *more in steps:
        at = asked + days * _DAY
        _STEPS[what](request, actor_of(who, at), at, more[0] if more else {}, row)
    return 1 + len(steps)


def _worked_ago(now: datetime, days: int) -> datetime:
    """The latest moment, at this time of day, since which so many working days have passed."""
    moment = now
    while working_days.after(moment, days) > now:
        moment -= _DAY
    return moment


def _screen(request: ShareRequest, actor: Any, at: datetime, _more: Line, _row: Dataset) -> None:
    actions.screen_request(actor=actor, now=at, request_id=request.pk)


def _grant(request: ShareRequest, actor: Any, at: datetime, more: Line, row: Dataset) -> None:
    less: dict[str, Any] = {"fields": _shown(more, row)} if more.keys() & {"without", "masks"} else {}
    if "for" in more:
        less["valid_to"] = at + more["for"] * _DAY
    actions.grant_request(actor=actor, now=at, request_id=request.pk, answer=more["answer"], **less)


def _refuse(request: ShareRequest, actor: Any, at: datetime, more: Line, _row: Dataset) -> None:
    basis = LegalBasis.objects.get(instrument_en=more["basis"])
    actions.refuse_request(
        actor=actor, now=at, request_id=request.pk, answer=more["answer"], legal_basis_id=basis.pk
    )


def _sign(request: ShareRequest, actor: Any, at: datetime, _more: Line, _row: Dataset) -> None:
    agreement = Agreement.objects.get(request=request)
    actions.sign_agreement(actor=actor, now=at, agreement_id=agreement.pk, digest=agreement.digest)


_STEPS = {"screen": _screen, "grant": _grant, "refuse": _refuse, "sign": _sign}


def _glass(line: Line, row: Dataset, now: datetime) -> int:
    """Break it in the past, so that it is over and waits to be judged; the demo's proof is its own word."""
    began = now - timedelta(hours=line["ago"])
    actor = actor_of(line["by"], began)
    start(
        actor=actor, now=began, proof=Proof(int(actor.id or 0), "password"), reason=line["reason"],
        owner_id=row.department_id, dataset_code=row.code,
    )
    return 1
