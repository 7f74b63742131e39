"""Is whoever keeps data reminded until there is something to read of what was granted, and does no clock grant more?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from coordination.deadlines.models import Deadline
from coordination.events.models import Event
from sharing.access.models import Grant
from sharing.catalogue import actions, incident_terms
from sharing.catalogue.models import Agreement, Dataset, ShareRequest
from tests.catalogue.ground import T0, Ground
from tests.catalogue.requesting import DAY, ROWS, add, asked, granted, run_clock
from tests.catalogue.test_request_times import authority

pytestmark = pytest.mark.django_db


def empty(ground: Ground, code: str = "beds", **more: Any) -> Dataset:
    """Conditional data of the health office into which nothing was delivered."""
    given = {"sharing": "conditional", "legal_basis_id": ground.basis(article=f"e-{code}").pk,
             "conditions_en": "For rescue only."}  # fmt: skip
    return ground.published(code, **(given | more))


def clocks(request: ShareRequest) -> list[Deadline]:
    return list(Deadline.objects.filter(subject_id=request.pk, kind="deliver", state="armed"))


def fired(request: ShareRequest) -> list[str]:
    rows = Event.objects.filter(type="deadline.fired", object_id=str(request.pk), payload__kind="deliver")
    return list(rows.order_by("pk").values_list("payload__step", flat=True))


def test_who_keeps_the_data_is_reminded_and_nothing_more_is_opened(ground: Ground) -> None:
    row, head, _authority = empty(ground), add(ground, "health", "head"), authority(ground)
    request = granted(ground, asked(ground, row, valid_to=T0 + 300 * DAY))
    (clock,) = clocks(request)
    assert clock.base_due == datetime.fromisoformat("2026-07-16T04:28:00+00:00")  # twenty working days on
    before = list(Grant.objects.order_by("pk").values())
    for days in (10, 14, 20, 28, 30, 60, 200):
        run_clock(T0 + days * DAY)
    assert fired(request) == ["remind_steward", "head", "data_authority"]
    told = Event.objects.get(type="deadline.fired", payload__step="head", payload__kind="deliver").payload["people"]
    assert told == [head.id]
    request.refresh_from_db()
    assert list(Grant.objects.order_by("pk").values()) == before
    assert request.state == "granted" and not request.escalated


def test_the_first_delivery_stops_it_for_all_who_wait(ground: Ground) -> None:
    row, other = empty(ground), empty(ground, "tox")
    both = [granted(ground, asked(ground, row)), granted(ground, asked(ground, row, fields=["id"]))]
    elsewhere = granted(ground, asked(ground, other))
    assert [len(clocks(one)) for one in (*both, elsewhere)] == [1, 1, 1]
    actions.deliver(actor=ground.actor("health"), now=T0 + DAY, dataset_id=row.pk, records=ROWS)
    assert [len(clocks(one)) for one in (*both, elsewhere)] == [0, 0, 1]
    assert clocks(granted(ground, asked(ground, row))) == [], "there is something to read already"


def test_what_is_granted_by_rule_is_owed_too(ground: Ground) -> None:
    request = asked(ground, ground.published())
    assert request.state == "granted" and len(clocks(request)) == 1


def test_nothing_is_owed_before_it_is_opened_and_after_it_ended(ground: Ground) -> None:
    row = empty(ground, classification=3)
    fire, hers = add(ground, "fire", "head"), add(ground, "health", "head")
    request = asked(ground, row, fields=["id"], valid_to=T0 + 300 * DAY)
    actions.screen_request(actor=ground.actor("health"), now=T0, request_id=request.pk)
    granted(ground, request, add(ground, "health", "data_steward", "second"))
    agreement = Agreement.objects.get(request=request)
    assert clocks(request) == []
    for head in (fire, hers):
        actions.sign_agreement(actor=head, now=T0 + DAY, agreement_id=agreement.pk, digest=agreement.digest)
    assert len(clocks(request)) == 1
    actions.end_agreement(actor=ground.actor("fire"), now=T0 + 2 * DAY, agreement_id=agreement.pk, why="Not needed")
    assert clocks(request) == []


@pytest.mark.parametrize("how", ["revoked", "lapsed", "retired"])
def test_what_is_no_longer_open_is_reminded_of_to_nobody(ground: Ground, how: str) -> None:
    row = empty(ground)
    request = granted(ground, asked(ground, row, valid_to=T0 + (5 if how == "lapsed" else 300) * DAY))
    if how == "revoked":
        steward = ground.actor("health")
        actions.revoke_grant(actor=steward, now=T0 + DAY, grant_id=request.grant_ids[0], why="Given in error")
    if how == "retired":
        actions.retire(actor=ground.actor("health"), now=T0 + DAY, dataset_id=row.pk)
    run_clock(T0 + 60 * DAY)
    assert fired(request) == [] and clocks(request) == []


@pytest.mark.parametrize(("level", "hours"), [(1, 1), (2, 2), (3, 4), (4, 8), (None, 8)])
def test_in_an_open_incident_its_level_sets_the_clock_whoever_decides(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, level: int | None, hours: int
) -> None:
    def response(actor: Any, _pk: int) -> tuple[str, bool, int | None] | None:
        hidden = actor.is_person and actor.department_id == ground.departments["health"].pk
        return None if hidden else ("I-1", True, level)

    monkeypatch.setattr(incident_terms, "_asked", [response])
    request = granted(ground, asked(ground, empty(ground), incident_id=1))
    (clock,) = clocks(request)
    assert clock.base_due == T0 + timedelta(hours=hours) and clock.due_at == T0 + timedelta(hours=hours / 2)
