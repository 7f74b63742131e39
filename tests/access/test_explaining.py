"""Who is told why somebody sees an object, what are they told, and what not?"""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from accounts.models import Department, Display, Membership, Person, Post
from coordination.events.actor import SYSTEM, Actor
from coordination.events.models import ReadEntry
from incidents.models import Attachment, Incident, LogEntry
from sharing import access
from sharing.access.actions.opening import Holder, Terms
from sharing.access.explanation import Explanation
from sharing.access.models import Grant, Scope
from sharing.access.queries.explaining import BadWho, Named, named
from sharing.catalogue.models import Dataset, Record
from tests.access.city import T0, department, incident, person

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
CLASSES = {"name": 1, "phone": 3, "patient": 4}


def join(one: Incident, who: Department, role: str, level: int = 3) -> None:
    access.join(
        actor=SYSTEM, incident_id=one.pk, department_id=who.pk, role=role, response_level=level,
        opened_at=one.opened_at, now=T0,
    )


@pytest.fixture
def city() -> SimpleNamespace:
    """The centre commands a fire, the fire office leads it, health supports; water has no part in it."""
    root = department("root", kind="district")
    centre = department("centre", root, "command_centre")
    fire, health, water = (department(code, root) for code in ("fire", "health", "water"))
    burning = incident(fire)
    join(burning, fire, "lead")
    join(burning, health, "support")
    secret = LogEntry.everything.create(incident=burning, text="x", classification=3, at=T0, department=fire)
    beds = Dataset.objects.create(code="beds", title_en="x", department=health, frequency="daily", listed_at=T0)
    record = Record.everything.create(dataset=beds, key="1", data={"name": "North", "phone": "1390001"}, since=1)
    return SimpleNamespace(
        root=root, centre=centre, fire=fire, health=health, water=water, incident=burning, secret=secret, beds=beds,
        record=record,
    )


def steps(told: Explanation) -> dict[str, bool | None]:
    return {one.code: one.holds for one in told.steps}


def why(actor: Actor, obj: Any, who: Any = None, **more: Any) -> Explanation:
    return access.explain(actor, who=who, obj=obj, at=T0, **more)


def test_of_what_one_sees_one_is_told_by_which_grant(city: SimpleNamespace) -> None:
    told = why(person(city.health), city.incident)
    assert (told.seen, told.missing) == (True, "")
    assert steps(told) == {"may_view": True, "hangs_on": None, "grants": True, "reach": True}
    (one,) = told.grants
    assert (one.state, one.grant.source, one.grant.role) == ("in_force", "participation", "support")
    assert not ReadEntry.objects.exists(), "about oneself nothing is kept"


@pytest.mark.parametrize("posts", [("commander",), ("data_steward",), ("administrator",), ()])
def test_of_what_is_hidden_one_is_told_as_little_as_of_what_is_not_there(
    city: SimpleNamespace, posts: tuple[str, ...]
) -> None:
    actor = person(city.water, *posts) if posts else Actor("person", 1, city.water.pk, frozenset())
    for who in (None, actor, Named("person", 2)):
        for obj in (city.incident, city.secret, city.record):
            with pytest.raises(access.Unseen):
                why(actor, obj, who)


def test_about_others_only_stewards_of_what_they_keep_and_auditors_ask(city: SimpleNamespace) -> None:
    stranger = person(city.water, pk=9)
    with pytest.raises(access.NotYourRight) as refused:
        why(person(city.health), city.incident, stranger)
    assert refused.value.extra["right"] == "explain"
    with pytest.raises(access.NotYourRight):
        why(person(city.health, "data_steward"), city.incident, stranger)  # takes part, but commands nothing
    for keeper in (person(city.fire, "data_steward"), person(city.centre, "data_steward")):
        assert not why(keeper, city.incident, stranger).seen
    assert not why(person(city.health, "data_steward"), city.record, stranger).seen
    with pytest.raises(access.Unseen):
        why(person(city.fire, "data_steward"), city.record, stranger)
    auditor = person(city.water, "auditor", pk=3)
    for obj in (city.incident, city.secret, city.beds, city.record):
        assert not why(auditor, obj, stranger).seen


def test_every_question_about_others_and_every_auditors_is_kept(city: SimpleNamespace) -> None:
    why(person(city.fire, "data_steward", pk=4), city.incident, person(city.water, pk=9))
    why(person(city.water, "auditor", pk=3), city.incident)
    kept = list(ReadEntry.objects.order_by("pk").values_list("actor_key", "operation", "object_type", "ids"))
    assert kept == [
        ("person:4", "explain person:9", "incidents.incident", [city.incident.pk]),
        ("person:3", "explain person:3", "incidents.incident", [city.incident.pk]),
    ]


def test_why_not_names_the_first_rule_that_is_missing(city: SimpleNamespace) -> None:
    auditor = person(city.water, "auditor")
    told = why(auditor, city.incident, person(city.water, pk=9))
    assert (told.missing, told.grants) == ("grants", ())
    assert why(auditor, city.incident, person(city.fire, "administrator")).missing == "may_view"
    above = why(auditor, city.secret, person(city.root))
    assert above.missing == "reach" and steps(above)["class"] is False
    support = why(auditor, city.secret, person(city.health))
    assert (support.missing, steps(support)["reach"]) == ("class", True)
    (rule,) = [one for one in support.steps if one.code == "class"]
    assert dict(rule.facts) == {"needed": 3, "widest": 2}


def test_grants_that_are_over_revoked_or_yet_to_come_are_told_apart(city: SimpleNamespace) -> None:
    given = {"fields": {"name": "full"}, "max_class": 2, "source": "agreement"}
    windows = [(T0 - HOUR, None), (T0 - 2 * HOUR, T0), (T0 + HOUR, None), (T0 - HOUR, None)]
    made = [
        access.open_dataset(
            dataset_id=city.beds.pk, holders=[Holder("department", str(city.water.pk))],
            terms=Terms(**given, valid_from=since, valid_to=until),
        )[0]
        for since, until in windows
    ]
    access.close_dataset(actor=SYSTEM, grant_ids=[made[3].pk], why="leaked", now=T0)
    (gone,) = access.open_dataset(
        dataset_id=city.beds.pk, holders=[Holder("post", f"{city.water.pk}/commander")],
        terms=Terms(**given, valid_from=T0),
    )
    Scope.objects.filter(kind="post").update(retired_at=T0)
    told = why(person(city.water), city.beds)
    assert [(one.grant.pk, one.state) for one in told.grants] == [
        (made[0].pk, "in_force"), (made[1].pk, "lapsed"), (made[2].pk, "not_yet"), (made[3].pk, "revoked"),
        (gone.pk, "retired"),
    ]
    Grant.objects.filter(pk=made[0].pk).delete()
    with pytest.raises(access.Unseen):
        why(person(city.water), city.beds)
    assert why(person(city.water), city.beds, known=True).missing == "grants"


def test_each_field_of_a_record_is_told_with_the_grant_that_shows_it(city: SimpleNamespace) -> None:
    def give(rows: Any, fields: Any, most: int) -> int:
        (grant,) = access.open_dataset(
            dataset_id=city.beds.pk, holders=[Holder("subtree", str(city.root.pk))],
            terms=Terms(fields=fields, max_class=most, source="agreement", valid_from=T0, filter=rows),
        )
        return grant.pk

    wide = give({}, {"name": {"mask": "partial", "start": 1}, "phone": "full"}, 2)
    north = give({"field": "name", "op": "eq", "value": "North"}, {"name": "full"}, 2)
    south = give({"field": "name", "op": "eq", "value": "South"}, {"phone": "full"}, 4)
    told = why(person(city.water), city.record, classes=CLASSES)
    shown = {one.name: (one.shown, one.grant_ids, one.why) for one in told.fields}
    assert shown == {
        "name": ("full", (north,), ""), "phone": ("absent", (), "above_class"), "patient": ("absent", (), "unnamed"),
    }
    assert {one.grant.pk: one.passes for one in told.grants} == {wide: True, north: True, south: False}


def test_of_a_grant_that_is_over_nothing_is_told_by_its_filter(city: SimpleNamespace) -> None:
    """Whether a record passes would tell of a field that is not shown now."""
    for rows, until in (({}, None), ({"field": "phone", "op": "eq", "value": "1390001"}, T0)):
        access.open_dataset(
            dataset_id=city.beds.pk, holders=[Holder("department", str(city.water.pk))],
            terms=Terms(
                fields={"name": "full"}, max_class=4, source="agreement", valid_from=T0 - HOUR, valid_to=until,
                filter=rows,
            ),
        )
    assert [one.passes for one in why(person(city.water), city.record).grants] == [True, None]


def test_own_part_drafts_and_walls_have_their_rule(city: SimpleNamespace) -> None:
    auditor = person(city.water, "auditor")
    loose = Attachment.everything.create(department=city.health, name="a.png", size=1, classification=2, at=T0)
    mine = why(person(city.health), loose)
    assert mine.seen and steps(mine) == {
        "may_view": True, "hangs_on": None, "grants": False, "reach": False, "class": False, "own": True,
    }
    above = why(auditor, loose, person(city.root))
    assert above.seen and above.steps[-1].facts["owner"] == "below"
    wall = Display.objects.create(department=city.fire, name="wall")
    shown = Actor("display", wall.pk, city.fire.pk)
    assert why(auditor, city.incident, shown).seen
    assert why(auditor, city.secret, shown).missing == "wall"
    Display.objects.update(revoked_at=T0)
    assert why(auditor, city.incident, shown).missing == "wall"


def test_whom_one_can_ask_about(city: SimpleNamespace) -> None:
    auditor = person(city.water, "auditor", pk=99)
    li = Person.objects.create(username="li")
    for place in (city.fire, city.health):
        post = Post.objects.create(department=place, kind="observer")
        Membership.objects.create(person=li, post=post, valid_from=T0 - HOUR)
    with pytest.raises(BadWho, match="bad_who"):
        why(auditor, city.incident, named(f"person:{li.pk}"))
    assert why(auditor, city.incident, named(f"person:{li.pk}@{city.fire.pk}")).seen
    assert why(auditor, city.incident, named(f"person:{li.pk}@{city.water.pk}")).missing == "may_view"
    own = why(person(city.fire, "data_steward"), city.incident, named(f"person:{li.pk}"))
    assert own.who.department_id == city.fire.pk, "of several the asker's own"
    assert why(auditor, city.incident, named(f"post:{city.fire.pk}/commander")).seen
    assert not why(auditor, city.incident, named(f"post:{city.fire.pk}/administrator")).seen
    assert why(auditor, city.incident, Named("person", 0, city.fire.pk, username="li")).seen
    assert named("user:li") == Named("person", 0, username="li")
    for nobody in ("user:nobody", "person:987654321", "client:987654321", "display:987654321"):
        with pytest.raises(BadWho):
            why(auditor, city.incident, named(nobody))


@pytest.mark.parametrize("text", ["", "person", "person:0", "person:x", "post:1", "post:1/king", "system", "person:1 "])
def test_a_text_that_names_nobody_is_refused_at_its_field(text: str) -> None:
    with pytest.raises(BadWho) as refused:
        named(text)
    assert refused.value.errors[0]["pointer"] == "/who"


def test_few_are_told_only_where_nothing_is_masked() -> None:
    assert [access.told_count(n, masked=True) for n in (0, 1, 4, 5, 90)] == [None, None, None, 5, 90]
    assert [access.told_count(n, masked=False) for n in (0, 4, 5)] == [0, 4, 5]
