"""Does silence escalate and never grant, and is what cannot be asked refused at its field?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts.models import Duty, Membership, Responsibility
from coordination.deadlines.models import Deadline
from coordination.events.actor import Actor
from coordination.events.models import Event
from coordination.events.refused import Forbidden, Invalid, NotFound
from sharing.access.models import Grant
from sharing.catalogue import incident_terms, queries
from sharing.catalogue.models import ShareRequest
from tests.catalogue.ground import T0, Ground
from tests.catalogue.requesting import DAY, add, asked, conditional, granted, run_clock

pytestmark = pytest.mark.django_db


def authority(ground: Ground) -> Actor:
    """The water office leads the duty of the data authority; its head."""
    Duty.objects.get_or_create(code="data_authority", defaults={"name_zh": "数据主管", "name_en": "Data authority"})
    Responsibility.objects.create(department=ground.departments["water"], duty_id="data_authority", role="lead")
    return add(ground, "water", "head")


def test_silence_escalates_and_never_grants(ground: Ground) -> None:
    row, head, water = conditional(ground), add(ground, "health", "head"), authority(ground)
    request = asked(ground, row)
    assert request.answer_due == datetime.fromisoformat("2026-07-02T04:28:00+00:00")  # ten working days on
    with pytest.raises(NotFound):
        queries.request(actor=water, now=T0 + 10 * DAY, request_id=request.pk)
    for days in (1, 2, 5, 8, 14, 15, 18, 25, 400):
        run_clock(T0 + days * DAY)
    request.refresh_from_db()
    assert request.state == "submitted" and request.escalated and not Grant.objects.exclude(source="owner").exists()
    steps = list(
        Event.objects.filter(type="deadline.fired", object_type="catalogue.sharerequest").order_by("pk")
        .values_list("payload__kind", "payload__step")
    )
    assert steps == [
        ("screen", "remind_steward"), ("screen", "head"), ("answer", "remind_steward"), ("answer", "head"),
        ("answer", "data_authority"),
    ]
    assert head.id in Event.objects.filter(type="deadline.fired", payload__step="head").first().payload["people"]  # type: ignore[union-attr]
    assert queries.request(actor=water, now=T0 + 400 * DAY, request_id=request.pk)["allowed_actions"]


def test_the_head_and_then_the_authority_may_decide_by_the_clock_alone(ground: Ground) -> None:
    row, head, water = conditional(ground), add(ground, "health", "head"), authority(ground)
    request = asked(ground, row, valid_to=T0 + 200 * DAY)
    with pytest.raises(Forbidden):
        granted(ground, request, head, now=T0 + DAY)
    with pytest.raises(NotFound):
        granted(ground, request, water, now=T0 + 14 * DAY)
    granted(ground, request, water, now=T0 + 18 * DAY)  # no job has run
    other = asked(ground, row, valid_to=T0 + 200 * DAY)
    granted(ground, other, head, now=T0 + 5 * DAY)
    assert Membership.objects.filter(person_id=head.id).exists()


@pytest.mark.parametrize(("level", "minutes"), [(1, 30), (2, 60), (3, 120), (4, 240), (None, 240)])
def test_the_response_level_sets_the_clock(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, level: int | None, minutes: int
) -> None:
    monkeypatch.setattr(incident_terms, "_asked", [lambda actor, pk: ("I-1", True, level)])
    request = asked(ground, conditional(ground), incident_id=1)
    assert request.answer_due == T0 + timedelta(minutes=minutes)
    assert request.authority_from == T0 + timedelta(minutes=minutes * 1.5)
    assert Deadline.objects.get(subject_id=request.pk, state="armed").due_at == T0 + timedelta(minutes=minutes / 2)


def test_hostile_input_is_refused_at_its_field(ground: Ground) -> None:
    row = conditional(ground)
    deep: dict[str, Any] = {"field": "beds", "op": "eq", "value": 1}
    for _ in range(9):
        deep = {"and": [deep]}
    bad: list[dict[str, Any]] = [
        {"fields": []}, {"fields": ["nothing"]}, {"fields": {"beds": {"mask": "partial"}}}, {"fields": 7},
        {"fields": [None]}, {"fields": [["id"]]}, {"rows": deep}, {"rows": "beds"}, {"purpose": ""},
        {"purpose": "\x00"}, {"purpose": "p" * 201}, {"valid_to": T0}, {"valid_to": T0 + 400 * DAY},
        {"valid_to": datetime(2026, 7, 1)}, {"valid_to": None}, {"holder": "person"}, {"holder": "post"},
        {"holder": "post", "post": "auditor"}, {"post": "head"}, {"incident_id": 2**70}, {"incident_id": -1},
        {"rows": {"field": "phone", "op": "eq", "value": "1"}},
    ]  # fmt: skip
    for more in bad:
        with pytest.raises(Invalid) as no:
            asked(ground, row, **more)
        assert no.value.errors, more
    assert not ShareRequest.objects.exists()
