"""How is one action carried out exactly once, and recorded with what it did?

``@action`` gives every write the same frame: one transaction, a command id that has its effect once, and the
recorded events flushed as the last statements before COMMIT. An action called by another joins its unit.
"""

from __future__ import annotations

import contextvars
import functools
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

import orjson
from django.apps import apps
from django.db import IntegrityError, models, transaction

from coordination.events import log
from coordination.events.actor import Actor
from coordination.events.models import Command, Event
from coordination.events.refused import KeyReused

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
request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="")


def action(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a keyword-only function ``f(*, actor, now, ...)`` an action called ``name``.

    The caller may add ``command_id`` (UUID). A command id this actor has used before returns the earlier result
    when name and arguments are the same, else raises `KeyReused` (422 key_reused).
    """

    def wrap(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            if args:
                raise TypeError(f"{name}: actions take keyword arguments only")
            command_id = kwargs.pop("command_id", None)
            if _unit.get() is not None:
                return function(**kwargs)  # type: ignore[call-arg]
            return _outermost(name, function, command_id, kwargs)

        return run

    return wrap


def _outermost(name: str, function: Callable[..., R], command_id: Any, kwargs: dict[str, Any]) -> R:
    actor, now = kwargs["actor"], kwargs["now"]
    unit = Unit(actor, now, command_id)
    token = _unit.set(unit)
    try:
        with transaction.atomic():
            command = None
            if command_id is not None:
                command, earlier = _claim(name, command_id, actor, now, kwargs)
                if earlier:
                    return _result_of(command)  # type: ignore[return-value]
            result = function(**kwargs)
            if command is not None:
                _keep_result(command, result)
            log.flush(unit.recorded)
    finally:
        _unit.reset(token)
    return result


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

    ``subject`` must be saved already; its ``version`` (1 where it has none) goes with the event. Only inside an
    action. Returns the unsaved `Event` (its id is set at the flush).
    """
    unit = _unit.get()
    if unit is None:
        raise RuntimeError(f"record({type}) outside an action")
    event = Event(
        type=type,
        at=unit.now,
        actor_kind=unit.actor.kind,
        actor_id=unit.actor.id,
        actor_department=unit.actor.department_id,
        actor_post=unit.actor.post,
        object_type=subject._meta.label_lower,
        object_id=subject.pk,
        version=getattr(subject, "version", 1),
        incident_id=incident_id,
        payload=payload or {},
        tell=list(tell),
        urgency=urgency,
        exercise=exercise,
        command_id=unit.command_id,
        request_id=request_id.get(),
    )
    unit.recorded.append((event, tuple(dict.fromkeys(streams))))
    return event


def _fingerprint(name: str, kwargs: dict[str, Any]) -> str:
    def plain(value: Any) -> Any:
        if isinstance(value, models.Model):
            return [value._meta.label_lower, value.pk]
        if isinstance(value, set | frozenset):
            return sorted(map(str, value))
        if hasattr(value, "chunks") and hasattr(value, "name"):
            return [value.name, value.size]
        return str(value)

    body = {k: v for k, v in kwargs.items() if k not in ("actor", "now")}
    text = orjson.dumps([name, body], default=plain, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    return hashlib.sha256(text).hexdigest()


def _claim(
    name: str, command_id: UUID, actor: Actor, now: datetime, kwargs: dict[str, Any]
) -> tuple[Command, bool]:
    """Take the command id, or wait for whoever holds it and return theirs."""
    fingerprint = _fingerprint(name, kwargs)
    try:
        with transaction.atomic():
            return Command.objects.create(
                actor_key=actor.key, key=command_id, name=name, request_hash=fingerprint, at=now
            ), False
    except IntegrityError:
        earlier = Command.objects.get(actor_key=actor.key, key=command_id)
    if earlier.request_hash != fingerprint:
        raise KeyReused("This command id was used for another request; send a new one.")
    return earlier, True


def _keep_result(command: Command, result: Any) -> None:
    if isinstance(result, models.Model):
        command.result_type, command.result_id = result._meta.label_lower, result.pk
        command.save(update_fields=["result_type", "result_id"])


def _result_of(command: Command) -> Any:
    if not command.result_type:
        return None
    return apps.get_model(command.result_type)._base_manager.get(pk=command.result_id)
