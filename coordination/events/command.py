"""How is one action carried out exactly once, and recorded with what it did?

``@action`` gives every write the same frame: one transaction, a command id that has its effect once, and the
recorded events flushed as the last statements before COMMIT. An action called by another joins its unit.
"""

from __future__ import annotations

import contextvars
import functools
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from django.apps import apps
from django.core.files import File
from django.db import connection, models, transaction
from django.utils.translation import gettext_lazy as _

from coordination.events import log, room
from coordination.events.actor import Actor
from coordination.events.models import Command, Event
from coordination.events.refused import KeyReused, NotFound
from coordination.events.tracing import request_id as request_id

P = ParamSpec("P")
R = TypeVar("R")


@dataclass
class Unit:
    """What one outermost action has collected so far."""

    actor: Actor
    now: datetime
    command_id: UUID | None
    recorded: list[tuple[Event, tuple[str, ...]]] = field(default_factory=list)


_unit: contextvars.ContextVar[Unit | None] = contextvars.ContextVar("unit", default=None)


def action(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a keyword-only function ``f(*, actor, now, ...)`` an action called ``name``.

    The caller may add ``command_id`` (UUID). A command id this actor has used before returns the earlier result
    (the object as it is now; None where the action returned no single object) when name and arguments are the
    same, else raises `KeyReused` (422 key_reused). Called inside another action it joins that one's unit; if it
    then raises and the caller goes on, neither its rows nor its events remain.
    """

    def wrap(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            if args:
                raise TypeError(f"{name}: actions take keyword arguments only")
            command_id = kwargs.pop("command_id", None)
            outer = _unit.get()
            if outer is not None:
                return _nested(outer, function, kwargs)
            return _outermost(name, function, command_id, kwargs)  # type: ignore[arg-type]

        return run

    return wrap


@contextmanager
def unit(actor: Actor, now: datetime, command_id: UUID | None = None) -> Iterator[Unit]:
    """One transaction of many actions and records whose events are flushed together, just before COMMIT.

    For what acts by itself (relay, deadlines, imports): their actions join it, so that each stream's counter is
    taken once, in order, however many they are. Joins a unit that is open already.
    """
    outer = _unit.get()
    if outer is not None:
        yield outer
        return
    opened = Unit(actor, now, command_id)
    with transaction.atomic():
        # The variable is reset before COMMIT: what runs on commit starts units of its own.
        token = _unit.set(opened)
        try:
            yield opened
            log.flush(opened.recorded)
        finally:
            _unit.reset(token)


def _nested(outer: Unit, function: Callable[..., R], kwargs: Mapping[str, Any]) -> R:
    """Run inside a savepoint: a caller that catches the refusal keeps nothing of it, rows or events."""
    before = len(outer.recorded)
    try:
        with transaction.atomic():
            return function(**kwargs)
    except BaseException:
        del outer.recorded[before:]
        raise


def _outermost(
    name: str,
    function: Callable[..., R],
    command_id: UUID | None,
    kwargs: dict[str, Any],
) -> R:
    actor, now = kwargs["actor"], kwargs["now"]
    if actor.kind == "client":
        room.for_machines()
    with unit(actor, now, command_id):
        if command_id is None:
            return function(**kwargs)
        command, earlier = _claim(name, command_id, actor, now, kwargs)
        if earlier:
            return _result_of(command)  # type: ignore[no-any-return]
        result = function(**kwargs)
        _keep_result(command, result)
        return result


def current_id() -> UUID | None:
    """The command id of the running action, if the caller gave one."""
    unit = _unit.get()
    return unit.command_id if unit is not None else None


def record(
    *,
    type: str,
    subject: models.Model,
    streams: Sequence[str],
    payload: dict[str, Any] | None = None,
    tell: Sequence[dict[str, Any]] = (),
    urgency: str = "routine",
    incident_id: int | None = None,
    exercise: bool = False,
) -> Event:
    """Note that something happened; it is written just before COMMIT. The first stream is the event's home.

    ``subject`` must be saved already; its ``version`` (1 where it has none) goes with the event, and so does its
    ``classification`` as the payload's ``class``, so that nobody has to remember what must not be told on. Only inside
    an action. Returns the unsaved `Event` (its id is set at the flush).
    """
    current = _unit.get()
    if current is None:
        raise RuntimeError(f"record({type}) outside an action")
    if subject.pk is None or not streams:
        raise ValueError(f"record({type}): the subject must be saved, and at least one stream named")
    event = Event(
        type=type,
        at=current.now,
        actor_kind=current.actor.kind,
        actor_id=current.actor.id,
        actor_department=current.actor.department_id,
        actor_post=current.actor.post,
        object_type=subject._meta.label_lower,
        object_id=subject.pk,
        version=getattr(subject, "version", 1),
        incident_id=incident_id,
        payload={**_class_of(subject), **(payload or {})},
        tell=list(tell),
        urgency=urgency,
        exercise=exercise,
        command_id=current.command_id,
        request_id=request_id.get(),
    )
    current.recorded.append((event, tuple(dict.fromkeys(streams))))
    return event


def _class_of(subject: models.Model) -> dict[str, Any]:
    classification = getattr(subject, "classification", None)
    return {} if classification is None else {"class": classification}


def _fingerprint(name: str, actor: Actor, kwargs: Mapping[str, Any]) -> str:
    body = {key: value for key, value in kwargs.items() if key not in ("actor", "now")}
    text = json.dumps([name, actor.department_id, _plain(body)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    """A value of an action's argument as JSON that is equal for equal values, in any process."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, set | frozenset):
        return sorted(json.dumps(_plain(inner), sort_keys=True) for inner in value)
    if isinstance(value, models.Model):
        return [value._meta.label_lower, str(value.pk)]
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, File):
        return [value.name, value.size, _digest(value)]
    if not {"__str__", "__repr__"} & _defined(type(value)):
        raise TypeError(f"{type(value).__name__} cannot be an argument of an action that has a command id")
    return str(value)


def _defined(kind: type) -> set[str]:
    """What a class and its bases say themselves, `object` apart."""
    return {name for base in kind.__mro__[:-1] for name in vars(base)}


def _digest(file: File[Any]) -> str:
    """The content counts, not the name: another photo under the same name is another request."""
    file.seek(0)
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()


_CLAIM = """
INSERT INTO events_command
  (actor_key, key, name, request_hash, at, result_type, reply_body, reply_headers)
VALUES (%s, %s, %s, %s, %s, '', '', '{}')
ON CONFLICT (actor_key, key) DO NOTHING RETURNING id
"""


def _claim(name: str, command_id: UUID, actor: Actor, now: datetime, kwargs: Mapping[str, Any]) -> tuple[Command, bool]:
    """Take the command id, or wait for whoever holds it and return theirs.

    One statement: it waits for an unfinished holder; once that has committed, the next statement sees its row
    (READ COMMITTED), and once it has rolled back, the id is ours.
    """
    fingerprint = _fingerprint(name, actor, kwargs)
    taken = Command(actor_key=actor.key, key=command_id, name=name, request_hash=fingerprint, at=now)
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [taken.actor_key, str(command_id), name, fingerprint, now])
        row = cursor.fetchone()
    if row is not None:
        taken.pk = row[0]
        return taken, False
    earlier = Command.objects.get(actor_key=actor.key, key=command_id)
    if earlier.request_hash != fingerprint:
        raise KeyReused(_("This command id was used for another request; send a new one."))
    return earlier, True


def _keep_result(command: Command, result: Any) -> None:
    if isinstance(result, models.Model):
        Command.objects.filter(pk=command.pk).update(result_type=result._meta.label_lower, result_id=result.pk)


def _result_of(command: Command) -> Any:
    if not command.result_type:
        return None
    found = apps.get_model(command.result_type)._base_manager.filter(pk=command.result_id).first()
    if found is None:
        raise NotFound(_("What this command made is no longer there."))
    return found
