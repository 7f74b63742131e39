"""How does PostgreSQL plan a statement once for a connection, and not each time it is asked?

Planning a page's joined statements takes ten times as long as carrying them out. The plan hangs on no value
(``plan_cache_mode`` of a web process says so), which suits what is looked up by key, by department or by incident.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

from django.db import NotSupportedError, OperationalError, connection

from coordination.events.kept import Form

MOST = 32
"""Statements that one connection keeps planned; beyond, the one longest unused is forgotten."""

_TYPES: dict[type, str] = {int: "bigint", str: "text", datetime: "timestamptz"}
_numbers = count(1)
_statements: dict[tuple[Form, ...], Statement | None] = {}
_UNKNOWN: Any = object()
_planned: WeakKeyDictionary[Any, OrderedDict[Statement, str]] = WeakKeyDictionary()


class Statement:
    """Several forms as one statement, with ``$n`` for what differs from time to time."""

    def __init__(self, head: str, forms: Sequence[Form], sent: Sequence[list[Any]]) -> None:
        """``sent``: the parameters of each form this time, for their types. Raises `KeyError` for one of another."""
        self.constants: list[Any] = []
        self.types: list[str] = []
        parts = []
        for form, given in zip(forms, sent, strict=True):
            texts = form.sql.split("%s")
            sql = texts[0]
            for slot, value, text in zip(form.slots, given, texts[1:], strict=True):
                if slot.make is None:
                    self.constants.append(slot.constant)
                    sql += "%s" + text
                else:
                    self.types.append(_type(value))
                    sql += f"${len(self.types)}{text}"
            parts.append(sql)
        self.sql = head + ", ".join(parts)


def _type(value: Any) -> str:
    return _TYPES[type(value[0])] + "[]" if isinstance(value, list) else _TYPES[type(value)]


def execute(cursor: Any, head: str, forms: Sequence[Form], sent: Sequence[list[Any]]) -> bool:
    """Carry out ``head`` and the forms as one statement; False where they cannot be planned ahead."""
    key = tuple(forms)
    statement = _statements.get(key, _UNKNOWN)  # looked up once: another thread may forget all of them meanwhile
    if statement is _UNKNOWN:
        try:
            statement = Statement(head, forms, sent)
        except KeyError:
            statement = None
        if len(_statements) >= 1_024:
            _statements.clear()
        _statements[key] = statement
    if statement is None:
        return False
    values = [
        value
        for form, given in zip(forms, sent, strict=True)
        for slot, value in zip(form.slots, given, strict=True)
        if slot.make is not None
    ]
    known = _planned.setdefault(connection.connection, OrderedDict())
    name = known.get(statement)
    if name is not None:
        known.move_to_end(statement)
        try:
            cursor.execute(_call(name, values), values)
        except NotSupportedError as error:  # a column's type was changed since: no plan of this connection holds
            _planned.pop(connection.connection, None)
            if connection.in_atomic_block:
                raise OperationalError("the tables were changed under this request") from error
            return execute(cursor, head, forms, sent)
        return True
    name = f"kept_{next(_numbers)}"
    types = f" ({', '.join(statement.types)})" if statement.types else ""
    forget = f"DEALLOCATE {known.popitem(last=False)[1]}; " if len(known) >= MOST else ""
    # the statements of the ORM and names of ours
    prepare = f"{forget}PREPARE {name}{types} AS {statement.sql}; {_call(name, values)}"
    cursor.execute(prepare, [*statement.constants, *values])
    known[statement] = name
    return True


def forget(session: Any) -> None:
    """Nothing is planned on this connection any longer (whoever deallocated it says so)."""
    _planned.pop(session, None)


def _call(name: str, values: Sequence[Any]) -> str:
    return f"EXECUTE {name}({', '.join(['%s'] * len(values))})" if values else f"EXECUTE {name}"
