"""How are several questions that do not wait for each other asked of the database in one round trip?

A page draws on a dozen tables. Asked one after the other, each question costs a trip to the server and back; sent as
one statement, all of them cost one. What comes back are the same objects as when each is asked by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Sequence
from copy import copy
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import orjson
from django.core.exceptions import EmptyResultSet
from django.db import connection, connections
from django.db.models import Model, QuerySet

from coordination.events import prepared
from coordination.events.kept import Form, Kept, form_of

T = TypeVar("T")
Rows = QuerySet[Any, Any]
Question = Rows | Kept
Steps = Generator[Sequence[Question], list[list[Any]], T]
"""A function that yields the queries it needs next, is sent their rows, and returns its answer."""

_FROM_TEXT: dict[str, Callable[[str], Any]] = {
    "DateTimeField": datetime.fromisoformat,
    "DateField": date.fromisoformat,
    "DecimalField": Decimal,
    "UUIDField": UUID,
}
_AS_TEXT = frozenset({"DecimalField", "JSONField"})
"""Sent as text, since JSON would round the one, and Django reads the other from text itself."""


def at_once(*asked: Question) -> list[list[Any]]:
    """The rows of each question, in its own order; one statement for all of them.

    Queries of objects (with what they join and annotate), ``values`` and ``values_list``, and any of them
    `coordination.events.kept`. What a query prefetches is read after it, as always.
    """
    if len(asked) == 1:
        return [_alone(asked[0]) if isinstance(asked[0], Kept) else list(asked[0])]
    answers: list[list[Any]] = [[] for _ in asked]
    parts = [(place, part) for place, one in enumerate(asked) if (part := _part(one)) is not None]
    if not parts:
        return answers
    with connection.cursor() as cursor:
        forms = [part.form for _place, part in parts if part.form is not None and part.planned]
        sent = [part.sent for _place, part in parts]
        if len(forms) < len(parts) or not prepared.execute(cursor, "SELECT ", forms, sent):
            statement = "SELECT " + ", ".join(part.sql for _place, part in parts)
            cursor.execute(statement, [one for row in sent for one in row])
        found = cursor.fetchone()
    for (place, part), text in zip(parts, found, strict=True):
        answers[place] = _rows_of(part, orjson.loads(text)) if text else []
    return answers


def _alone(asked: Kept) -> list[Any]:
    """The rows of one kept question; also of one that locks them."""
    form, values = form_of(asked, _plain)
    if form is None:
        return []
    sent = form.filled(values)
    with connection.cursor() as cursor:
        if not asked.planned or not prepared.execute(cursor, "", [form], [sent]):
            cursor.execute(form.sql, sent)
        rows = cursor.fetchall()
    if form.compiler.has_extra_select:  # what is selected only to be sorted by
        rows = [row[: form.compiler.col_count] for row in rows]
    return _objects(form.rows, _copied(form.compiler), rows)


def _plain(compiler: Any) -> tuple[str, list[Any]]:
    sql, sent = compiler.as_sql()
    return sql, list(sent)


class _Part(NamedTuple):
    """A question as it is sent: the query, its compiler, statement and parameters; its form, where it is kept."""

    rows: Rows
    compiler: Any
    sql: str
    sent: list[Any]
    form: Form | None = None
    planned: bool = False


def _part(asked: Question) -> _Part | None:
    """None for a question that can have no rows."""
    if isinstance(asked, Kept):
        form, values = form_of(asked, _as_json)
        if form is None:
            return None
        return _Part(form.rows, form.compiler, form.sql, form.filled(values), form, asked.planned)
    compiler = asked.query.get_compiler(using=asked.db)
    try:
        sql, sent = _as_json(compiler)
    except EmptyResultSet:
        return None
    return _Part(asked, compiler, sql, sent)


def side_by_side(*questions: Steps[Any]) -> Steps[list[Any]]:
    """Several step-by-step questions as one: what all of them want next is always read at once."""
    answers: list[Any] = [None] * len(questions)
    waiting = {place: _next(steps, None, answers, place) for place, steps in enumerate(questions)}
    while True:
        wanting = {place: wanted for place, wanted in waiting.items() if wanted is not None}
        if not wanting:
            return answers
        found = iter((yield [rows for wanted in wanting.values() for rows in wanted]))
        waiting = {
            place: _next(questions[place], [next(found) for _ in wanted], answers, place)
            for place, wanted in wanting.items()
        }


def answer(question: Steps[T]) -> T:
    """The answer of a step-by-step question."""
    try:
        wanted = next(question)
        while True:
            wanted = question.send(at_once(*wanted))
    except StopIteration as end:
        found: T = end.value
        return found


def together(*questions: Steps[Any]) -> list[Any]:
    """The answers of several step-by-step questions, read side by side."""
    return answer(side_by_side(*questions))


def hang(parents: Iterable[Model], name: str, children: Iterable[Any]) -> None:
    """Let ``parent.<name>.all()`` be those of ``children`` that refer to it, as if they had been prefetched."""
    owners = list(parents)
    if not owners:
        return
    field: Any = owners[0]._meta.get_field(name).field  # type: ignore[union-attr]
    mine: dict[Any, list[Any]] = defaultdict(list)
    for child in children:
        mine[getattr(child, field.attname)].append(child)
    for owner in owners:
        rows = getattr(owner, name).get_queryset()
        rows._result_cache = mine[owner.pk]
        rows._prefetch_done = True
        if not hasattr(owner, "_prefetched_objects_cache"):
            owner._prefetched_objects_cache = {}  # type: ignore[attr-defined]
        owner._prefetched_objects_cache[name] = rows  # type: ignore[attr-defined]
        for child in mine[owner.pk]:
            setattr(child, field.name, owner)


def _next(steps: Steps[Any], sent: list[list[Any]] | None, answers: list[Any], place: int) -> Sequence[Question] | None:
    try:
        return next(steps) if sent is None else steps.send(sent)
    except StopIteration as end:
        answers[place] = end.value
        return None


def _as_json(compiler: Any) -> tuple[str, list[Any]]:
    """All rows of a query as one JSON text; columns by place, since joined tables share their names."""
    hidden = 0
    asked = compiler.get_extra_select

    def noted(*given: Any) -> Any:
        nonlocal hidden
        found = asked(*given)
        hidden = len(found)  # columns that are selected only to be sorted by
        return found

    compiler.get_extra_select = noted
    sql, values = compiler.as_sql()
    kinds = _kinds(compiler)
    names = [f"c{n}" for n in range(len(kinds) + hidden)]
    kept = (f"{name}::text" if kind in _AS_TEXT else name for name, kind in zip(names, kinds, strict=False))
    shown = ", ".join(f"{said} AS {name}" for said, name in zip(kept, names, strict=False))
    # what is put together here are the statements of the ORM and column names of ours
    return f"(SELECT json_agg(u)::text FROM (SELECT {shown} FROM ({sql}) t({', '.join(names)})) u)", list(values)  # noqa: S608


def _kinds(compiler: Any) -> list[str]:
    """The kind of each column of the answer."""
    columns = compiler.select[: compiler.col_count]
    return [str(expression.output_field.get_internal_type()) for expression, _sql, _alias in columns]


def _rows_of(part: _Part, raw: list[dict[str, Any]]) -> list[Any]:
    """What the query would have given, from the columns that came. Other threads may ask the same kept question."""
    compiler = _copied(part.compiler)
    readers = _once(compiler, "readers", lambda: [_FROM_TEXT.get(kind) for kind in _kinds(compiler)])
    rows = [
        tuple(
            value if read is None or value is None else read(value)
            for value, read in zip(row.values(), readers, strict=True)
        )
        for row in raw
    ]
    return _objects(part.rows, compiler, rows)


def _copied(compiler: Any) -> Any:
    """A compiler of this thread's own, which shares with all others of its statement what `_once` finds."""
    compiler.__dict__.setdefault("found_once", {})
    return copy(compiler)


def _once(compiler: Any, name: str, find: Callable[[], Any]) -> Any:
    found: dict[str, Any] = compiler.found_once
    if name not in found:
        found[name] = find()
    return found[name]


def _objects(asked: Rows, compiler: Any, rows: Sequence[tuple[Any, ...]]) -> list[Any]:
    """The query's own machinery, given the rows; ``compiler`` is a copy of this thread's own."""
    compiler.connection = connections[asked.db]
    convert = compiler.get_converters
    compiler.get_converters = lambda columns: _once(compiler, "converters", lambda: convert(columns))
    compiler.execute_sql = lambda *_given, **_named: [rows]
    query: Any = copy(asked.query)
    query.get_compiler = lambda *_given, **_named: compiler
    filled = asked.__class__.__new__(asked.__class__)
    filled.__dict__.update(asked.__dict__, _query=query)
    return list(filled)
