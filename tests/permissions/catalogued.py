"""Which entries of the catalogue, requests, agreements and broken glass has the city of the permission tests?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from coordination.events import clock
from coordination.events.actor import SYSTEM, Actor
from sharing.access.fence import fenced
from sharing.catalogue import actions as catalogue
from sharing.catalogue.models import BreakGlass, Record, RuleProposal
from tests.permissions import given, planted
from tests.permissions.watched import watched

if TYPE_CHECKING:
    from tests.permissions.world import World


HOURS = timedelta(hours=4)


def build(world: World) -> None:
    """Two entries of the centre's that only it may know of: a draft, and one that is no longer in use."""
    steward = world.actor("centre/data_steward")
    basis = catalogue.add_legal_basis(
        actor=steward, now=clock.now(), instrument_zh="突发事件应对法", instrument_en="Emergency Response Law",
        in_force_from=clock.now().date() - timedelta(days=400),
    )  # fmt: skip
    made, kept, rules = [], [], []
    for code in ("canary-draft", "canary-retired"):
        row = catalogue.draft(
            actor=steward, now=clock.now(), code=code, title_en=f"{code} of the quay", frequency="daily",
            sharing="none", classification=4, legal_basis_id=basis.pk, contact="canary-room",
        )  # fmt: skip
        schema = {"fields": [{"name": "canary", "title_en": "canary-field"}]}
        catalogue.add_schema(actor=steward, now=clock.now(), dataset_id=row.pk, schema=schema)
        catalogue.deliver(actor=steward, now=clock.now(), dataset_id=row.pk, records=[{"canary": "canary-record"}])
        made.append(row.pk)
        rules.append(planted.rule(row))
        kept.append(Record.everything.get(dataset=row).pk)
    catalogue.publish(actor=steward, now=clock.now(), dataset_id=made[1])
    catalogue.retire(actor=steward, now=clock.now(), dataset_id=made[1])
    world.ids |= {"dataset_id": made[0], "data_id": made[0], "record": kept[0]}
    world.ended |= {"dataset_id": made[1], "data_id": made[1], "record": kept[1]}
    stocks = _asked(world, basis.pk)
    shared = given.grants(world, [stocks, stocks])
    world.ids |= {"rule_id": rules[0], "grant_id": shared[0]}
    world.ended |= {"rule_id": rules[1], "grant_id": shared[1]}
    _broken(world, made[1])
    watched(world)


def _asked(world: World, basis_id: int) -> int:
    """The north asks the centre for conditional data: once it waits, once it is agreed, and both once more, ended."""
    steward, north = world.actor("centre/data_steward"), Actor("person", None, world.departments["north"].pk)
    north = replace(north, id=world.ids["spare_id"], posts=frozenset({"data_steward"}))
    row = catalogue.draft(
        actor=steward, now=clock.now(), code="stocks", title_en="Stocks", frequency="daily", sharing="conditional",
        legal_basis_id=basis_id, contact="room 3", conditions_en="For rescue.",
    )  # fmt: skip
    schema = {"fields": [{"name": "number", "title_en": "Number"}]}
    catalogue.add_schema(actor=steward, now=clock.now(), dataset_id=row.pk, schema=schema)
    catalogue.publish(actor=steward, now=clock.now(), dataset_id=row.pk)
    asked = [
        catalogue.ask(
            actor=north, now=clock.now(), dataset_id=row.pk, fields=["number"], purpose="canary-purpose",
            valid_to=clock.now() + timedelta(days=30),
        )
        for _ in range(4)
    ]  # fmt: skip
    waits, agreed, withdrawn, over = asked
    catalogue.withdraw_request(actor=north, now=clock.now(), request_id=withdrawn.pk)
    for one in (agreed, over):
        catalogue.grant_request(actor=steward, now=clock.now(), request_id=one.pk)
    catalogue.end_agreement(
        actor=steward, now=clock.now(), agreement_id=over.agreement.pk, why="canary-why"
    )  # fmt: skip
    world.ids |= {
        "legal_basis_id": basis_id, "request_id": waits.pk, "share-request_id": waits.pk,
        "agreement_id": agreed.agreement.pk,
    }  # fmt: skip
    world.ended |= {"request_id": withdrawn.pk, "share-request_id": withdrawn.pk, "agreement_id": over.agreement.pk}
    return row.pk


def _broken(world: World, dataset_id: int) -> None:
    """Glass that the fire office broke for the centre's data: to be judged, and judged; and a rule proposed for it."""
    centre, fire, now = world.departments["centre"], world.departments["fire"], clock.now()
    given = {
        "person": world.people["fire/duty_officer"], "post": "duty_officer", "department": fire, "owner": centre,
        "object_type": "catalogue.dataset", "object_id": dataset_id, "object_name": "canary-retired",
        "kind_of": f"dataset:{dataset_id}", "classification": 4, "reason": "canary-reason of the fire office",
        "proof": "code", "started_at": now - 4 * HOURS, "ends": now - 3 * HOURS, "review_due": now + 40 * HOURS,
    }  # fmt: skip
    judged = {"outcome": "plan", "reviewed_at": now, "reviewed_by": world.people["centre/head"], "review": "canary"}
    rule = {
        "department": fire, "owner": centre, "kind_of": f"dataset:{dataset_id}", "dataset_id": dataset_id, "uses": 3,
        "since": now - 90 * HOURS, "last": now, "why": "canary-why",
    }
    with fenced(SYSTEM):
        waiting, done = BreakGlass.objects.create(**given), BreakGlass.objects.create(**given, **judged)
    proposed = RuleProposal.objects.create(**rule)
    settled = RuleProposal.objects.create(**rule, state="dismissed", settled_at=now)
    world.ids |= {"glass_id": waiting.pk, "rule_proposal_id": proposed.pk}
    world.ended |= {"glass_id": done.pk, "rule_proposal_id": settled.pk}
