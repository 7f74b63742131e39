"""Does a request for data live as its terms say, and is nothing granted alone or beyond what was asked?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import translation

from accounts import actions as accounts
from coordination.deadlines.models import Deadline
from coordination.events.actor import SYSTEM, Actor
from coordination.events.models import Event
from coordination.events.refused import Conflict, Forbidden, Invalid, MoveNotAllowed, NotFound, VersionConflict
from sharing.access.models import Grant
from sharing.catalogue import actions, incident_terms, queries
from sharing.catalogue.models import Agreement, ShareRequest
from tests.catalogue.ground import T0, Ground
from tests.catalogue.requesting import DAY, ROWS, add, asked, conditional, granted, read, run_clock, sees_nothing, told

pytestmark = pytest.mark.django_db


def test_unconditional_data_is_given_in_the_moment_of_asking(ground: Ground) -> None:
    row = ground.published()
    actions.deliver(actor=ground.actor("health"), now=T0, dataset_id=row.pk, records=ROWS)
    request = asked(ground, row, valid_to=None)
    assert request.state == "granted" and not Agreement.objects.exists()
    assert Grant.objects.get(pk=request.grant_ids[0]).source == "unconditional"
    assert read(ground.actor("fire", "duty_officer"), row, T0) == [{"id": "a", "beds": 4}, {"id": "b", "beds": 40}]
    assert sees_nothing(ground.actor("water"), row, T0)
    assert not Deadline.objects.filter(subject_type="catalogue.sharerequest", state="armed").exists()


@pytest.mark.parametrize("fields", [["id", "phone"], {"id": "full", "phone": "full"}])
def test_a_field_of_class_3_is_given_by_no_rule(ground: Ground, fields: Any) -> None:
    request = asked(ground, ground.published(), fields=fields)
    assert request.state == "submitted" and not request.grant_ids


def test_personal_data_is_given_by_rule_for_a_limited_time_alone(ground: Ground) -> None:
    row = ground.published(personal=True)
    with pytest.raises(Invalid) as no:
        asked(ground, row, valid_to=None)
    assert no.value.errors[0]["pointer"] == "/valid_to"
    assert asked(ground, row).state == "granted"


def test_a_standing_offer_answers_at_once_what_keeps_to_it(ground: Ground) -> None:
    row = conditional(ground)
    steward = ground.actor("health")
    small = {"field": "beds", "op": "lt", "value": 10}
    actions.set_offer(
        actor=steward, now=T0, dataset_id=row.pk, fields=["id", "beds"], longest_days=30, rows=small
    )
    request = asked(ground, row)
    assert request.state == "partly_granted" and request.answered_by is None
    assert read(ground.actor("fire"), row, T0) == [{"id": "a", "beds": 4}]
    assert asked(ground, row, valid_to=T0 + 31 * DAY).state == "submitted"
    actions.end_offer(actor=steward, now=T0, dataset_id=row.pk)
    assert asked(ground, row).state == "submitted"


def test_an_offer_for_open_incidents_needs_one(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    row = conditional(ground)
    actions.set_offer(
        actor=ground.actor("health"), now=T0, dataset_id=row.pk, fields=["id", "beds"], longest_days=30,
        only_in_open_incident=True,
    )
    monkeypatch.setattr(incident_terms, "_asked", [lambda actor, pk: ("I-1", pk == 1, 2) if pk < 3 else None])
    assert asked(ground, row).state == "submitted"
    assert asked(ground, row, incident_id=2).state == "submitted"
    assert asked(ground, row, incident_id=1).state == "granted"
    with pytest.raises(Invalid) as no:
        asked(ground, row, incident_id=3)
    assert no.value.errors[0]["pointer"] == "/incident_id"


def test_no_offer_gives_class_3(ground: Ground) -> None:
    row = conditional(ground)
    with pytest.raises(Conflict) as no:
        actions.set_offer(
            actor=ground.actor("health"), now=T0, dataset_id=row.pk, fields=["phone"], longest_days=30
        )
    assert no.value.code == "four_eyes"


# --- by a person


def test_the_whole_life_of_a_request(ground: Ground) -> None:
    row = conditional(ground)
    fire, steward = ground.actor("fire", "duty_officer"), ground.actor("health")
    draft = actions.ask(
        actor=fire, now=T0, dataset_id=row.pk, fields=["id", "beds"], purpose="Casualties", draft=True,
        valid_to=T0 + 30 * DAY,
    )
    with pytest.raises(NotFound):  # a draft is the asking department's own
        queries.request(actor=steward, now=T0, request_id=draft.pk)
    actions.submit_request(actor=fire, now=T0, request_id=draft.pk)
    assert told("request.submitted") == [{"department": row.department_id, "post": "data_steward"}]
    actions.screen_request(actor=steward, now=T0 + DAY, request_id=draft.pk)
    granted(ground, draft, now=T0 + 2 * DAY)
    assert told("request.granted") == [{"department": draft.department_id, "person": fire.id}]
    draft.refresh_from_db()
    assert read(fire, row, T0 + 2 * DAY) == [{"id": "a", "beds": 4}, {"id": "b", "beds": 40}]
    assert sees_nothing(fire, row, T0 + 30 * DAY)
    agreement = draft.agreement
    renewal = actions.renew_agreement(
        actor=fire, now=T0 + 20 * DAY, agreement_id=agreement.pk, valid_to=T0 + 60 * DAY
    )
    granted(ground, renewal, now=T0 + 21 * DAY)
    assert not sees_nothing(fire, row, T0 + 31 * DAY)
    second = Agreement.objects.get(request=renewal)
    assert second.pseudonym_key == agreement.pseudonym_key
    actions.end_agreement(actor=steward, now=T0 + 40 * DAY, agreement_id=second.pk, why="No longer needed")
    assert sees_nothing(fire, row, T0 + 40 * DAY)
    streams = Event.objects.filter(type="grant.ended").get().payload
    assert streams == {"grants": ShareRequest.objects.get(pk=renewal.pk).grant_ids, "request": renewal.pk, "class": 2}
    types = set(Event.objects.filter(object_type="catalogue.sharerequest").values_list("type", flat=True))
    assert types == {"request.drafted", "request.submitted", "request.screened", "request.granted"}


def test_the_receiver_may_end_an_agreement_too_and_nobody_else(ground: Ground) -> None:
    row = conditional(ground)
    request = granted(ground, asked(ground, row))
    pk = Agreement.objects.get(request=request).pk
    with pytest.raises(NotFound):
        actions.end_agreement(actor=ground.actor("water"), now=T0, agreement_id=pk, why="x")
    with pytest.raises(Forbidden):
        actions.end_agreement(actor=ground.actor("health", "duty_officer"), now=T0, agreement_id=pk, why="x")
    actions.end_agreement(actor=ground.actor("fire", "duty_officer"), now=T0, agreement_id=pk, why="done")
    assert sees_nothing(ground.actor("fire"), row, T0)
    with pytest.raises(Conflict):
        actions.end_agreement(actor=ground.actor("fire"), now=T0, agreement_id=pk, why="again")


def test_less_is_granted_than_asked(ground: Ground) -> None:
    row = conditional(ground)
    request = asked(ground, row)
    small = {"field": "beds", "op": "lt", "value": 10}
    granted(
        ground, request, fields={"beds": {"mask": "bucket", "edges": [10, 50]}}, rows=small, valid_to=T0 + 5 * DAY
    )
    request.refresh_from_db()
    assert request.state == "partly_granted"
    assert read(ground.actor("fire"), row, T0) == [{"beds": "<10"}]
    assert sees_nothing(ground.actor("fire"), row, T0 + 5 * DAY)


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"fields": ["id", "beds", "phone"]}, "/fields/phone"),
        ({"fields": {"beds": "full", "nothing": "full"}}, "/fields/nothing"),
        ({"fields": {}}, "/fields"),
        ({"valid_to": T0 + 31 * DAY}, "/valid_to"),
        ({"valid_to": T0}, "/valid_to"),
        ({"rows": {"field": "phone", "op": "eq", "value": "1"}}, "/filter/field"),
    ],
)
def test_more_than_asked_is_granted_to_nobody(ground: Ground, more: dict[str, Any], pointer: str) -> None:
    request = asked(ground, conditional(ground))
    with pytest.raises(Invalid) as no:
        granted(ground, request, **more)
    assert pointer in {error["pointer"] for error in no.value.errors}
    assert sees_nothing(ground.actor("fire"), request.dataset, T0)


def test_a_refusal_needs_its_reason_and_a_basis_in_force(ground: Ground) -> None:
    request = asked(ground, conditional(ground))
    steward = ground.actor("health")
    gone = ground.basis(article="gone", in_force_to=T0.date() - DAY)
    for answer, basis, pointer in (("", ground.basis().pk, "/answer"), ("no", gone.pk, "/legal_basis_id"),
                                   ("no", 2**70, "/legal_basis_id"), ("no", None, "/legal_basis_id")):  # fmt: skip
        with pytest.raises(Invalid) as no:
            actions.refuse_request(
                actor=steward, now=T0, request_id=request.pk, answer=answer, legal_basis_id=basis
            )
        assert {error["pointer"] for error in no.value.errors} == {pointer}
    basis = queries.legal_bases(actor=steward, now=T0)[0]["id"]
    actions.refuse_request(
        actor=steward, now=T0, request_id=request.pk, answer="Not yours", legal_basis_id=basis
    )
    request.refresh_from_db()
    assert (request.state, request.answer, request.legal_basis_id) == ("refused", "Not yours", basis)
    with pytest.raises(MoveNotAllowed):
        granted(ground, request)


def test_what_is_not_shared_cannot_be_asked_for(ground: Ground) -> None:
    row = conditional(ground, sharing="none", emergency_release=True)
    with pytest.raises(Conflict) as no:
        asked(ground, row)
    with translation.override("en"):
        assert no.value.code == "not_shared" and "break-glass" in str(no.value.message)
    with pytest.raises(Conflict):
        asked(ground, ground.published("own", by="fire"))
    with pytest.raises(Conflict):
        asked(ground, actions.retire(actor=ground.actor("health"), now=T0, dataset_id=ground.published("old").pk))
    with pytest.raises(NotFound):
        asked(ground, ground.confidential())


def test_only_posts_that_may_ask_and_decide_do(ground: Ground) -> None:
    row = conditional(ground)
    with pytest.raises(Forbidden):
        actions.ask(
            actor=add(ground, "fire", "observer"), now=T0, dataset_id=row.pk, fields=["id"], purpose="p",
            valid_to=T0 + DAY,
        )
    request = asked(ground, row)
    for actor in (ground.actor("fire"), ground.actor("health", "duty_officer"), add(ground, "health", "head")):
        with pytest.raises(Forbidden):
            granted(ground, request, actor)
    with pytest.raises(NotFound):
        granted(ground, request, ground.actor("water"))
    with pytest.raises(Forbidden):
        actions.withdraw_request(actor=ground.actor("health"), now=T0, request_id=request.pk)
    with pytest.raises(VersionConflict):
        granted(ground, request, if_version=request.version + 1)
    actions.withdraw_request(actor=ground.actor("fire", "duty_officer"), now=T0, request_id=request.pk)
    with pytest.raises(MoveNotAllowed):
        granted(ground, request)


def test_who_serves_in_both_departments_decides_on_nothing_they_asked(ground: Ground) -> None:
    person = ground.people["fire/data_steward"]
    health = ground.departments["health"]
    accounts.appoint(
        actor=SYSTEM, now=T0 - DAY, department_id=health.pk, person_id=person.pk, post="data_steward"
    )
    request = asked(ground, conditional(ground))
    with pytest.raises(Conflict) as no:
        granted(ground, request, Actor("person", person.pk, health.pk, frozenset({"data_steward"})))
    assert no.value.code == "four_eyes"


# --- four eyes and signatures


def test_two_persons_for_class_3_and_both_heads_sign_before_it_opens(ground: Ground) -> None:
    row = conditional(ground, classification=3)
    first, second = ground.actor("health"), add(ground, "health", "data_steward", "second")
    fire, hers = add(ground, "fire", "head"), add(ground, "health", "head")
    request = asked(ground, row)
    with pytest.raises(Conflict) as no:
        granted(ground, request, first)
    assert no.value.code == "four_eyes"
    actions.screen_request(actor=first, now=T0, request_id=request.pk)
    with pytest.raises(Conflict):
        granted(ground, request, first)
    granted(ground, request, second)
    agreement = Agreement.objects.get(request=request)
    reader = ground.actor("fire")
    assert sees_nothing(reader, row, T0) and agreement.to_be_signed
    with pytest.raises(Forbidden):
        actions.sign_agreement(actor=reader, now=T0, agreement_id=agreement.pk, digest=agreement.digest)
    with pytest.raises(Conflict) as no:
        actions.sign_agreement(actor=fire, now=T0, agreement_id=agreement.pk, digest="0" * 64)
    assert no.value.code == "other_digest"
    actions.sign_agreement(actor=fire, now=T0, agreement_id=agreement.pk, digest=agreement.digest)
    assert sees_nothing(reader, row, T0)
    with pytest.raises(Conflict):
        actions.sign_agreement(actor=fire, now=T0, agreement_id=agreement.pk, digest=agreement.digest)
    actions.sign_agreement(actor=hers, now=T0 + DAY, agreement_id=agreement.pk, digest=agreement.digest)
    assert len(read(reader, row, T0 + DAY)) == 2
    shown = queries.agreement(actor=reader, now=T0 + DAY, agreement_id=agreement.pk)
    assert shown["intact"] and {one["side"] for one in shown["signatures"]} == {"keeper", "receiver"}
    assert not Deadline.objects.filter(subject_type="catalogue.agreement", state="armed").exists()


def test_in_an_open_incident_class_3_opens_before_the_signatures(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incident_terms, "_asked", [lambda actor, pk: ("I-1", True, 1)])
    row = conditional(ground, classification=3)
    add(ground, "fire", "head")
    request = asked(ground, row, incident_id=1)
    assert request.answer_due == T0 + timedelta(minutes=30)
    actions.screen_request(actor=ground.actor("health"), now=T0, request_id=request.pk)
    granted(ground, request, add(ground, "health", "data_steward", "second"))
    agreement = Agreement.objects.get(request=request)
    assert not sees_nothing(ground.actor("fire"), row, T0)
    assert agreement.sign_due == datetime.fromisoformat("2026-06-23T04:28:00+00:00")  # Thursday, three working days on
    run_clock(T0 + 30 * DAY)
    fired = Event.objects.filter(type="deadline.fired", object_type="catalogue.agreement")
    assert fired.exists() and not agreement.signatures.exists()


def test_unasked_grants_need_four_eyes_too(ground: Ground) -> None:
    steward, second = ground.actor("health"), add(ground, "health", "data_steward", "second")
    given = {"department_id": ground.departments["fire"].pk, "purpose": "Rescue", "valid_to": T0 + 9 * DAY}
    plain, secret = conditional(ground), conditional(ground, "tox", classification=3)
    at_once = actions.give(actor=steward, now=T0, dataset_id=plain.pk, fields=["id"], **given)
    assert at_once.state == "granted" and read(ground.actor("fire"), plain, T0) == [{"id": "a"}, {"id": "b"}]
    waits = actions.give(actor=steward, now=T0, dataset_id=secret.pk, fields=["id"], **given)
    assert waits.state == "screened"
    with pytest.raises(Conflict):
        granted(ground, waits, steward)
    granted(ground, waits, second)
    with pytest.raises(Forbidden):
        actions.give(actor=ground.actor("fire"), now=T0, dataset_id=plain.pk, fields=["id"], **given)


def test_confidential_data_is_given_to_a_named_post_only(ground: Ground) -> None:
    row = ground.confidential(sharing="conditional", conditions_en="x")
    steward, second = ground.actor("health"), add(ground, "health", "data_steward", "second")
    given = {"department_id": ground.departments["fire"].pk, "purpose": "Rescue", "valid_to": T0 + 9 * DAY,
             "fields": ["id"], "actor": steward, "now": T0, "dataset_id": row.pk}  # fmt: skip
    with pytest.raises(Conflict) as no:
        granted(ground, actions.give(**given), second)
    assert no.value.code == "named_posts_only"
    request = granted(ground, actions.give(**given, holder="post", post="commander"), second)
    agreement = Agreement.objects.get(request=request)
    assert agreement.policy["receiver"]["post"] == "commander"
    with pytest.raises(NotFound):
        queries.agreement(actor=ground.actor("fire", "duty_officer"), now=T0, agreement_id=agreement.pk)
    for head in (add(ground, "fire", "head"), add(ground, "health", "head")):
        actions.sign_agreement(actor=head, now=T0, agreement_id=agreement.pk, digest=agreement.digest)
    assert not sees_nothing(add(ground, "fire", "commander"), row, T0) and sees_nothing(ground.actor("fire"), row, T0)


def test_holders_below_and_in_one_post(ground: Ground) -> None:
    row = conditional(ground)
    station = accounts.add_department(
        actor=SYSTEM, now=T0, code="station", kind="bureau", name_zh="站", name_en="Station", short_zh="站",
        short_en="st", parent_id=ground.departments["fire"].pk,
    )  # fmt: skip
    below = Actor("person", ground.people["fire/duty_officer"].pk, station.pk, frozenset({"duty_officer"}))
    granted(ground, asked(ground, row, holder="post", post="duty_officer"))
    assert sees_nothing(ground.actor("fire"), row, T0) and sees_nothing(below, row, T0)
    assert not sees_nothing(ground.actor("fire", "duty_officer"), row, T0)
    granted(ground, asked(ground, row, holder="subtree"))
    assert not sees_nothing(below, row, T0)


def test_an_agreement_that_was_changed_is_found_out(ground: Ground) -> None:
    row = conditional(ground)
    rows = {"and": [{"field": "beds", "op": "gt", "value": -0.0}, {"field": "beds", "op": "lt", "value": 1e15}]}
    request = granted(ground, asked(ground, row, rows=rows))
    agreement = Agreement.objects.get(request=request)
    assert queries.agreement(actor=ground.actor("fire"), now=T0, agreement_id=agreement.pk)["intact"]
    with pytest.raises(TypeError):
        agreement.save()
    document = queries.odrl(actor=ground.actor("fire"), now=T0, agreement_id=agreement.pk)
    assert document["@type"] == "Agreement" and document["permission"][0]["fields"] == request.fields
    Agreement.objects.filter(pk=agreement.pk).update(policy=agreement.policy | {"purpose": "anything"})
    assert not queries.agreement(actor=ground.actor("fire"), now=T0, agreement_id=agreement.pk)["intact"]
    for act in (
        lambda: queries.odrl(actor=ground.actor("fire"), now=T0, agreement_id=agreement.pk),
        lambda: actions.renew_agreement(
            actor=ground.actor("fire"), now=T0, agreement_id=agreement.pk, valid_to=T0 + 90 * DAY
        ),
    ):
        with pytest.raises(Conflict) as no:
            act()
        assert no.value.code == "agreement_altered"
