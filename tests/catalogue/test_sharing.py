"""Does each side see which grants there are, who has read by them, and does taking one back work at the commit?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import actions as accounts
from accounts.models import Membership
from coordination.events import reads
from coordination.events.actor import SYSTEM, Actor
from coordination.events.models import Event
from coordination.events.queries import streams_of_events
from coordination.events.refused import Forbidden, Invalid, NotFound
from sharing import access
from sharing.access.actions.opening import Holder, Terms
from sharing.access.actions.retiring import NothingToRetire
from sharing.access.models import Grant, Scope
from sharing.catalogue import actions, queries
from sharing.catalogue.actions.revoking import GrantOver
from sharing.catalogue.models import Dataset
from sharing.catalogue.queries import grant_words
from sharing.catalogue.queries.records import NoGrant
from tests.access.city import department, incident, person
from tests.catalogue.ground import T0, Ground
from tests.catalogue.test_records import NORTH, SOUTH, deliver

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
FIELDS = {"id": "full", "beds": {"mask": "bucket", "edges": [10, 50]}}


def given_to(ground: Ground, row: Dataset, kind: str = "department", key: str = "", **more: Any) -> int:
    terms = {"fields": FIELDS, "max_class": 2, "source": "agreement", "valid_from": T0, "purpose": "winter"} | more
    holder = Holder(kind, key or str(ground.departments["fire"].pk))
    return access.open_dataset(dataset_id=row.pk, holders=[holder], terms=Terms(**terms))[0].pk


def listed(ground: Ground, by: str, side: str, post: str = "data_steward", **more: Any) -> list[dict[str, Any]]:
    return queries.grants(actor=ground.actor(by, post), now=ground.now, side=side, **more)[0]


def revoke(ground: Ground, grant_id: int, by: str = "health", post: str = "data_steward", **more: Any) -> Grant:
    return actions.revoke_grant(
        actor=ground.actor(by, post), now=ground.now, grant_id=grant_id, **({"why": "no longer needed"} | more)
    )


def reads_beds(ground: Ground, row: Dataset, actor: Actor) -> bool:
    try:
        return bool(queries.records(actor=actor, now=ground.now, dataset_id=row.pk)[0])
    except Forbidden:
        return False


def test_a_grant_in_words(ground: Ground) -> None:
    row = ground.published()
    where = {"and": [{"field": "beds", "op": "gte", "value": 10}, {"field": "id", "op": "in", "value": ["a", "b"]}]}
    pk = given_to(ground, row, filter=where, valid_to=T0 + HOUR, incident_id=7)
    (one,) = listed(ground, "health", "given")
    assert one["id"] == pk
    assert (one["holder"]["name"], one["holder"]["kind"]) == (ground.departments["fire"].name, "department")
    assert [(each["name"], each["mask"]) for each in one["fields"]] == [("id", ""), ("beds", "bucket")]
    assert one["filter_words"].count("10") == 1
    assert "a, b" in one["filter_words"]
    assert (one["purpose"], one["source"], one["state"], one["incident_id"]) == ("winter", "agreement", "in_force", 7)
    assert (one["times"], one["last_read"]) == (0, None)
    assert one["allowed_actions"] == [{"action": "revoke"}]
    (mine,) = listed(ground, "fire", "received", "duty_officer")
    assert (mine["id"], mine["times"], mine["allowed_actions"]) == (pk, None, [])


def test_what_it_keeps_itself_is_neither_given_nor_received(ground: Ground) -> None:
    ground.published()
    assert listed(ground, "health", "given") == listed(ground, "health", "received") == []


def test_each_kind_of_holder_receives_it_and_nobody_else(ground: Ground) -> None:
    row = ground.published()
    fire = ground.departments["fire"].pk
    duty, steward = ground.people["fire/duty_officer"], ground.people["fire/data_steward"]
    made = {
        "department": given_to(ground, row),
        "subtree": given_to(ground, row, "subtree", str(fire)),
        "post": given_to(ground, row, "post", f"{fire}/commander"),
        "person": given_to(ground, row, "person", str(duty.pk)),
        "other": given_to(ground, row, "person", str(steward.pk)),
    }
    seen = {one["id"] for one in listed(ground, "fire", "received", "duty_officer")}
    assert seen == set(made.values()) - {made["other"]}
    assert listed(ground, "water", "received") == []
    with pytest.raises(NotFound):
        queries.grant(actor=ground.actor("water"), now=T0, grant_id=made["department"])
    below = accounts.add_department(
        actor=SYSTEM, now=T0, code="firej", kind="bureau", name_zh="支队", name_en="Brigade", short_zh="支队",
        short_en="Brigade", parent_id=fire,
    )  # fmt: skip
    there = Actor("person", steward.pk, below.pk, frozenset({"duty_officer"}))
    found = queries.grants(actor=there, now=T0, side="received")[0]
    assert {one["id"] for one in found} == {made["subtree"], made["other"]}


def test_what_was_given_is_for_steward_head_and_auditor(ground: Ground) -> None:
    given_to(ground, ground.published())
    home = ground.departments["health"].pk
    for post in ("head", "auditor"):
        assert queries.grants(actor=Actor("person", 1, home, frozenset({post})), now=T0, side="given")[0]
    for post in ("duty_officer", "administrator", "observer"):
        with pytest.raises(Forbidden):
            queries.grants(actor=Actor("person", 1, home, frozenset({post})), now=T0, side="given")
    with pytest.raises(Forbidden):
        queries.grants(actor=Actor("client", 1, home), now=T0, side="given")


def test_states_as_the_clock_goes_on(ground: Ground) -> None:
    row = ground.published()
    now, later, gone = (
        given_to(ground, row), given_to(ground, row, valid_from=T0 + HOUR), given_to(ground, row, valid_to=T0 + HOUR),
    )  # fmt: skip

    def states() -> dict[int, str]:
        return {one["id"]: one["state"] for one in listed(ground, "health", "given")}

    assert states() == {now: "in_force", later: "not_yet", gone: "in_force"}
    ground.now = T0 + HOUR
    assert states() == {now: "in_force", later: "in_force", gone: "lapsed"}
    revoke(ground, now)
    assert states() == {now: "revoked", later: "in_force", gone: "lapsed"}
    for state in ("in_force", "not_yet", "lapsed", "revoked"):
        assert {one["id"] for one in listed(ground, "health", "given", state=state)} == {
            pk for pk, its in states().items() if its == state
        }


def test_receipts_name_post_purpose_times_for_the_owner_alone(ground: Ground) -> None:
    pk = given_to(ground, ground.published())
    reader = ground.actor("fire", "duty_officer")
    for ids in ([1, 2], [3]):
        reads.note(reader, "records_list", "records", ids, purpose="winter", grants=[pk])
    (one,) = queries.receipts(actor=ground.actor("health"), now=T0, grant_id=pk)
    assert (one["department"]["id"], one["post"], one["purpose"]) == (reader.department_id, "duty_officer", "winter")
    assert (one["times"], one["count"]) == (2, 3)
    assert one["first"] < one["last"]
    (row,) = listed(ground, "health", "given")
    assert (row["times"], row["count"], row["last_read"]) == (2, 3, one["last"])
    with pytest.raises(NoGrant):
        queries.receipts(actor=reader, now=T0, grant_id=pk)
    with pytest.raises(NotFound):
        queries.receipts(actor=ground.actor("water"), now=T0, grant_id=pk)


def test_pages_follow_each_other_and_cost_the_same(ground: Ground) -> None:
    row = ground.published()
    made = [given_to(ground, row, purpose=str(n)) for n in range(9)]
    found, after = [], None
    while True:
        rows, after = queries.grants(actor=ground.actor("health"), now=T0, after=after, size=4)
        found += [one["id"] for one in rows]
        if after is None:
            break
    assert found == sorted(made, reverse=True)
    costs = []
    for size in (2, 9):
        with CaptureQueriesContext(connection) as asked:
            queries.grants(actor=ground.actor("health"), now=T0, size=size)
        costs.append(len(asked))
    assert costs[0] == costs[1] <= 9
    for wrong in ([-1], ["1"], [True], {}, [1, 2]):
        with pytest.raises(Invalid):
            queries.grants(actor=ground.actor("health"), now=T0, after=wrong)


def test_taken_back_at_the_commit_with_who_and_why(ground: Ground) -> None:
    row = ground.published()
    deliver(ground, row, [NORTH, SOUTH])
    pk, other = given_to(ground, row), given_to(ground, row, key=str(ground.departments["water"].pk))
    fire, water = ground.actor("fire", "duty_officer"), ground.actor("water", "duty_officer")
    assert reads_beds(ground, row, fire)
    revoke(ground, pk, why="  misused  ")
    assert (reads_beds(ground, row, fire), reads_beds(ground, row, water)) == (False, True)
    for by, side in (("health", "given"), ("fire", "received")):
        one = next(each for each in listed(ground, by, side) if each["id"] == pk)
        assert (one["state"], one["revoked_why"], one["revoked_at"]) == ("revoked", "misused", T0)
        assert one["revoked_by"] == str(ground.people["health/data_steward"])
    assert Grant.objects.get(pk=other).revoked_at is None


def test_both_sides_hear_of_it_by_ids_alone(ground: Ground) -> None:
    row = ground.published()
    pk = given_to(ground, row)
    revoke(ground, pk, why="a reason with a name")
    said = Event.objects.get(type="grant.revoked")
    assert said.payload == {"class": 2, "dataset": row.pk, "number": str(pk)}
    fire, health = ground.departments["fire"].pk, ground.departments["health"].pk
    assert set(streams_of_events([said.pk])) == {f"department:{fire}", f"department:{health}"}
    assert said.tell == [{"department": fire, "post": "duty_officer"}]
    changed = Event.objects.get(type="access.changed")
    assert list(streams_of_events([changed.pk])) == [f"dataset:{row.pk}"]
    assert (changed.object_id, changed.payload) == (row.pk, {"class": 2})


def test_with_it_all_that_its_holder_has_of_the_dataset(ground: Ground) -> None:
    row, second = ground.published(), ground.published("wards")
    same = [given_to(ground, row), given_to(ground, row, purpose="flood")]
    stay = [
        given_to(ground, row, key=str(ground.departments["water"].pk)), given_to(ground, second),
        given_to(ground, row, "post", f"{ground.departments['fire'].pk}/commander"),
    ]  # fmt: skip
    lapsed = given_to(ground, row, valid_from=T0 - HOUR, valid_to=T0)
    revoke(ground, same[0], all_of_holder=True)
    revoked = set(Grant.objects.exclude(revoked_at=None).values_list("pk", flat=True))
    assert revoked == set(same)
    assert not revoked & {*stay, lapsed}
    assert Event.objects.filter(type="grant.revoked").count() == 2
    assert [bool(event.tell) for event in Event.objects.filter(type="grant.revoked").order_by("pk")] == [True, False]


@pytest.mark.parametrize("why", ["", "   ", "x" * 201, "a\x00b", 7])
def test_a_reason_is_needed_and_fit(ground: Ground, why: Any) -> None:
    pk = given_to(ground, ground.published())
    with pytest.raises(Invalid) as refused:
        revoke(ground, pk, why=why)
    assert [one["pointer"] for one in refused.value.errors] == ["/why"]
    assert Grant.objects.get(pk=pk).revoked_at is None


def test_who_may_not(ground: Ground) -> None:
    row = ground.published()
    pk = given_to(ground, row)
    own = Grant.objects.get(source="owner", object_id=row.pk).pk
    for by, post, refusal in (
        ("fire", "data_steward", Forbidden), ("fire", "duty_officer", Forbidden), ("health", "duty_officer", NotFound),
        ("water", "data_steward", NotFound),
    ):  # fmt: skip
        with pytest.raises(refusal):
            revoke(ground, pk, by, post)
    for wrong in (own, 10**15):
        with pytest.raises(NotFound):
            revoke(ground, wrong)
    assert Grant.objects.get(pk=pk).revoked_at is None


def test_the_head_only_where_nobody_is_steward(ground: Ground) -> None:
    pk = given_to(ground, ground.published())
    chief = replace(ground.actor("health"), posts=frozenset({"head"}))
    with pytest.raises(Forbidden):
        actions.revoke_grant(actor=chief, now=T0, grant_id=pk, why="x")
    Membership.objects.filter(person=ground.people["health/data_steward"]).update(valid_to=T0)
    assert actions.revoke_grant(actor=chief, now=T0, grant_id=pk, why="x").revoked_at == T0


def test_one_person_is_enough_for_class_three(ground: Ground) -> None:
    row = ground.published(sharing="conditional", classification=3, conditions_en="x", legal_basis_id=ground.basis().pk)
    pk = given_to(ground, row, max_class=3)
    assert revoke(ground, pk).revoked_at == T0
    assert Event.objects.get(type="grant.revoked").payload["class"] == 3


def test_what_is_over_is_not_taken_back_again(ground: Ground) -> None:
    row = ground.published()
    pk, gone = given_to(ground, row), given_to(ground, row, valid_from=T0 - HOUR, valid_to=T0)
    revoke(ground, pk)
    for one in (pk, gone):
        with pytest.raises(GrantOver):
            revoke(ground, one)


def test_a_command_repeated_has_its_effect_once(ground: Ground) -> None:
    pk = given_to(ground, ground.published())
    key = "0190a0a0-0000-7000-8000-000000000001"
    assert revoke(ground, pk, command_id=key).pk == revoke(ground, pk, command_id=key).pk
    assert Event.objects.filter(type="grant.revoked").count() == 1


class TestRetiring:
    def test_all_that_a_holder_has_ends_with_one_row(self, ground: Ground) -> None:
        rows = [ground.published(f"beds{n}") for n in range(2)]
        for row in rows:
            deliver(ground, row, [NORTH])
            given_to(ground, row, source="plan")
        fire = ground.actor("fire", "duty_officer")
        sample = Grant.objects.filter(source="plan")[0]
        Grant.objects.bulk_create(
            Grant(
                scope_id=sample.scope_id, object_type="catalogue.dataset", object_id=10_000 + n, actions=["view"],
                policy_id=sample.policy_id, fields_id=sample.fields_id, source="plan", valid_from=T0,
            )
            for n in range(1_200)
        )  # fmt: skip
        assert all(reads_beds(ground, row, fire) for row in rows)
        with CaptureQueriesContext(connection) as asked:
            access.retire(actor=SYSTEM, now=T0, kind="department", key=str(fire.department_id))
        assert not any(reads_beds(ground, row, fire) for row in rows)
        assert access.readable(fire, [f"dataset:{rows[0].pk}"], T0) == set()
        changed = [one["sql"] for one in asked if one["sql"].startswith(("UPDATE", "DELETE"))]
        assert len(changed) == 1
        for by, side in (("health", "given"), ("fire", "received")):
            found = listed(ground, by, side, dataset_id=rows[0].pk)
            assert {one["state"] for one in found} == {"revoked"}
            assert {one["holder"]["name"] for one in found} == {ground.departments["fire"].name}

    def test_what_it_is_given_later_holds(self, ground: Ground) -> None:
        row = ground.published()
        deliver(ground, row, [NORTH])
        given_to(ground, row)
        fire = ground.actor("fire", "duty_officer")
        access.retire(actor=SYSTEM, now=T0, kind="department", key=str(fire.department_id))
        again = given_to(ground, row)
        assert reads_beds(ground, row, fire)
        assert {one["id"]: one["state"] for one in listed(ground, "fire", "received")}[again] == "in_force"

    def test_a_department_that_joins_again_sees_the_incident_again(self) -> None:
        home = department("yard")
        row = incident(home)
        who, asked = person(home), {"actor": SYSTEM, "incident_id": row.pk, "department_id": home.pk}
        joined = asked | {"role": "support", "response_level": None, "opened_at": row.opened_at, "now": T0}
        access.join(**joined)
        access.retire(actor=SYSTEM, now=T0, kind="department", key=str(home.pk))
        assert access.visible_incident_ids(who, at=T0) == []
        assert access.join(**joined)
        assert access.visible_incident_ids(who, at=T0) == [row.pk]
        access.close(incident_id=row.pk, now=T0)
        assert access.drift(T0) == (0, 0)

    def test_who_may_not_and_what_cannot(self, ground: Ground) -> None:
        key = str(ground.departments["fire"].pk)
        given_to(ground, ground.published())
        with pytest.raises(Forbidden):
            access.retire(actor=ground.actor("fire"), now=T0, kind="department", key=key)
        for kind, wrong in (("every_department", ""), ("person", "1"), ("department", "x"), ("department", "²")):
            with pytest.raises(Invalid):
                access.retire(actor=SYSTEM, now=T0, kind=kind, key=wrong)
        with pytest.raises(NothingToRetire):
            access.retire(actor=SYSTEM, now=T0, kind="subtree", key=key)
        assert Scope.objects.exclude(retired_at=None).count() == 0


def test_every_way_in_which_something_is_given_has_a_name() -> None:
    assert set(grant_words.SOURCE_NAMES) == set(Grant.Source) - {Grant.Source.OWNER}
