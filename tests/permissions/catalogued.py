"""What entries of the catalogue, requests for data and agreements are there in the city of the permission tests?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from coordination.events import clock
from coordination.events.actor import Actor
from sharing.catalogue import actions as catalogue

if TYPE_CHECKING:
    from tests.permissions.world import World


def build(world: World) -> None:
    """Two entries of the centre's that only it may know of: a draft, and one that is no longer in use."""
    steward = world.actor("centre/data_steward")
    basis = catalogue.add_legal_basis(
        actor=steward, now=clock.now(), instrument_zh="突发事件应对法", instrument_en="Emergency Response Law",
        in_force_from=clock.now().date() - timedelta(days=400),
    )  # fmt: skip
    made = []
    for code in ("canary-draft", "canary-retired"):
        row = catalogue.draft(
            actor=steward, now=clock.now(), code=code, title_en=f"{code} of the quay", frequency="daily",
            sharing="none", classification=4, legal_basis_id=basis.pk, contact="canary-room",
        )  # fmt: skip
        schema = {"fields": [{"name": "canary", "title_en": "canary-field"}]}
        catalogue.add_schema(actor=steward, now=clock.now(), dataset_id=row.pk, schema=schema)
        catalogue.deliver(actor=steward, now=clock.now(), dataset_id=row.pk, records=[{"canary": "canary-record"}])
        made.append(row.pk)
    catalogue.publish(actor=steward, now=clock.now(), dataset_id=made[1])
    catalogue.retire(actor=steward, now=clock.now(), dataset_id=made[1])
    world.ids |= {"dataset_id": made[0], "data_id": made[0]}
    world.ended |= {"dataset_id": made[1], "data_id": made[1]}
    _asked(world, basis.pk)


def _asked(world: World, basis_id: int) -> None:
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
