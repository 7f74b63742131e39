"""Does nobody, and no department, decide on what they asked for themselves?"""

from __future__ import annotations

from typing import Any

import pytest

from accounts import actions as accounts
from accounts.models import Duty, Responsibility
from coordination.events.actor import SYSTEM, Actor
from coordination.events.refused import Conflict, Forbidden
from sharing.catalogue import actions
from sharing.catalogue.deciders import AUTHORITY
from tests.catalogue.ground import T0, Ground
from tests.catalogue.requesting import DAY, add, asked, conditional, granted

pytestmark = pytest.mark.django_db


def steward_too(ground: Ground, who: Actor) -> Actor:
    """The same person as a data steward of the health office."""
    home = ground.departments["health"]
    accounts.appoint(
        actor=SYSTEM, now=T0 - DAY, department_id=home.pk, person_id=who.id or 0, post="data_steward"
    )
    return Actor("person", who.id, home.pk, frozenset({"data_steward"}), language="en")


def test_who_sends_the_draft_of_another_does_not_decide_on_it(ground: Ground) -> None:
    request = asked(ground, conditional(ground), draft=True)
    sender = add(ground, "fire", "head")
    actions.submit_request(actor=sender, now=T0, request_id=request.pk)
    there = steward_too(ground, sender)
    for act in (granted, lambda *given: actions.screen_request(actor=there, now=T0, request_id=request.pk)):
        with pytest.raises(Conflict) as no:
            act(ground, request, there)
        assert no.value.code == "four_eyes"
    assert granted(ground, request).state == "granted"


def test_the_data_authority_does_not_decide_on_its_own_request(ground: Ground) -> None:
    request = asked(ground, conditional(ground))
    other = asked_by_water(ground, request.dataset)
    Duty.objects.get_or_create(code=AUTHORITY, defaults={"name_zh": "数据主管", "name_en": "Data authority"})
    Responsibility.objects.create(department=ground.departments["fire"], duty_id=AUTHORITY, role="lead")
    head, late = add(ground, "fire", "head"), T0 + 60 * DAY
    with pytest.raises(Forbidden):
        granted(ground, request, head, now=late, valid_to=None)
    assert granted(ground, other, head, now=late).state in ("granted", "partly_granted")


def asked_by_water(ground: Ground, dataset: Any) -> Any:
    return actions.ask(
        actor=ground.actor("water"), now=T0, dataset_id=dataset.pk, fields=["id"], purpose="Where is it?",
        valid_to=T0 + 90 * DAY,
    )
