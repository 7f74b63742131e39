"""How is a question put together once, and asked again with other values?

Putting a query of the ORM together and compiling it costs more than PostgreSQL needs to answer it. A question that is
``kept(build, actor, now, ids)`` is built once for each *form* of its values, with marks in their place; afterwards
values are put where their marks came out. The form is everything but plain values: who is None, which posts an actor
holds, whether a list is empty. Nothing of an answer is kept, so there is nothing that could grow old.

``build`` may do with a number, a moment or a list of them nothing but hand it to the database (``f"{pk}"`` and
``str(pk)`` included). What it computes from one beforehand is refused when the question is first asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, datetime
from types import FunctionType
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models import QuerySet
from django.utils.functional import SimpleLazyObject

Build = Callable[..., QuerySet[Any, Any]]
Compile = Callable[[Any], tuple[str, list[Any]]]

MOST = 4_096
"""Forms that a process keeps; beyond, all are forgotten and learnt again."""
CHECK = False
"""Build every question anew as well and compare: the tests ask so."""

_FIRST = 1_900_000_000
_MARK = re.compile(r"(19000\d{5})")
_FORMS: dict[Any, Form | None] = {}
_UNKNOWN: Any = object()


class CannotBeKept(TypeError):
    """A question whose statement hangs on more than the form of its values."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A question: what builds it, and the values it is asked with this time.

    ``planned``: one plan serves all values (`coordination.events.prepared`).
    """

    build: Build
    given: tuple[Any, ...]
    planned: bool = True

    def built(self) -> QuerySet[Any, Any]:
        """The same, as an ordinary query."""
        return self.build(*self.given)


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts that are values (names of streams), not part of a question's form."""

    given: tuple[str, ...]


def kept(build: Build, *given: Any) -> Kept:
    """Ask ``build(*given)``, put together once; for `coordination.events.at_once`."""
    return Kept(build, tuple(map(_bare, given)))


def kept_unplanned(build: Build, *given: Any) -> Kept:
    """The same where the best plan hangs on the values: on a moment that few or many rows are before."""
    return Kept(build, tuple(map(_bare, given)), planned=False)


def _bare(one: Any) -> Any:
    """The value itself, where a request's own is found when first looked at."""
    if isinstance(one, SimpleLazyObject):
        bool(one)  # look
        return one._wrapped  # type: ignore[attr-defined]
    return one


@dataclass(eq=False, slots=True)
class Form:
    """A question with marks instead of values, compiled.

    ``rows`` and ``compiler``: as built with marks. ``texts``: the statement around its parameters. ``slots``: for each
    parameter a constant, or what makes it out of the values. ``sql``: the statement with lists as arrays.
    """

    rows: QuerySet[Any, Any]
    compiler: Any
    texts: list[str]
    slots: list[Slot]
    sql: str

    def filled(self, values: Sequence[Any]) -> list[Any]:
        """The parameters of ``sql``."""
        return [slot.of(values) for slot in self.slots]

    def plain(self, values: Sequence[Any]) -> tuple[str, list[Any]]:
        """Statement and parameters as the ORM itself would send them."""
        sql = self.texts[0]
        sent: list[Any] = []
        for slot, text in zip(self.slots, self.texts[1:], strict=True):
            given = slot.of(values)
            alone = slot.many and isinstance(given, list)
            sql += (", ".join(["%s"] * len(given)) if alone else "%s") + text
            sent += given if alone else [given]
        return sql, sent


@dataclass(frozen=True, slots=True)
class Slot:
    """One parameter: ``make`` puts it together from the values; without, it is ``constant``."""

    constant: Any = None
    make: Callable[[Sequence[Any]], Any] | None = None
    many: bool = False

    def of(self, values: Sequence[Any]) -> Any:
        """The parameter for these values."""
        return self.constant if self.make is None else self.make(values)


def form_of(asked: Kept, compile_: Compile) -> tuple[Form | None, list[Any]]:
    """The form of a question (None: it has no rows, whatever the values), and its values."""
    values: list[Any] = []
    key = (asked.build, compile_, *(_key(one, values) for one in asked.given))
    form = _FORMS.get(key, _UNKNOWN)  # looked up once: another thread may forget all of them meanwhile
    if form is _UNKNOWN:
        form = _learnt(asked, compile_, values)
        if len(_FORMS) >= MOST:
            _FORMS.clear()
        _FORMS[key] = form
    elif CHECK:
        _compare(asked, compile_, form, values)
    return form, values


def _key(one: Any, values: list[Any]) -> Any:
    """What the form of a value is; plain values are put aside."""
    if isinstance(one, bool | str | type) or one is None:
        return one
    if isinstance(one, FunctionType) and "<" not in one.__qualname__:
        return one
    if isinstance(one, int | datetime):
        values.append(int(one) if isinstance(one, int) else _moment(one))
        return int if isinstance(one, int) else datetime
    if isinstance(one, list | tuple | set | frozenset):
        if one and all(isinstance(item, int) and not isinstance(item, bool) for item in one):
            values.append(list(dict.fromkeys(one)))
            return list
        if all(isinstance(item, str) for item in one):
            return (type(one), *(sorted(one) if isinstance(one, set | frozenset) else one))
    if isinstance(one, Texts):
        if one.given:
            values.append(list(dict.fromkeys(one.given)))
        return Texts, bool(one.given)
    if is_dataclass(one):
        return (type(one), *(_key(getattr(one, field.name), values) for field in fields(one)))
    raise CannotBeKept(f"a question cannot be kept with {type(one).__name__} among its values")


def _moment(one: datetime) -> datetime:
    """A plain one, where a request's own is found when first looked at."""
    return one if type(one) is datetime else datetime.fromisoformat(one.isoformat())


def _marked(one: Any, count: list[int]) -> Any:
    """The value with a mark instead of each plain one, in the order of `_key`."""
    if isinstance(one, bool | str | type) or one is None:
        return one
    if isinstance(one, FunctionType):
        return one
    if isinstance(one, int | datetime):
        count[0] += 1
        return _FIRST + count[0] if isinstance(one, int) else datetime(2099, 1, 1, microsecond=count[0], tzinfo=UTC)
    if isinstance(one, list | tuple | set | frozenset):
        if not one or isinstance(next(iter(one)), str):
            return one
        count[0] += 1
        return type(one)([_FIRST + count[0]])
    if isinstance(one, Texts):
        count[0] += bool(one.given)
        return Texts((str(_FIRST + count[0]),)) if one.given else one
    return replace(one, **{field.name: _marked(getattr(one, field.name), count) for field in fields(one)})


def _learnt(asked: Kept, compile_: Compile, values: list[Any]) -> Form | None:
    if "<" in asked.build.__qualname__:
        raise CannotBeKept("a function made on the spot would be learnt anew each time")
    count = [0]
    rows = asked.build(*(_marked(one, count) for one in asked.given))
    compiler = rows.query.get_compiler(using=rows.db)
    try:
        sql, sent = compile_(compiler)
    except EmptyResultSet:
        form = None
    else:
        form = _form(rows, compiler, sql, sent, values)
    _compare(asked, compile_, form, values)
    return form


def _form(rows: QuerySet[Any, Any], compiler: Any, sql: str, sent: list[Any], values: list[Any]) -> Form:
    texts = sql.split("%s")
    if len(texts) != len(sent) + 1:
        raise CannotBeKept("a question whose text holds %s cannot be kept")
    slots = [_slot(one, values) for one in sent]
    listed = texts[0]
    for slot, before, after in zip(slots, texts, texts[1:], strict=False):
        if slot.many:
            if not before.endswith("IN (") or not after.startswith(")"):
                raise CannotBeKept("a list may only be looked for with IN")
            listed = listed[: -len("IN (")] + "= ANY(%s" + after
        else:
            listed += "%s" + after
    return Form(rows, compiler, texts, slots, listed)


def _slot(sent: Any, values: list[Any]) -> Slot:
    if isinstance(sent, datetime) and sent.year == 2099:
        return _single(sent.microsecond - 1, values)
    if isinstance(sent, int) and not isinstance(sent, bool) and _FIRST < sent <= _FIRST + len(values):
        return _single(sent - _FIRST - 1, values)
    if isinstance(sent, str) and _MARK.search(sent):
        pieces = _MARK.split(sent)
        places = [int(mark) - _FIRST - 1 for mark in pieces[1::2]]
        if isinstance(values[places[0]], list):
            return _single(places[0], values)
        return Slot(make=lambda given: _joined(pieces, places, given))
    if isinstance(sent, list | tuple):
        inner = [_slot(one, values) for one in sent]
        if len(inner) == 1 and inner[0].many:
            return Slot(make=inner[0].make)  # a list that is an array already
        if any(slot.make is not None for slot in inner):
            kind = type(sent)
            return Slot(make=lambda given: kind(slot.of(given) for slot in inner))
    return Slot(constant=sent)


def _single(place: int, values: list[Any]) -> Slot:
    return Slot(make=lambda given: given[place], many=isinstance(values[place], list))


def _joined(pieces: list[str], places: list[int], given: Sequence[Any]) -> str:
    marks = iter(places)
    return "".join(piece if n % 2 == 0 else str(given[next(marks)]) for n, piece in enumerate(pieces))


def _compare(asked: Kept, compile_: Compile, form: Form | None, values: list[Any]) -> None:
    """Refuse a question whose statement, built with its own values, is another than the kept one."""
    rows = asked.built()
    try:
        expected: Any = compile_(rows.query.get_compiler(using=rows.db))
    except EmptyResultSet:
        expected = None
    found = form.plain(values) if form is not None else None
    if _comparable(found) != _comparable(expected):
        raise CannotBeKept(f"{asked.build.__qualname__}: its statement hangs on more than the form of its values")


def _comparable(statement: tuple[str, list[Any]] | None) -> Any:
    """Documents are wrapped for the driver, and their wrappings are never equal."""
    if statement is None:
        return None
    return statement[0], [getattr(one, "adapted", one) for one in statement[1]]
