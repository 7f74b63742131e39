"""Where can a row of bad input be put: into which body, query, header, id, field or file of which operation?

Everything is found from the operations themselves, so that an address, a field or a form that is added is tried
without a word more.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from django import forms
from rest_framework import serializers

from incidents.forms import AreaField
from sharing.access.forms import ManyFiles
from tests.input import table
from tests.input.making import bytes_of, made, value_of
from tests.input.table import Row
from tests.permissions import asking, bodies
from tests.permissions import operations as ops
from tests.permissions.operations import Operation
from tests.permissions.world import POSTS, World

ME = "centre/commander"
FORM = "application/x-www-form-urlencoded"
BOUNDARY = "multipart/form-data; boundary=x"
DONE = (200, 201, 204, 302, 303)


@dataclass(frozen=True)
class Attempt:
    """One request, and what it may answer. ``fields``: sent as a form with files; ``may_do``: it could take effect."""

    row: str
    name: str
    path: str
    answer: tuple[int, ...]
    raw: bytes = b""
    kind: str = "application/json"
    fields: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    at_field: str = ""
    may_do: bool = False


Place = Callable[[Operation, World, Row], Iterator[Attempt]]


@lru_cache
def _answers() -> dict[ops.Key, dict[str, Any]]:
    return ops.table()


def offered(operation: Operation) -> bool:
    """Whether this method is offered there at all."""
    row = _answers().get(ops.key_of(operation))
    return row is None or row["own"] != 405


def who(operation: Operation) -> str:
    """Return who gets furthest with an operation: what they send is read."""
    return _furthest(operation)[0]


def anyhow(operation: Operation) -> set[int]:
    """Return what whoever gets furthest hears of good input, where that is a no."""
    status = _furthest(operation)[1]
    return {status} if status >= 400 and not operation.api else set()


@lru_cache
def _furthest(operation: Operation) -> tuple[str, int]:
    row = _answers().get(ops.key_of(operation))
    if row is None or operation.api:
        return ME, 200
    found = [
        (status, f"{ops.RELATIONS[relation]}/{kind}")
        for relation in ("own", "participating", "foreign")
        for kind in ("commander", "duty_officer", "head", *POSTS)
        for status in [ops.expected(row, relation, kind)]
    ]
    for wanted in (*DONE, 422, 409, 404, 403):
        for status, principal in found:
            if status == wanted:
                return principal, wanted
    return ME, 200


def attempts(operation: Operation, world: World) -> Iterator[Attempt]:
    """Return all that is tried on an operation in this run."""
    if not offered(operation):
        return
    for row in table.rows():
        if row.place in PLACES:
            yield from PLACES[row.place](operation, world, row)


def places_of(operation: Operation, world: World) -> set[str]:
    """Return the numbers of the rows that fit an operation."""
    if not offered(operation):
        return set()
    return {
        row.row for row in table.rows() if row.place in PLACES and next(PLACES[row.place](operation, world, row), None)
    }


def _plain(operation: Operation, world: World, row: Row, name: str, **more: Any) -> Attempt:
    path = asking.path_of(operation, world, absent=False)
    return Attempt(row.row, f"{row.says}: {name}", path, tuple(row.answer), headers=_manners(operation, world), **more)


def _manners(operation: Operation, world: World) -> dict[str, str]:
    if operation.declared is None or operation.method == "GET":
        return {}
    found = {"Idempotency-Key": str(uuid.uuid4())}
    if operation.declared.may_decide:
        found["If-Match"] = f'"{world.version_of(asking.noun(operation))}.x"'
    return found


def _body(operation: Operation, world: World) -> dict[str, Any]:
    """The body of JSON, or the fields of a form."""
    found = bodies.body_of(operation, world)
    form = None if operation.api else bodies.form_of(operation)
    if form is not None and "command_id" in form.base_fields:
        found["command_id"] = str(uuid.uuid4())
    return found


def _media(operation: Operation) -> str:
    return operation.declared.media if operation.declared is not None else ""


def _writes_json(operation: Operation) -> bool:
    return operation.method != "GET" and _media(operation) == "application/json"


def _takes_form(operation: Operation) -> bool:
    if operation.method != "POST":
        return False
    return _media(operation) == FORM or (not operation.api and bodies.form_of(operation) is not None)


def _whole(operation: Operation, world: World, attempt: Attempt) -> Attempt:
    """The attempt with a good body."""
    if operation.method == "GET":
        query = bodies.query_of(operation, world)
        return replace(attempt, path=f"{attempt.path}?{urlencode(query)}" if query else attempt.path)
    if _writes_json(operation):
        return replace(attempt, raw=json.dumps(_body(operation, world)).encode())
    return replace(attempt, fields=_body(operation, world))


# --- what is sent as it is


def _json(operation: Operation, world: World, row: Row) -> Iterator[Attempt]:
    if not _writes_json(operation):
        return
    for one in row.drawn(operation.key):
        attempt = _plain(operation, world, row, f"{one.name} {one.kind or ''}")
        if row.header:
            raw = json.dumps(_body(operation, world)).encode()
            attempt = replace(attempt, raw=raw, headers=attempt.headers | {row.header: _text(one.sent)})
        else:
            attempt = replace(attempt, raw=bytes_of(one.sent) or b"")
        yield attempt if one.kind is None else replace(attempt, kind=one.kind)


def _text(pieces: list[Any]) -> str:
    return (bytes_of(pieces) or b"").decode("utf-8")


def _query(operation: Operation, world: World, row: Row) -> Iterator[Attempt]:
    if operation.method == "GET" and operation.declared is not None:
        yield from _asked(operation, world, row)


def _page_query(operation: Operation, world: World, row: Row) -> Iterator[Attempt]:
    if operation.method == "GET" and operation.declared is None:
        yield from _asked(operation, world, row)


def _asked(operation: Operation, world: World, row: Row) -> Iterator[Attempt]:
    given = urlencode(bodies.query_of(operation, world))
    for one in row.drawn(operation.key):
        query = _text(one.sent)
        if query.partition("=")[0] in given:
            continue
        attempt = _plain(operation, world, row, one.name)
        if operation.route.startswith("live/since") and row.row == "B19":
            given = ""  # its own place is asked for oddly here
        yield replace(attempt, path=f"{attempt.path}?{given}&{query}" if given else f"{attempt.path}?{query}")


def _multipart(operation: Operation, world: World, row: Row) -> Iterator[Attempt]:
    if operation.method != "POST" or _media(operation) != "multipart/form-data":
        return
    for one in row.drawn(operation.key):
        kind = made(one.kind["make"]) if isinstance(one.kind, dict) else one.kind or BOUNDARY
        yield _plain(operation, world, row, one.name, raw=bytes_of(one.sent) or b"", kind=kind)


def _posted(operation: Operation, world: World, row: Row) -> Iterator[Attempt]:
    if _takes_form(operation):
        for one in row.drawn(operation.key):
            yield _plain(operation, world, row, one.name, raw=bytes_of(one.sent) or b"", kind=FORM)


def _any(operation: Operation, world: World, row: Row) -> Iterator[Attempt]:
    for one in row.drawn(operation.key):
        attempt = _plain(operation, world, row, one.name)
        yield replace(attempt, headers=attempt.headers | {row.header: _text(one.sent)})


def _keyed(operation: Operation, world: World, row: Row) -> Iterator[Attempt]:
    declared = operation.declared
    if operation.method == "POST" and declared is not None and declared.keyed and not declared.public:
        yield from _with_header(operation, world, row)


def _version(operation: Operation, world: World, row: Row) -> Iterator[Attempt]:
    if operation.declared is None or not operation.declared.may_decide:
        return
    for attempt in _with_header(operation, world, row):
        if row.answer == [412]:  # who may not, or where the state is against it, hears that first
            yield replace(attempt, answer=(412, 403, 404, 409, 422), may_do=True)
        else:
            yield attempt


def _with_header(operation: Operation, world: World, row: Row) -> Iterator[Attempt]:
    for one in row.drawn(operation.key):
        attempt = _whole(operation, world, _plain(operation, world, row, one.name))
        rest = {name: value for name, value in attempt.headers.items() if name != row.header}
        value = bytes_of(one.sent)
        said = {} if value is None else {row.header: value.decode("utf-8").encode("utf-8").decode("latin-1")}
        yield replace(attempt, headers=rest | said)


# parts of an address that stand for an act or a part of a page, and each of them is an operation; a link's own
_WORDS = (":name", ":tab", ":uid", ":token")


def _id(operation: Operation, world: World, row: Row) -> Iterator[Attempt]:
    parts = operation.route.removesuffix("^").split("/")
    places = [n for n, part in enumerate(parts) if part.startswith("<") and not part.strip("<>").endswith(_WORDS)]
    for place in places:
        for one in row.drawn(f"{operation.key} {place}"):
            path = asking.path_of(operation, world, absent=False).split("/")
            path[place + 1] = _text(one.sent)
            attempt = _whole(operation, world, _plain(operation, world, row, one.name))
            tail = attempt.path.partition("?")
            yield replace(attempt, path="/".join(path) + tail[1] + tail[2])


def _upload(operation: Operation, world: World, row: Row) -> Iterator[Attempt]:
    if operation.method == "POST" and _media(operation) == "multipart/form-data":
        for one in row.drawn(operation.key):
            yield _plain(operation, world, row, str(one.kind), raw=bytes_of(one.sent) or b"", kind=one.kind)


def _command(operation: Operation, world: World, row: Row) -> Iterator[Attempt]:
    form = None if operation.api else bodies.form_of(operation)
    if operation.method != "POST" or form is None or "command_id" not in form.base_fields:
        return
    for one in row.drawn(operation.key):
        fields = {name: value for name, value in _body(operation, world).items() if name != "command_id"}
        if one.sent is not None:
            fields["command_id"] = _text(one.sent)
        yield _plain(operation, world, row, one.name, fields=fields)


def _form_version(operation: Operation, world: World, row: Row) -> Iterator[Attempt]:
    form = None if operation.api else bodies.form_of(operation)
    if operation.method == "POST" and form is not None and "if_version" in form.base_fields:
        for one in row.drawn(operation.key):
            fields = _body(operation, world) | {"if_version": value_of(one.sent)}
            yield _plain(operation, world, row, one.name, fields=fields, may_do=True)


def _form(operation: Operation, world: World, row: Row) -> Iterator[Attempt]:
    form = None if operation.api else bodies.form_of(operation)
    if operation.method != "POST" or form is None:
        return
    texts = {name: made("bad_utf8") for name, kind in _form_fields(form).items() if kind == "text"}
    if texts:
        fields = {name: value for name, value in _body(operation, world).items() if isinstance(value, str | int)}
        yield _plain(operation, world, row, "every text", raw=urlencode(fields | texts).encode(), kind=FORM)


# --- what is put into one field


def kind_of(name: str, given: Any) -> str:
    """Return of what kind a field is, of a shape or of a form."""
    for wanted, found in _KINDS.items():
        if isinstance(given, wanted):
            return found
    if name == "password":  # is compared and never shown: it may hold what no text may
        return "other"
    if name in ("latitude", "longitude", "area") and not isinstance(given, serializers.CharField):
        return name  # an area may be the code of a division, too
    if isinstance(given, serializers.IntegerField) or type(given) is forms.IntegerField:
        return "number"
    return "text" if type(given) is forms.CharField or isinstance(given, serializers.CharField) else "other"


_KINDS: dict[Any, str] = {
    (serializers.ChoiceField, forms.ChoiceField): "choice",
    (serializers.DateTimeField, forms.DateTimeField): "time",
    (serializers.FileField, forms.FileField): "file",
    (AreaField,): "area",
}


def _form_fields(form: type[forms.Form]) -> dict[str, str]:
    return {name: kind_of(name, one) for name, one in form.base_fields.items() if name != "command_id"}


def fields_of(operation: Operation) -> dict[str, str]:
    """Return {field: kind} of what an operation takes."""
    if operation.method == "GET":
        return {}
    if operation.declared is not None:
        shape = operation.declared.body
        return {name: kind_of(name, one) for name, one in shape().fields.items()} if shape is not None else {}
    form = bodies.form_of(operation)
    return _form_fields(form) if form is not None else {}


def _field(operation: Operation, world: World, row: Row) -> Iterator[Attempt]:
    for name, kind in fields_of(operation).items():
        if row.place != "field" and row.place != kind:
            continue
        if row.place == "file":
            yield from _file(operation, world, row, name)
            continue
        if row.place == "field" and kind == "file":
            continue
        for one in row.drawn(f"{operation.key} {name}"):
            attempt = _plain(operation, world, row, f"{name}: {one.name}", at_field=name, may_do=True)
            value = value_of(one.sent)
            if operation.declared is not None and _writes_json(operation):
                body = _body(operation, world) | {name: value}
                yield replace(attempt, raw=json.dumps(body).encode())
            elif _media(operation) == FORM:
                body = _as_form(_body(operation, world) | {name: value})
                yield replace(attempt, raw=urlencode(body, doseq=True).encode(), kind=FORM)
            else:
                yield replace(attempt, fields=_as_form(_body(operation, world) | {name: value}))


def _as_form(fields: dict[str, Any]) -> dict[str, Any]:
    """A form has text only: what is no text is written as JSON has it, what is nothing is left empty."""
    return {
        name: json.dumps(value) if isinstance(value, dict | bool) or (isinstance(value, list) and _deep(value))
        else "" if value is None else value
        for name, value in fields.items()
    }  # fmt: skip


def _deep(value: list[Any]) -> bool:
    return not all(isinstance(one, str) or hasattr(one, "chunks") for one in value)


def _file(operation: Operation, world: World, row: Row, name: str) -> Iterator[Attempt]:
    form = None if operation.api else bodies.form_of(operation)
    many = form is not None and isinstance(form.base_fields[name], ManyFiles)
    for one in row.drawn(f"{operation.key} {name}"):
        file = value_of(one.sent)
        fields = _body(operation, world) | {name: [file] if many else file}
        yield _plain(operation, world, row, f"{name}: {one.name}", fields=fields, at_field=name, may_do=True)


PLACES: dict[str, Place] = {
    "json": _json, "query": _query, "page query": _page_query, "multipart": _multipart, "posted": _posted, "any": _any,
    "keyed": _keyed, "version": _version, "id": _id, "upload": _upload, "command": _command, "form": _form,
    "form version": _form_version,
    **dict.fromkeys(("field", "number", "time", "text", "latitude", "longitude", "area", "choice", "file"), _field),
}  # fmt: skip
"""By the word in the table; the others (repeated, twice, socket, origin) have a test of their own."""
