"""How does the story go on by itself, without doing anything twice and without getting in a person's way?

Each step is one ordinary action of one person of the story, under a command id derived from the telling and the
step: a player killed between the action and its bookmark repeats it without a second effect, and two players
do no more than one. A step that a person has made impossible, or that belongs to a department somebody plays,
is passed over and says so.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction

from accounts import queries as accounts
from accounts.models import Department
from coordination.events.actor import SYSTEM, Actor
from coordination.events.refused import Refused
from coordination.screens.demo import words
from coordination.screens.demo.deeds import DEEDS
from coordination.screens.demo.people import actor_of
from coordination.screens.models import StoryRun
from incidents import actions as incidents

_FILE = Path(__file__).parent / "story.yaml"
_NAMESPACE = uuid.UUID("3a0e6f0a-2a52-4d0b-9d0c-0d6f3a6b4e11")
SPEEDS = (0.5, 1.0, 2.0, 4.0)


@dataclass(frozen=True)
class Script:
    """The story as data: policy set and steps in the order of their times."""

    policy_set: str
    steps: tuple[dict[str, Any], ...]


@lru_cache
def script() -> Script:
    """The steps of ``story.yaml``, sorted by time (a stable sort keeps what stands together in order)."""
    raw = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return Script(raw["policy_set"], tuple(sorted(raw["steps"], key=lambda step: step["at"])))


def current() -> StoryRun | None:
    """The latest telling, if there ever was one."""
    return StoryRun.objects.order_by("-pk").first()


def elapsed(run: StoryRun, now: datetime) -> float:
    """Seconds of the story that have passed."""
    if run.since is None:
        return run.elapsed
    return run.elapsed + (now - run.since).total_seconds() * run.speed


def begin(*, now: datetime, speed: float = 1.0) -> StoryRun:
    """Tell the story from its beginning; a telling under way is ended where it is."""
    with transaction.atomic():
        StoryRun.objects.filter(ended_at=None).update(ended_at=now, since=None)
        return StoryRun.objects.create(speed=speed, since=now, began_at=now)


def pause(*, run_id: int, now: datetime) -> StoryRun:
    """Stop the story's clock and hold its incident's deadlines."""
    with transaction.atomic():
        run = StoryRun.objects.select_for_update(no_key=True).get(pk=run_id)
        if run.since is not None:
            run.elapsed, run.since = elapsed(run, now), None
            run.save(update_fields=["elapsed", "since"])
    if "incident" in run.names:
        _ignore_refusal(incidents.pause, run, now)
    return run


def go_on(*, run_id: int, now: datetime) -> StoryRun:
    """Let a paused story run again."""
    with transaction.atomic():
        run = StoryRun.objects.select_for_update(no_key=True).get(pk=run_id)
        if run.since is None and run.ended_at is None:
            run.since = now
            run.save(update_fields=["since"])
    if "incident" in run.names:
        _ignore_refusal(incidents.resume, run, now)
    return run


def set_speed(*, run_id: int, speed: float, now: datetime) -> StoryRun:
    """Change how fast the story runs from now on; waits already made keep their length."""
    if speed not in SPEEDS:
        raise ValueError(f"speed must be one of {SPEEDS}")
    with transaction.atomic():
        run = StoryRun.objects.select_for_update(no_key=True).get(pk=run_id)
        run.elapsed, run.speed = elapsed(run, now), speed
        run.since = now if run.since is not None else None
        run.save(update_fields=["elapsed", "speed", "since"])
    if "incident" in run.names:
        incidents.set_pace(actor=SYSTEM, now=now, incident_id=run.names["incident"], pace=speed)
    return run


def play(*, run_id: int, department: str, leave: bool) -> StoryRun:
    """Leave the steps of a department (its code) to the people who signed in for it, or take them back."""
    if department not in cast():
        raise LookupError(department)
    with transaction.atomic():
        run = StoryRun.objects.select_for_update(no_key=True).get(pk=run_id)
        run.played = sorted({*run.played, department} if leave else {*run.played} - {department})
        run.save(update_fields=["played"])
    return run


@lru_cache
def cast() -> tuple[str, ...]:
    """Codes of the departments that act in the story, in the order of their first step."""
    return tuple(dict.fromkeys(step["by"].rsplit("-", 1)[0] for step in script().steps))


def shown(*, actor: Actor, now: datetime) -> dict[str, Any]:
    """What the story's page shows."""
    run = current()
    steps = script().steps
    own = accounts.department(actor.department_id).code if actor.department_id else ""
    return {
        "run": run,
        "elapsed": elapsed(run, now) if run else 0,
        "length": steps[-1]["at"],
        "running": bool(run and run.since),
        "speeds": SPEEDS,
        "told": words.told(list(reversed(run.told))[:40], steps) if run else [],
        "incident_id": run.names.get("incident") if run else None,
        "own": own if own in cast() else "",
        "played": run.played if run else [],
    }


def tell_next(*, now: datetime) -> bool:
    """Do the next step if its time has come; returns whether there was one."""
    run = current()
    if run is None or run.since is None or run.ended_at is not None:
        return False
    steps = script().steps
    if run.position >= len(steps):
        StoryRun.objects.filter(pk=run.pk, ended_at=None).update(ended_at=now, since=None, elapsed=elapsed(run, now))
        return False
    step = steps[run.position]
    if elapsed(run, now) < step["at"]:
        return False
    made, line = _do(run, step, now)
    names = {**run.names, step["as"]: made} if "as" in step and made is not None else run.names
    StoryRun.objects.filter(pk=run.pk, position=run.position).update(
        position=run.position + 1, names=names, told=[*run.told, line]
    )
    return True


def _do(run: StoryRun, step: dict[str, Any], now: datetime) -> tuple[int | None, dict[str, Any]]:
    line = {"at": step["at"], "by": step["by"], "do": step["do"], "about": step.get("about", ""), "outcome": "done"}
    if step["by"].rsplit("-", 1)[0] in run.played:
        return None, {**line, "outcome": "left to the player"}
    actor = actor_of(step["by"], now)
    command_id = uuid.uuid5(_NAMESPACE, f"{run.pk}:{run.position}")
    try:
        made = DEEDS[step["do"]](
            actor=actor,
            now=now,
            command_id=command_id,
            target=_target(run, step),
            fields=_fields(run, step, now),
            run=run,
        )
    except (Refused, LookupError, ObjectDoesNotExist) as refusal:
        return None, {**line, "outcome": f"passed over: {refusal}"}
    return made, line


def _target(run: StoryRun, step: dict[str, Any]) -> tuple[int, str]:
    """(id, department code or empty) of what the step acts on; (0, "") where it makes something new."""
    about = step.get("about", "")
    if not about:
        return 0, ""
    name, _, department = about.removeprefix("$").partition("/")
    return run.names[name], department


def _fields(run: StoryRun, step: dict[str, Any], now: datetime) -> dict[str, Any]:
    return {key: _value(run, value, now) for key, value in step.get("with", {}).items()}


def _value(run: StoryRun, value: Any, now: datetime) -> Any:
    if isinstance(value, list):
        return [_value(run, item, now) for item in value]
    if isinstance(value, dict):
        return {key: _value(run, item, now) for key, item in value.items()}
    if isinstance(value, str) and value[:1] == "$":
        return run.names[value[1:]]
    if isinstance(value, str) and value[:1] == "@":
        return Department.objects.get(code=value[1:]).pk
    return value


def _ignore_refusal(deed: Any, run: StoryRun, now: datetime) -> None:
    """An incident somebody closed or paused already needs no second word."""
    try:
        deed(actor=SYSTEM, now=now, incident_id=run.names["incident"])
    except Refused:
        return


def seconds(value: float, run: StoryRun) -> timedelta:
    """A wait of the story in real time, at the telling's speed."""
    return timedelta(seconds=value / run.speed)
