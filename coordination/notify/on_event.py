"""Whom does an event concern, and how do they hear of it?

Events name posts; who holds them is asked at this moment: the people on duty, not those who were.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from accounts import queries as accounts
from coordination.events import clock
from coordination.events.actor import SYSTEM
from coordination.events.models import Event
from coordination.notify import texts, wiring
from coordination.notify.actions import Message, tell_many
from coordination.notify.models import WebhookEndpoint

#: what a department's system may receive for its people; silent for so long (seconds), they are called themselves
OWED_RECEIPT = frozenset(
    {"instruction.issue", "instruction.issue_first", "instruction.assign", "instruction.amend", "assignment.issue"}
)
CLIENT_SILENT = 60.0
#: above this class a message says that there is something to read, and nothing of it
MOST_CLASS = 2
#: what a text may take from an event's own payload
PAYLOAD_ARGS = ("number", "headline_zh", "headline_en", "kind", "due", "step", "path")


def handle(events: list[Event]) -> None:
    """Write outbox rows for everybody the events tell; called by the relay, in its transaction."""
    wanted = [(event, entry) for event in events for entry in event.tell]
    if not wanted:
        return
    now = clock.now()
    people = _people([entry for _, entry in wanted], now)
    endpoints = _endpoints({entry["department"] for _, entry in wanted if entry.get("department") is not None})
    facts = _facts([_object(event, entry) for event, entry in wanted])
    messages = []
    for event, entry in wanted:
        reached = people[_who(entry)]
        systems = _listening(endpoints.get(entry.get("department") or 0, []), event.type)
        if reached or systems:
            messages.append(_message(event, entry, reached, systems, facts, now))
        else:
            _nobody(event, entry, now)
    tell_many(actor=SYSTEM, now=now, messages=messages)


Who = tuple[str, int, str]


def _who(entry: Mapping[str, Any]) -> Who:
    if entry.get("person") is not None:
        return ("person", int(entry["person"]), "")
    return ("post", int(entry["department"]), str(entry.get("post") or "duty_officer"))


def _people(entries: Iterable[Mapping[str, Any]], now: datetime) -> dict[Who, list[int]]:
    """Ids of the people behind each entry; queries by number of posts, not of entries."""
    found: dict[Who, list[int]] = {}
    by_post: dict[str, set[int]] = defaultdict(set)
    for who in map(_who, entries):
        if who[0] == "person":
            found[who] = [who[1]]
        else:
            by_post[who[2]].add(who[1])
    for post, departments in by_post.items():
        for pk, reachable in _holders(post, departments, now).items():
            found["post", pk, post] = [one.person_id for one in reachable]
    return found


def _holders(post: str, departments: set[int], now: datetime) -> dict[int, list[accounts.Reachable]]:
    """The people of a post; where nobody is on duty the heads hear of it instead."""
    if post == "duty_officer":
        found = accounts.on_duty_many(departments, now)
    else:
        found = accounts.holders_many(departments, post, now)
    empty = [pk for pk in departments if not found.get(pk)]
    if empty and post != "head":
        found = {**found, **accounts.heads_many(empty, now)}
    return found


def _endpoints(departments: set[int]) -> dict[int, list[WebhookEndpoint]]:
    found: dict[int, list[WebhookEndpoint]] = defaultdict(list)
    for endpoint in WebhookEndpoint.objects.filter(department_id__in=departments, is_active=True).order_by("pk"):
        found[endpoint.department_id].append(endpoint)
    return found


def _listening(endpoints: Sequence[WebhookEndpoint], event_type: str) -> list[WebhookEndpoint]:
    return [one for one in endpoints if not one.event_types or event_type in one.event_types]


def _object(event: Event, entry: Mapping[str, Any]) -> tuple[str, int]:
    named = entry.get("object")
    return (str(named[0]), int(named[1])) if named else (event.object_type, event.object_id)


def _facts(objects: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Mapping[str, Any]]:
    """What may be said of the subjects, asked once per type."""
    by_type: dict[str, set[int]] = defaultdict(set)
    for object_type, pk in objects:
        by_type[object_type].add(pk)
    found: dict[tuple[str, int], Mapping[str, Any]] = {}
    for object_type, ids in by_type.items():
        ask = wiring.facts.get(object_type)
        if ask is not None:
            found.update({(object_type, pk): said for pk, said in ask(sorted(ids)).items()})
    return found


def _message(
    event: Event,
    entry: Mapping[str, Any],
    people: Sequence[int],
    systems: Sequence[WebhookEndpoint],
    facts: Mapping[tuple[str, int], Mapping[str, Any]],
    now: datetime,
) -> Message:
    object_type, object_id = _object(event, entry)
    bare = Message(
        person_ids=tuple(people),
        department_id=entry.get("department"),
        text_key=texts.WITHHELD,
        args={},
        object_type=object_type,
        object_id=object_id,
        incident_id=event.incident_id,
        urgency=event.urgency,
        key=f"{object_type}:{object_id}:{event.type}:{event.pk}:0",
        guard=dict(entry.get("guard", {})),
        exercise=event.exercise,
        event_id=event.pk,
        endpoint_ids=tuple(one.pk for one in systems),
    )
    if event.payload.get("class", 1) > MOST_CLASS:
        return bare  # what it is stands on screen alone, for those who may see it there
    said = dict(facts.get((object_type, object_id), {}))
    code, hearer = said.pop("voice_code", None), said.pop("voice_department", None)
    if hearer != entry.get("department"):
        code = None  # it proves that the text arrived there, so nobody else gets it
    payload = {key: event.payload[key] for key in PAYLOAD_ARGS if key in event.payload}
    if event.type == "alarm.raised":
        payload["alarm"] = payload.pop("kind", "")
    awaited = event.type in OWED_RECEIPT and any(one.parked_at is None for one in systems)
    return replace(
        bare,
        text_key=str(entry.get("text") or event.type),
        args={**payload, **said, **entry.get("args", {})},
        outside_after=CLIENT_SILENT if awaited else 0.0,
        outside_guard={"client_silent": True, "version": event.version} if awaited else {},
        outside_args={"voice_code": code} if code else {},
    )


def _nobody(event: Event, entry: Mapping[str, Any], now: datetime) -> None:
    if event.type == "alarm.raised":
        return  # an alarm about nobody being there must not raise the next one
    object_type, object_id = _object(event, entry)
    for call in wiring.unreached:
        call(object_type, object_id, {"department": entry.get("department"), "event": event.type}, now)
