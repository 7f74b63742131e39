"""What is asked for, agreed and signed of class 4: is it kept who read it, and can it go on to its end?"""

from __future__ import annotations

from typing import Any

import pytest

from coordination.events import clock
from coordination.events.models import Event, ReadEntry
from sharing.catalogue import actions
from sharing.catalogue.models import Agreement, Dataset, ShareRequest
from tests.catalogue.ground import Ground
from tests.catalogue.requesting import DAY, add, read
from tests.catalogue.test_pages import enter, plain_static

pytestmark = pytest.mark.django_db
__all__ = ["enter", "plain_static"]


def confidential(ground: Ground) -> Dataset:
    return ground.confidential(sharing="conditional", conditions_en="For the duty officer alone.")


def given(ground: Ground, row: Dataset) -> Agreement:
    """Two stewards give it to the duty officer of the fire office; nobody has signed yet."""
    request = actions.give(
        actor=ground.actor("health"), now=ground.now, dataset_id=row.pk, fields=["id", "beds"], purpose="Evacuation",
        department_id=ground.departments["fire"].pk, holder="post", post="duty_officer",
        valid_to=ground.now + 10 * DAY,
    )  # fmt: skip
    return decided(ground, request)


def decided(ground: Ground, request: ShareRequest) -> Agreement:
    second = add(ground, "health", "data_steward", f"second-{request.pk}")
    actions.grant_request(actor=second, now=ground.now, request_id=request.pk)
    return Agreement.objects.get(request=request)


def signed(ground: Ground, agreement: Agreement) -> None:
    for code in ("fire", "health"):
        head = add(ground, code, "head", str(agreement.pk))
        actions.sign_agreement(actor=head, now=ground.now, agreement_id=agreement.pk, digest=agreement.digest)


def test_reading_requests_and_agreements_of_class_4_is_kept_everywhere(ground: Ground, enter: Any) -> None:
    steward = enter("health/data_steward")
    agreement = given(ground, confidential(ground))
    request = agreement.request
    pages = {
        "/data/requests/?state=answered": ("share-requests", "share-requests", request.pk),
        f"/data/requests/{request.pk}/": ("share-request", "share-requests", request.pk),
        "/data/agreements/": ("agreements", "agreements", agreement.pk),
        f"/data/agreements/{agreement.pk}/": ("agreement", "agreements", agreement.pk),
        "/api/v1/share-requests?state=answered": ("share_requests_list", "share-requests", request.pk),
        f"/api/v1/share-requests/{request.pk}": ("share_requests_show", "share-requests", request.pk),
        "/api/v1/agreements": ("agreements_list", "agreements", agreement.pk),
        f"/api/v1/agreements/{agreement.pk}": ("agreements_show", "agreements", agreement.pk),
        f"/api/v1/agreements/{agreement.pk}/odrl": ("agreements_odrl", "agreements", agreement.pk),
    }
    for address, (operation, kind, pk) in pages.items():
        before = ReadEntry.objects.count()
        assert steward.get(address).status_code == 200, address
        rows = list(ReadEntry.objects.order_by("pk")[before:].values_list("operation", "object_type", "ids"))
        assert rows == [(operation, kind, [pk])], address


def test_a_renewal_of_class_4_can_be_signed_by_the_head_of_the_other_side(ground: Ground) -> None:
    ground.now = clock.now()  # who is entrusted with class 4 is asked by the present
    row = confidential(ground)
    agreement = given(ground, row)
    signed(ground, agreement)
    officer = ground.actor("fire", "duty_officer")
    end = agreement.valid_to
    assert end is not None
    request = actions.renew_agreement(
        actor=officer, now=ground.now, agreement_id=agreement.pk, valid_to=end + 10 * DAY
    )
    actions.screen_request(actor=ground.actor("health"), now=ground.now, request_id=request.pk)
    signed(ground, decided(ground, request))
    request.refresh_from_db()
    assert request.grant_ids
    actions.deliver(
        actor=ground.actor("health"), now=ground.now, dataset_id=row.pk, records=[{"id": "a", "beds": 4}]
    )
    assert read(officer, row, end + DAY) == [{"id": "a", "beds": 4}]


def test_no_event_names_a_confidential_dataset_to_the_whole_department_that_is_given_it(ground: Ground) -> None:
    row = confidential(ground)
    signed(ground, given(ground, row))
    event = Event.objects.filter(type="grant.given").latest("pk")
    assert (event.object_id, event.payload["class"]) == (row.pk, 4)
