"""Does what was asked, offered or agreed open no more than the terms of the data still allow?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import translation

from coordination.events.refused import NotFound, Refused
from sharing import access
from sharing.access.actions.opening import Holder, Terms
from sharing.access.models import Grant
from sharing.catalogue import actions, queries
from sharing.catalogue.actions.asking import NotShared
from sharing.catalogue.models import Agreement, Dataset
from sharing.catalogue.queries import emergencies
from tests.catalogue.ground import T0, Ground
from tests.catalogue.requesting import DAY, add, asked, conditional, granted, read
from tests.catalogue.test_break_glass import broken, filled

pytestmark = pytest.mark.django_db


def changed(ground: Ground, row: Dataset, **terms: Any) -> None:
    actions.change(actor=ground.actor("health"), now=T0, dataset_id=row.pk, **terms)


def offered(ground: Ground, **more: Any) -> Dataset:
    row = conditional(ground, **more)
    actions.set_offer(
        actor=ground.actor("health"), now=T0, dataset_id=row.pk, fields=["id", "beds"], longest_days=30
    )
    return row


@pytest.mark.parametrize("terms", [{}, {"sharing": "none"}, {"classification": 4}])
def test_signatures_open_nothing_that_is_no_longer_shared_so(ground: Ground, terms: dict[str, Any]) -> None:
    row = conditional(ground, classification=3)
    request = asked(ground, row)
    actions.screen_request(actor=ground.actor("health"), now=T0, request_id=request.pk)
    granted(ground, request, add(ground, "health", "data_steward", "second"))
    agreement = Agreement.objects.get()
    how = {"now": T0, "agreement_id": agreement.pk, "digest": agreement.digest}
    actions.sign_agreement(actor=add(ground, "fire", "head"), **how)
    if terms:
        changed(ground, row, **terms)
    else:
        actions.retire(actor=ground.actor("health"), now=T0, dataset_id=row.pk)
    with pytest.raises(NotShared):
        actions.sign_agreement(actor=add(ground, "health", "head"), **how)
    assert not Grant.objects.filter(source="agreement").exists()


def test_what_is_shared_with_nobody_any_more_is_not_granted_to_who_had_asked(ground: Ground) -> None:
    row = conditional(ground)
    request = asked(ground, row)
    changed(ground, row, sharing="none")
    with pytest.raises(NotShared):
        granted(ground, request)


def test_a_higher_class_shuts_what_was_given_for_a_lower_one(ground: Ground) -> None:
    row = conditional(ground)
    granted(ground, asked(ground, row))
    assert read(ground.actor("fire"), row, T0)[0] == {"id": "a", "beds": 4}
    changed(ground, row, classification=3)
    with pytest.raises(queries.NoGrant):  # not even how many there are
        read(ground.actor("fire"), row, T0)
    openness = queries.openness(actor=ground.actor("fire"), now=T0, dataset_id=row.pk)
    assert (openness["open"], openness["may_ask"]) == (False, True)
    assert read(ground.actor("health"), row, T0)[0]["beds"] == 4


def test_what_a_higher_class_shut_adds_no_empty_records_to_what_is_still_open(ground: Ground) -> None:
    row = conditional(ground)
    granted(ground, asked(ground, row))
    changed(ground, row, classification=3)
    terms = Terms(
        fields={"id": "full"}, max_class=3, source="agreement", valid_from=T0,
        filter={"field": "beds", "op": "gt", "value": 10},
    )  # fmt: skip
    fire = ground.departments["fire"].pk
    access.open_dataset(dataset_id=row.pk, holders=[Holder("department", str(fire))], terms=terms)
    assert read(ground.actor("fire"), row, T0) == [{"id": "b"}]


def test_an_entry_that_became_confidential_is_named_by_no_grant(ground: Ground) -> None:
    row = conditional(ground)
    grant_id = granted(ground, asked(ground, row)).grant_ids[0]
    fire: dict[str, Any] = {"actor": ground.actor("fire"), "now": T0}
    assert len(queries.grants(**fire, side="received")[0]) == 1
    changed(ground, row, classification=4, title_en="What nobody shall know of")
    assert queries.grants(**fire, side="received")[0] == []
    with pytest.raises(NotFound):
        queries.grant(**fire, grant_id=grant_id)
    assert len(queries.grants(actor=ground.actor("health"), now=T0, side="given")[0]) == 1


def test_an_entry_that_became_confidential_is_named_by_no_broken_glass(ground: Ground) -> None:
    row = filled(ground)
    glass = broken(ground, row)
    changed(ground, row, classification=4, title_en="What nobody shall know of")
    with translation.override("zh-hans"):
        found = emergencies.glass(actor=ground.actor("fire"), now=T0 + timedelta(hours=3), glass_id=glass.pk)
    assert (found["object_id"], found["title"]) == (None, "机密")


@pytest.mark.parametrize("between", [{"classification": 3}, {"sharing": "none"}])
def test_an_offer_does_not_come_back_with_the_terms(ground: Ground, between: dict[str, Any]) -> None:
    row = offered(ground)
    assert asked(ground, row).state == "granted"
    changed(ground, row, **between)
    changed(ground, row, classification=2, sharing="conditional")
    assert asked(ground, row).state == "submitted"


def test_nobody_helps_themselves_to_the_offer_in_advance(ground: Ground) -> None:
    row = offered(ground)
    assert asked(ground, row, valid_from=T0 + 20 * DAY, valid_to=T0 + 30 * DAY).state == "granted"
    assert asked(ground, row, valid_from=T0 + 30 * DAY, valid_to=T0 + 60 * DAY).state == "submitted"


def test_a_retired_entry_offers_nothing(ground: Ground) -> None:
    row = offered(ground)
    actions.retire(actor=ground.actor("health"), now=T0, dataset_id=row.pk)
    assert queries.offer(actor=ground.actor("fire"), now=T0, dataset_id=row.pk) is None
    with pytest.raises(Refused):
        asked(ground, row)


def test_a_renewal_is_offered_only_where_it_can_be_asked_for(ground: Ground) -> None:
    def offered() -> bool:
        found = queries.agreement(actor=ground.actor("fire"), now=T0, agreement_id=agreement.pk)
        return {"action": "renew"} in found["allowed_actions"]

    row = conditional(ground)
    granted(ground, asked(ground, row))
    agreement = Agreement.objects.get()
    assert offered()
    how: dict[str, Any] = {"actor": ground.actor("fire"), "now": T0}
    waiting = actions.renew_agreement(**how, agreement_id=agreement.pk, valid_to=T0 + 60 * DAY)
    assert not offered()
    actions.withdraw_request(**how, request_id=waiting.pk)
    assert offered()
    changed(ground, row, sharing="none")
    assert not offered()


@pytest.mark.parametrize("sharing", ["conditional", "unconditional"])
def test_what_a_steward_took_back_does_not_come_again_by_itself(ground: Ground, sharing: str) -> None:
    row = offered(ground)
    if sharing == "unconditional":
        changed(ground, row, sharing=sharing)
    first = asked(ground, row)
    assert first.state == "granted"
    grant = Grant.objects.get(source="agreement" if sharing == "conditional" else sharing)
    actions.revoke_grant(actor=ground.actor("health"), now=T0, grant_id=grant.pk, why="Told on to others.")
    assert asked(ground, row).state == "submitted", "a person answers"
    other = actions.ask(
        actor=ground.actor("water"), now=T0, dataset_id=row.pk, fields=["id", "beds"], purpose="x",
        valid_to=T0 + 30 * DAY,
    )  # fmt: skip
    assert other.state == "granted"
