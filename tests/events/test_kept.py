"""Is a question that is put together once the same question, whoever asks and with whatever values?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import Q, QuerySet
from django.test.utils import CaptureQueriesContext

from accounts.models import Department
from coordination.events import kept as keeping
from coordination.events import prepared
from coordination.events.actor import Actor
from coordination.events.at_once import at_once
from coordination.events.kept import CannotBeKept, Kept, Texts, kept
from coordination.events.models import StreamHead

pytestmark = pytest.mark.django_db
T0 = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
FIRE = Actor("person", 7, 3, frozenset({"head"}))


@pytest.fixture(autouse=True)
def _anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing learnt yet, and nothing compared afterwards: what is kept is what is sent."""
    monkeypatch.setattr(keeping, "_FORMS", {})
    monkeypatch.setattr(keeping, "CHECK", False)


@pytest.fixture
def tree() -> list[Department]:
    """Three departments."""
    return [
        Department.objects.create(code=code, kind="bureau", name_zh=code, name_en=f"{code} %s 1900000001")
        for code in ("a", "b", "c")
    ]


def by_ids(ids: Any) -> QuerySet[Department]:
    """Some departments."""
    return Department.objects.filter(pk__in=ids).order_by("code")


def near(actor: Actor, up: int | None, at: datetime) -> QuerySet[Department]:
    """A statement whose form hangs on the posts held and on whether there is a parent."""
    rows = Department.objects.filter(Q(pk=actor.department_id) | Q(phone=f"{actor.id}/x"), parent_id=up)
    if "head" in actor.posts:
        rows = rows.exclude(email=str(actor.department_id))
    return rows.exclude(path__contains=f"/x{actor.department_id}/").order_by("pk")


def doubled(pk: int) -> QuerySet[Department]:
    """Computes from its value: no mark comes out of that."""
    return Department.objects.filter(pk=pk * 2)


def first_few(n: int) -> QuerySet[Department]:
    """Writes its value into the statement."""
    return Department.objects.order_by("pk")[:n]


def heads(streams: Texts) -> QuerySet[StreamHead, Any]:
    """Streams by name."""
    return StreamHead.objects.filter(stream__in=streams.given).values_list("stream", flat=True)


def test_other_values_find_other_rows_and_the_objects_are_as_always(tree: list[Department]) -> None:
    a, b, c = (one.pk for one in tree)
    for ids in ([a], [b, c], {c, b, a}, (b, b), [0], [a, 2**40]):
        (found,) = at_once(kept(by_ids, ids))
        assert [vars(row) | {"_state": None} for row in found] == [vars(row) | {"_state": None} for row in by_ids(ids)]
        assert [row._state.adding for row in found] == [False] * len(found)
        assert [row._state.db for row in found] == ["default"] * len(found)
    assert at_once(kept(by_ids, [])) == [[]]
    assert at_once(kept(by_ids, [c]), kept(by_ids, []), Department.objects.filter(pk=a)) == [[tree[2]], [], [tree[0]]]


def test_what_one_may_never_comes_to_another(tree: list[Department]) -> None:
    a, b, _c = (one.pk for one in tree)
    for _again in range(3):
        for pk, posts in ((a, {"head"}), (b, {"head"}), (a, set()), (b, {"commander"}), (0, {"head"})):
            actor = replace(FIRE, department_id=pk, posts=frozenset(posts))
            assert at_once(kept(near, actor, None, T0)) == [list(near(actor, None, T0))]
            assert [row.pk for row in at_once(kept(near, actor, None, T0))[0]] == ([pk] if pk else [])


@pytest.mark.parametrize("changed", [
    {"id": 8}, {"department_id": 4}, {"posts": frozenset({"head", "commander"})}, {"posts": frozenset()},
    {"kind": "client"}, {"id": None}, {"language": "en"},
])  # fmt: skip
def test_a_kept_statement_is_the_one_that_would_be_built(changed: dict[str, Any]) -> None:
    compile_ = _plainly
    keeping.form_of(kept(near, FIRE, 5, T0), compile_)
    for up, at in ((6, T0 + timedelta(days=1)), (None, T0)):
        asked = kept(near, replace(FIRE, **changed), up, at)
        form, values = keeping.form_of(asked, compile_)
        assert form is not None
        assert form.plain(values) == compile_(asked.built().query.get_compiler(using="default"))


def _plainly(compiler: Any) -> tuple[str, list[Any]]:
    sql, sent = compiler.as_sql()
    return sql, list(sent)


@pytest.mark.parametrize("asked", [
    kept(doubled, 4), kept(first_few, 3), kept(lambda pk: by_ids([pk]), 4), kept(by_ids, [1.5]), kept(by_ids, [None]),
])  # fmt: skip
def test_what_hangs_on_more_than_the_form_is_refused(asked: Kept) -> None:
    with pytest.raises(CannotBeKept):
        at_once(asked)


def test_a_difference_that_shows_later_is_found_where_each_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    def even_alone(pk: int) -> QuerySet[Department]:
        return Department.objects.filter(pk=pk) if pk % 2 else Department.objects.filter(parent_id=pk)

    even_alone.__qualname__ = "even_alone"
    monkeypatch.setattr(keeping, "CHECK", True)
    at_once(kept(even_alone, 3))
    with pytest.raises(CannotBeKept):
        at_once(kept(even_alone, 4))


def test_names_are_values_too() -> None:
    StreamHead.objects.bulk_create(StreamHead(stream=name, last_seq=1) for name in ("x", "y'", "1900000001"))
    for names in (("x",), ("y'", "x"), ("1900000001",), ("none",)):
        (found,) = at_once(kept(heads, Texts(names)))
        assert sorted(found) == sorted(set(names) - {"none"})
    assert at_once(kept(heads, Texts(()))) == [[]]


def nothing_planned() -> None:
    """As on a new connection."""
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")
    prepared.forget(connection.connection)


def test_the_second_time_it_is_planned_already(tree: list[Department]) -> None:
    nothing_planned()
    with CaptureQueriesContext(connection) as asked:
        for ids in ([tree[0].pk], [tree[1].pk, tree[2].pk], [tree[2].pk]):
            at_once(kept(by_ids, ids), kept(near, FIRE, None, T0))
    statements = [one["sql"] for one in asked.captured_queries]
    assert [sql.startswith("PREPARE") for sql in statements] == [True, False, False]
    assert [sql.startswith("EXECUTE") for sql in statements] == [False, True, True]


@pytest.mark.django_db(transaction=True)
def test_a_column_that_grows_meanwhile_fails_nobody(tree: list[Department]) -> None:
    nothing_planned()
    assert at_once(kept(by_ids, [tree[0].pk])) == [[tree[0]]]
    with connection.cursor() as cursor:
        cursor.execute("SELECT atttypmod - 4 FROM pg_attribute WHERE attrelid = 'accounts_department'::regclass"
                       " AND attname = 'name_en'")  # fmt: skip
        (length,) = cursor.fetchone()
        try:
            cursor.execute(f"ALTER TABLE accounts_department ALTER name_en TYPE varchar({length + 50})")
            assert at_once(kept(by_ids, [tree[1].pk])) == [[tree[1]]]
            cursor.execute(f"ALTER TABLE accounts_department ALTER name_en TYPE varchar({length + 60})")
            with pytest.raises(OperationalError), transaction.atomic():  # 503: the same again goes through
                at_once(kept(by_ids, [tree[1].pk]))
            assert at_once(kept(by_ids, [tree[1].pk])) == [[tree[1]]]
        finally:
            cursor.execute(f"ALTER TABLE accounts_department ALTER name_en TYPE varchar({length})")
            nothing_planned()


def test_no_connection_keeps_more_than_it_may(tree: list[Department], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "MOST", 3)
    nothing_planned()
    for _again in range(2):
        for n in range(1, 6):
            assert at_once(*[kept(by_ids, [tree[0].pk])] * n) == [[tree[0]]] * n
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements")
        assert cursor.fetchone() == (3,)


def test_forms_are_forgotten_before_they_are_too_many(tree: list[Department], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "MOST", 2)
    for posts in ("a", "b", "c", "d"):
        actor = replace(FIRE, department_id=tree[0].pk, posts=frozenset({posts}))
        assert at_once(kept(near, actor, None, T0)) == [[tree[0]]]
    assert len(keeping._FORMS) <= 2


class Forgetful(dict[Any, Any]):
    """What another thread forgets just when this one has looked or written."""

    def __contains__(self, key: object) -> bool:
        found = super().__contains__(key)
        self.clear()
        return found

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, value)
        self.clear()


@pytest.mark.parametrize("learnt_before", [True, False])
def test_what_another_thread_forgets_meanwhile_fails_nobody(
    tree: list[Department], monkeypatch: pytest.MonkeyPatch, learnt_before: bool
) -> None:
    if learnt_before:
        nothing_planned()
        at_once(kept(by_ids, [tree[0].pk]), kept(by_ids, [tree[1].pk]))
    for room, name in ((keeping, "_FORMS"), (prepared, "_statements")):
        forgetful = Forgetful()
        dict.update(forgetful, getattr(room, name))
        monkeypatch.setattr(room, name, forgetful)
    assert at_once(kept(by_ids, [tree[0].pk]), kept(by_ids, [tree[2].pk])) == [[tree[0]], [tree[2]]]
    assert at_once(kept(by_ids, [])) == [[]]
