"""Are the rows of queries sent together those that each would have given by itself?"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db.models import Count, DecimalField, Exists, F, OuterRef, Value
from django.db.models.functions import TruncDate

from accounts.models import Department, Membership, Person, Post
from coordination.events.at_once import answer, at_once, hang, together
from coordination.events.models import Command, Event

pytestmark = pytest.mark.django_db
T0 = datetime(2026, 3, 1, 8, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def tree() -> list[Department]:
    """A root with two below it."""
    root = Department.objects.create(code="root", kind="bureau", name_zh="根%", name_en="Root")
    return [root, *(
        Department.objects.create(code=code, kind="bureau", name_zh=code, name_en=f"{code} ' \" \\ %s", parent=root)
        for code in ("b", "a")
    )]  # fmt: skip


def fields(row: Any) -> dict[str, Any]:
    """Every column of an object."""
    return {one.attname: getattr(row, one.attname) for one in row._meta.concrete_fields}


def test_objects_are_the_same_with_joins_annotations_and_order(
    tree: list[Department], django_assert_num_queries: Any
) -> None:
    below = Department.objects.filter(parent__isnull=False).select_related("parent").order_by("code")
    counted = Department.objects.annotate(
        n=Count("children"), has=Exists(Department.objects.filter(parent=OuterRef("pk")))
    ).order_by("-n", "code")
    asked = [
        below, counted, Department.objects.values("code", up=F("parent__code")).order_by("-code"),
        Department.objects.order_by("code").values_list("code", flat=True), Department.objects.none(),
        Department.objects.filter(code="root")[:1], Department.objects.filter(name_zh="根%"),
    ]  # fmt: skip
    with django_assert_num_queries(1):
        found = at_once(*(rows.all() for rows in asked))
        assert [row.parent.code for row in found[0]] == ["root", "root"]
    alone = [list(rows.all()) for rows in asked]
    assert found == alone
    assert [fields(row) for row in found[0]] == [fields(row) for row in alone[0]]
    assert [(row.n, row.has) for row in found[1]] == [(2, True), (0, False), (0, False)]
    assert found[2][0] == {"code": "root", "up": None}
    assert [len(rows) for rows in found] == [2, 3, 3, 3, 0, 1, 1]


def test_times_numbers_and_documents_come_back_as_they_are(tree: list[Department]) -> None:
    event = Event.objects.create(
        type="x", at=T0, actor_kind="system", object_type="x", object_id=2**60, payload={"a": [1.5, None, "ü", True]},
        command_id=uuid4(), tell=[],
    )  # fmt: skip
    command = Command.objects.create(actor_key="a", key=uuid4(), name="x", request_hash="h", at=T0 + timedelta(days=1))
    exact = Decimal("9999999999999.999")
    asked = (
        Event.objects.all(), Command.objects.all(), Department.objects.filter(code="a"),
        Event.objects.annotate(
            day=TruncDate("at"), q=Value(exact, output_field=DecimalField(max_digits=16, decimal_places=3))
        ),
        Event.objects.values_list("payload__a", "payload"), Event.objects.values("payload__a__2"),
    )  # fmt: skip
    found = at_once(*asked)
    assert fields(found[0][0]) == fields(Event.objects.get(pk=event.pk))
    assert fields(found[1][0]) == fields(Command.objects.get(pk=command.pk))
    assert found[2][0].name_en == tree[2].name_en
    assert (found[3][0].day, found[3][0].q) == (date(2026, 3, 1), exact)
    assert found[4] == [([1.5, None, "ü", True], {"a": [1.5, None, "ü", True]})]
    assert found[5] == [{"payload__a__2": "ü"}]


def test_sorted_by_what_is_not_shown(tree: list[Department]) -> None:
    rows = Department.objects.order_by("name_en").values_list("code", flat=True).distinct()
    assert at_once(rows, Department.objects.filter(code="b").values_list("code", flat=True)) == [list(rows), ["b"]]


def test_questions_in_steps_are_read_side_by_side(tree: list[Department], django_assert_num_queries: Any) -> None:
    def below(code: str) -> Any:
        (roots,) = yield [Department.objects.filter(code=code)]
        (found,) = yield [Department.objects.filter(parent__in=roots).order_by("code")]
        return [row.code for row in found]

    def name() -> Any:
        (found,) = yield [Department.objects.filter(code="a")]
        return found[0].name_zh

    def nothing() -> Any:
        yield from ()
        return 7

    with django_assert_num_queries(2):
        assert together(below("root"), name(), nothing()) == [["a", "b"], "a", 7]
    with django_assert_num_queries(2):
        assert answer(below("root")) == ["a", "b"]


def test_a_failure_of_one_question_is_its_own(tree: list[Department]) -> None:
    def refused() -> Any:
        yield [Department.objects.all()]
        raise LookupError("not here")

    with pytest.raises(LookupError):
        answer(refused())


def test_children_hang_on_their_parents_like_prefetched_ones(
    tree: list[Department], django_assert_num_queries: Any
) -> None:
    post = Post.objects.create(department=tree[0], kind="head")
    person = Person.objects.create_user("p")
    held = Membership.objects.create(person=person, post=post, valid_from=T0)
    twice = [Post.objects.get(pk=post.pk), Post.objects.get(pk=post.pk)]
    other = Post.objects.create(department=tree[1], kind="head")
    hang([*twice, other], "memberships", at_once(Membership.objects.select_related("person"))[0])
    with django_assert_num_queries(0):
        assert [list(one.memberships.all()) for one in (*twice, other)] == [[held], [held], []]
        assert twice[0].memberships.all()[0].person.username == "p"
        assert twice[0].memberships.all()[0].post.kind == "head"
    hang([], "memberships", [])
