"""Is broken glass a person's alone, for an hour, told at once, kept in every read, ended hard and judged?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from accounts import actions as accounts
from accounts.actions.proving import Proof, ProofNeeded
from accounts.models import Person
from coordination.deadlines.engine.fire import fire_batch
from coordination.deadlines.models import Deadline
from coordination.events.actor import SYSTEM, Actor
from coordination.events.models import Event
from coordination.events.refused import Forbidden, Invalid, MoveNotAllowed, NotFound
from coordination.notify import quiet
from coordination.notify.actions import set_quiet
from coordination.notify.models import Delivery, Notice
from sharing import access
from sharing.access.fence import fenced
from sharing.access.models import Grant
from sharing.access.queries.emergency import glass_steps
from sharing.catalogue import actions, queries, working_days
from sharing.catalogue.actions import breaking
from sharing.catalogue.actions.breaking import AlreadyBroken, CannotRenew, GlassOver
from sharing.catalogue.actions.glass_targets import NothingToOpen, NotReleased
from sharing.catalogue.actions.reviewing import JudgedAlready, NotYetOver
from sharing.catalogue.models import BreakGlass, Dataset, RuleProposal
from sharing.catalogue.queries.emergencies import NoGlass
from sharing.catalogue.queries.records import NoGrant
from tests.catalogue.ground import T0, Ground
from tests.catalogue.test_records import NORTH, SOUTH, deliver

pytestmark = pytest.mark.django_db
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
WHY = "Leaking tank beside the ward; we must know whom to move."


def reader(ground: Ground) -> Actor:
    return ground.actor("fire", "duty_officer")


def proof(actor: Actor) -> Proof:
    return Proof(actor.id or 0, "code")


def broken(ground: Ground, row: Dataset, actor: Actor | None = None, **more: Any) -> BreakGlass:
    who = actor or reader(ground)
    given = {"actor": who, "now": ground.now, "proof": proof(who), "reason": WHY, "dataset_id": row.pk} | more
    made: BreakGlass = breaking.start(**given)
    return made


def filled(ground: Ground, **more: Any) -> Dataset:
    given = {"sharing": "none", "emergency_release": True} | more
    given["legal_basis_id"] = ground.basis(article=str(Dataset.objects.count())).pk
    code = given.pop("code", "beds")
    row = ground.published(code, **given)
    deliver(ground, row, [NORTH, SOUTH])
    return row


def read(ground: Ground, row: Dataset, actor: Actor, at: datetime) -> Any:
    return queries.records(actor=actor, now=at, dataset_id=row.pk)


def head(ground: Ground, code: str = "health") -> Actor:
    person = Person.objects.create(username=f"{code}-head-{Person.objects.count()}", name_en="Head")
    accounts.appoint(
        actor=SYSTEM, now=T0 - HOUR, department_id=ground.departments[code].pk, person_id=person.pk, post="head"
    )
    return Actor("person", person.pk, ground.departments[code].pk, frozenset({"head"}), language="en")


def told(text_key: str) -> set[int]:
    return set(Notice.objects.filter(text_key=text_key).values_list("person_id", flat=True))


def test_it_opens_every_field_to_one_person_until_the_second_of_its_end(ground: Ground) -> None:
    row, who = filled(ground), reader(ground)
    with pytest.raises(NoGrant):
        read(ground, row, who, T0)
    glass = broken(ground, row)
    assert (glass.started_at, glass.ends, glass.proof) == (T0, T0 + HOUR, "code")
    found = read(ground, row, who, T0)
    assert [one["data"] for one in found.rows] == [NORTH, SOUTH]
    assert not any(one["masked"] for one in found.rows)
    assert found.glass == found.grants == tuple(glass.grant_ids)
    assert read(ground, row, who, T0 + HOUR - timedelta(microseconds=1)).rows
    with pytest.raises(NoGrant):  # no job has run: the end is a test of time
        read(ground, row, who, T0 + HOUR)
    colleague = ground.actor("fire")
    with pytest.raises(NoGrant):
        read(ground, row, colleague, T0)


def test_a_renewal_once_then_no_more(ground: Ground) -> None:
    row, who = filled(ground), reader(ground)
    glass = broken(ground, row)
    at = T0 + 59 * MINUTE
    done = breaking.renew(actor=who, now=at, proof=proof(who), glass_id=glass.pk)
    assert done.ends == T0 + 2 * HOUR
    assert read(ground, row, who, T0 + 2 * HOUR - MINUTE).rows
    with pytest.raises(NoGrant):
        read(ground, row, who, T0 + 2 * HOUR)
    with pytest.raises(CannotRenew):
        breaking.renew(actor=who, now=at + MINUTE, proof=proof(who), glass_id=glass.pk)
    other = broken(ground, filled(ground, code="stores"))
    with pytest.raises(CannotRenew):  # what is over is not renewed
        breaking.renew(actor=who, now=T0 + HOUR, proof=proof(who), glass_id=other.pk)
    with pytest.raises(Forbidden):  # nor by anybody else of the department
        mate = replace(who, id=ground.people["fire/data_steward"].pk)
        breaking.renew(actor=mate, now=at, proof=proof(mate), glass_id=other.pk)


@pytest.mark.parametrize("by", ["self", "steward", "head"])
def test_ended_early_it_shows_nothing_more(ground: Ground, by: str) -> None:
    row, who = filled(ground), reader(ground)
    glass = broken(ground, row)
    ender = {"self": who, "steward": ground.actor("health"), "head": head(ground)}[by]
    at = T0 + 5 * MINUTE
    done = actions.end_glass(actor=ender, now=at, glass_id=glass.pk)
    assert (done.ended_at, done.ended_by_id) == (at, ender.id)
    with pytest.raises(NoGrant):
        read(ground, row, who, at)
    with pytest.raises(GlassOver):
        actions.end_glass(actor=ender, now=at + MINUTE, glass_id=glass.pk)
    said = Event.objects.get(type="glass.ended")
    assert bool(said.tell) == (by != "self")


def test_others_neither_end_it_nor_know_of_it(ground: Ground) -> None:
    glass = broken(ground, filled(ground))
    duty = ground.actor("water", "duty_officer")
    for stranger in (duty, replace(duty, posts=frozenset({"head", "data_steward"}))):
        for act in (
            lambda who: actions.end_glass(actor=who, now=T0, glass_id=glass.pk),
            lambda who: queries.glass(actor=who, now=T0, glass_id=glass.pk),
            lambda who: breaking.renew(actor=who, now=T0, proof=proof(who), glass_id=glass.pk),
        ):
            with pytest.raises(NotFound):
                act(stranger)
        assert queries.glasses(actor=stranger, now=T0) == ([], None)
    with pytest.raises(Forbidden):  # a colleague of the reader sees it, and ends nothing
        actions.end_glass(actor=ground.actor("fire"), now=T0, glass_id=glass.pk)


def test_without_a_proof_of_ones_own_nothing_opens(ground: Ground) -> None:
    row, who = filled(ground), reader(ground)
    for given in (None, Proof(ground.people["water/duty_officer"].pk, "code")):
        with pytest.raises(ProofNeeded):
            broken(ground, row, proof=given)
    assert not Grant.objects.filter(source="break_glass").exists()
    glass = broken(ground, row)
    with pytest.raises(ProofNeeded):
        breaking.renew(actor=who, now=T0, proof=None, glass_id=glass.pk)


@pytest.mark.parametrize("post", ["data_steward", "auditor", "observer", "approver", "administrator"])
def test_only_those_who_act_in_an_emergency_may(ground: Ground, post: str) -> None:
    who = replace(reader(ground), posts=frozenset({post}))
    with pytest.raises(Forbidden):
        broken(ground, filled(ground), actor=who)


def test_no_system_no_wall_no_superuser(ground: Ground) -> None:
    row, who = filled(ground), reader(ground)
    for kind in ("client", "display"):
        stranger = Actor(kind, 7, ground.departments["fire"].pk, oauth_scopes=frozenset({"read", "write"}))  # type: ignore[arg-type]
        with pytest.raises(Forbidden):
            broken(ground, row, actor=stranger)
    Person.objects.filter(pk=who.id).update(is_superuser=True)
    with pytest.raises(Forbidden):
        broken(ground, row)


def test_one_open_at_a_time_for_a_person_and_a_thing(ground: Ground) -> None:
    row = filled(ground)
    first = broken(ground, row)
    with pytest.raises(AlreadyBroken) as no:
        broken(ground, row)
    assert no.value.extra["id"] == first.pk
    assert broken(ground, row, now=T0 + HOUR).pk != first.pk


def test_what_an_emergency_does_not_open(ground: Ground) -> None:
    basis = ground.basis().pk
    shut = ground.published("shut", sharing="none", legal_basis_id=basis)
    secret = ground.confidential("secret")
    released = ground.confidential("bunker", emergency_release=True)
    with pytest.raises(NotReleased):
        broken(ground, shut)
    with pytest.raises(NotReleased):
        broken(ground, ground.published("own", by="fire"))
    home = ground.departments["health"].pk
    hidden: list[dict[str, Any]] = [
        {"dataset_id": secret.pk}, {"dataset_id": released.pk}, {"dataset_id": 9_999_999},
        {"dataset_id": None, "owner_id": home, "dataset_code": "secret"},
        {"dataset_id": None, "owner_id": home, "dataset_code": "nothing"},
        {"dataset_id": None, "owner_id": home, "dataset_code": "\x00"},
        {"dataset_id": None, "incident": "2026-9999"}, {"dataset_id": None, "incident": "\x00"},
    ]  # fmt: skip
    said = set()
    for target in hidden:
        with pytest.raises(NothingToOpen) as no:
            broken(ground, shut, **target)
        said.add((no.value.code, str(no.value.message), repr(no.value.extra)))
    assert len(said) == 1  # hidden and absent are answered alike
    glass = broken(ground, shut, dataset_id=None, owner_id=home, dataset_code="bunker")
    assert glass.object_id == released.pk
    for bad in ({}, {"incident": "1", "dataset_id": 3}, {"owner_id": home}, {"dataset_code": "x"}):
        with pytest.raises(Invalid):
            broken(ground, shut, **({"dataset_id": None} | bad))
    for reason in ("", "   ", "short", "x" * 1001, "\x00" * 20, None, 7):
        with pytest.raises(Invalid):
            broken(ground, shut, reason=reason)


def test_the_stewards_hear_of_it_at_once_and_nothing_mutes_it(ground: Ground) -> None:
    chief = head(ground)
    steward, duty = ground.people["health/data_steward"], ground.people["health/duty_officer"]
    Person.objects.filter(pk=steward.pk).update(email="steward@muster.example", phone="13900000009")
    set_quiet(actor=SYSTEM, now=T0, begins=time(0, 0), ends=time(23, 59, 59), person_id=steward.pk)
    set_quiet(
        actor=SYSTEM, now=T0, begins=time(0, 0), ends=time(23, 59, 59), department_id=ground.departments["health"].pk
    )
    glass = broken(ground, filled(ground))
    assert told("glass.started") == {steward.pk, duty.pk, chief.id}
    sent = list(Delivery.objects.filter(text_key="glass.started", person_id=steward.pk))
    assert {one.channel for one in sent} > {"in_app"}
    Delivery.objects.filter(pk__in=[one.pk for one in sent]).update(urgency=2)
    assert quiet.held(list(Delivery.objects.filter(text_key="glass.started")), T0) == {}
    other = Delivery.objects.filter(text_key="glass.started", channel="email").first()
    assert other is not None
    other.text_key = "glass.reviewed"
    assert quiet.held([other], T0)  # anything else of this urgency would wait
    event = Event.objects.get(type="glass.started")
    assert event.payload["told"] and event.object_id == glass.pk
    assert WHY not in str(event.payload) and WHY not in str([one.args for one in sent])


def test_start_grant_and_notice_stand_or_fall_together(ground: Ground) -> None:
    row = filled(ground)
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE notify_notice ADD CONSTRAINT none_now CHECK (text_key <> 'glass.started') NOT VALID"
        )
    with pytest.raises(DatabaseError), transaction.atomic():
        broken(ground, row)
    with fenced(SYSTEM):
        assert not BreakGlass.objects.exists()
    assert not Grant.objects.filter(source="break_glass").exists()
    assert not Event.objects.filter(type="glass.started").exists()
    assert not Deadline.objects.filter(subject_type="catalogue.breakglass").exists()


def test_nothing_of_it_is_exported_or_shared_on(ground: Ground) -> None:
    row, who = filled(ground), reader(ground)
    broken(ground, row)
    held = access.held(who, row.pk, T0)
    with pytest.raises(access.NotForExport):
        held.exportable()
    from tests.catalogue.test_records import opened

    granted = opened(ground, row)
    both = access.held(who, row.pk, T0)
    assert both.exportable().grant_ids == (granted,)
    assert set(both.glass_ids) == set(held.grant_ids)


def test_the_review_is_asked_for_and_silence_escalates(ground: Ground) -> None:
    chief, row = head(ground), filled(ground)
    glass = broken(ground, row)
    assert glass.review_due == working_days.after(T0, 3)
    half = T0 + (glass.review_due - T0) / 2
    fire_batch(half, 10)
    assert told("deadline.remind_steward") == {ground.people["health/data_steward"].pk}
    assert _row(glass).escalated_at is None
    fire_batch(glass.review_due, 10)
    assert told("deadline.head") == {chief.id}
    late = _row(glass)
    assert (late.escalated_at, late.outcome) == (glass.review_due, "")
    for days in range(1, 40):
        fire_batch(glass.review_due + timedelta(days=days), 10)
    assert _row(glass).outcome == ""
    assert Deadline.objects.filter(subject_type="catalogue.breakglass", state="armed").exists()
    assert Event.objects.filter(type="glass.escalated").count() == 1
    shown = queries.glasses(actor=chief, now=half + timedelta(days=60), state="review")[0]
    assert [one["state"] for one in shown] == ["escalated"]


def _row(glass: BreakGlass) -> BreakGlass:
    with fenced(SYSTEM):
        return BreakGlass.objects.get(pk=glass.pk)


def test_it_is_judged_once_by_those_whose_data_it_was(ground: Ground) -> None:
    glass = broken(ground, filled(ground))
    judge, given = ground.actor("health"), {"glass_id": glass.pk, "outcome": "plan", "words": "Give fire a rule."}
    with pytest.raises(NotYetOver):
        actions.review_glass(actor=judge, now=T0 + MINUTE, **given)
    at = T0 + HOUR
    for other in (ground.actor("fire"), reader(ground), head(ground, "fire")):
        with pytest.raises(Forbidden):
            actions.review_glass(actor=other, now=at, **given)
    for bad in ({"outcome": "fine"}, {"words": " "}, {"outcome": ""}):
        with pytest.raises(Invalid):
            actions.review_glass(actor=judge, now=at, **(given | bad))
    done = actions.review_glass(actor=judge, now=at, **given)
    assert (done.outcome, done.reviewed_by_id, done.reviewed_at) == ("plan", judge.id, at)
    with pytest.raises(JudgedAlready):
        actions.review_glass(actor=judge, now=at, **given)
    assert not Deadline.objects.filter(subject_type="catalogue.breakglass", state="armed").exists()
    assert {"person": glass.person_id}.items() <= Event.objects.get(type="glass.reviewed").tell[0].items()


def test_nobody_judges_their_own_departments_act_where_another_can(ground: Ground) -> None:
    glass = broken(ground, filled(ground))
    both = ground.people["health/data_steward"]
    accounts.appoint(
        actor=SYSTEM, now=T0, department_id=ground.departments["fire"].pk, person_id=both.pk, post="duty_officer"
    )
    given = {"glass_id": glass.pk, "outcome": "justified", "words": "It had to be."}
    chief = head(ground)
    with pytest.raises(Forbidden):
        actions.review_glass(actor=ground.actor("health"), now=T0 + HOUR, **given)
    actions.review_glass(actor=chief, now=T0 + HOUR, **given)


def test_a_judge_who_is_the_only_one_may(ground: Ground) -> None:
    glass = broken(ground, filled(ground))
    accounts.appoint(
        actor=SYSTEM, now=T0, department_id=ground.departments["fire"].pk,
        person_id=ground.people["health/data_steward"].pk, post="observer",
    )
    given = {"glass_id": glass.pk, "outcome": "justified", "words": "It had to be."}
    assert actions.review_glass(actor=ground.actor("health"), now=T0 + HOUR, **given).outcome == "justified"


def test_the_third_time_proposes_a_rule_which_is_settled_with_a_reason(ground: Ground) -> None:
    row, steward = filled(ground), ground.actor("health")
    for days in (0, 10, 80):
        assert queries.proposals(actor=steward, now=T0) == []
        broken(ground, row, now=T0 + timedelta(days=days))
    (found,) = queries.proposals(actor=steward, now=T0, dataset_id=row.pk)
    assert (found["uses"], found["department"]["id"]) == (3, ground.departments["fire"].pk)
    assert queries.proposals(actor=ground.actor("fire"), now=T0) == []
    with pytest.raises(NoGlass):
        actions.settle_proposal(actor=reader(ground), now=T0, proposal_id=found["id"], to="dismissed", why="No.")
    with pytest.raises(Invalid):
        actions.settle_proposal(actor=steward, now=T0, proposal_id=found["id"], to="dismissed", why="")
    done = actions.settle_proposal(actor=steward, now=T0, proposal_id=found["id"], to="dismissed", why="They may ask.")
    assert done.state == "dismissed"
    with pytest.raises(MoveNotAllowed):
        actions.settle_proposal(actor=steward, now=T0, proposal_id=found["id"], to="dismissed", why="Again.")
    broken(ground, row, now=T0 + timedelta(days=81))  # it counts anew from the dismissal on
    assert queries.proposals(actor=steward, now=T0) == []


def test_uses_long_ago_propose_nothing(ground: Ground) -> None:
    row = filled(ground)
    for days in (0, 50, 100):
        broken(ground, row, now=T0 + timedelta(days=days))
    assert not RuleProposal.objects.exists()


def test_the_database_shows_the_rows_to_nobody_who_was_not_named(ground: Ground) -> None:
    glass = broken(ground, filled(ground))
    for role in ("muster_app", "muster_owner"):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL ROLE {role}")
            cursor.execute("SELECT count(*) FROM catalogue_breakglass")
            assert cursor.fetchone() == (0,)
            transaction.set_rollback(True)
    seen = {"fire": 1, "health": 1, "water": 0}
    for code, many in seen.items():
        with fenced(ground.actor(code)):
            assert BreakGlass.objects.count() == many, code
    assert BreakGlass.objects.count() == 0  # what was set is gone again
    with fenced(ground.actor("water")), pytest.raises(DatabaseError), transaction.atomic():
        glass.pk = None
        glass.save(force_insert=True)


def test_what_a_person_has_open_is_found_with_who_they_are(ground: Ground) -> None:
    from coordination.events.at_once import answer

    row, who = filled(ground), reader(ground)
    assert answer(glass_steps(who.id or 0, T0)) == []
    glass = broken(ground, row)
    (found,) = answer(glass_steps(who.id or 0, T0))
    assert (found.id, found.object_id, found.incident) == (glass.pk, row.pk, False)
    assert answer(glass_steps(who.id or 0, T0 + HOUR)) == []
    (banner,) = queries.open_now(actor=who, now=T0, glass_ids=[found.id])
    assert banner["title"] == row.title_en or banner["title"] == row.title_zh
    assert banner["mine"] and {one["action"] for one in banner["allowed_actions"]} == {"renew", "end"}
