"""Which lines of the log may this actor read, and who and what are they about?

An auditor reads of the department acted for and of those below it; of a root, everything, the platform's own acts too.
A head or data steward reads of their own department. Looking at others' reads is a read itself, noted once a page.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import queries as accounts
from coordination.events import reads
from coordination.events.actor import Actor
from coordination.events.searching import Asked, Cursor, Line, search
from coordination.screens import audit_words
from sharing import access
from sharing.catalogue import queries as catalogue

AUDITOR = "auditor"
KEY = "access-log"


def within(actor: Actor, now: datetime) -> list[int] | None:
    """Departments whose acts the actor may read; None: everybody's. Raises where the log is not theirs to read."""
    access.require(actor, "access_log", at=now)
    own = actor.department_id
    if own is None:
        return []
    if AUDITOR not in actor.posts:
        return [own]
    if accounts.department(own).parent_id is None:
        return None
    return sorted(accounts.subtree_ids(own))


def page(
    *, actor: Actor, now: datetime, asked: Asked, after: Cursor | None, size: int, operation: str,
    everywhere: bool = False,
) -> tuple[list[dict[str, Any]], Cursor | None]:  # fmt: skip
    """A page of lines as they are shown; the reads of others in it are noted under ``operation``.

    ``everywhere``: of all departments, since ``asked`` itself names grants that are the actor's own department's.
    """
    scope = within(actor, now)
    lines, following = search(asked, None if everywhere else scope, after, size)
    others = [line.id for line in lines if line.source == "read" and line.actor != actor.key]
    reads.note(actor, operation, KEY, others)
    return _shown(actor, now, lines), following


def own_grants(actor: Actor, now: datetime) -> tuple[int, ...]:
    """Grants by which others may read what the actor's department keeps, the newest first."""
    access.require(actor, "access_log", at=now)
    if actor.department_id is None:
        return ()
    return tuple(access.grants_on_datasets(catalogue.kept_by(actor.department_id)))


def _shown(actor: Actor, now: datetime, lines: Sequence[Line]) -> list[dict[str, Any]]:
    names = _names(lines)
    places = accounts.departments_by_id(line.department_id for line in lines if line.department_id is not None)
    seen = _incidents(actor, now, lines)
    return [
        {
            "source": line.source, "id": line.id, "at": line.at, "act": line.act, "what": audit_words.act(line.act),
            "actor": line.actor, "who": names.get(line.actor, line.actor), "department_id": line.department_id,
            "department": places[line.department_id].short if line.department_id in places else "",
            "post": line.post, "object_type": line.object_type, "ids": line.ids, "count": line.count,
            "thing": audit_words.thing(line.object_type, line.ids, line.count), "href": _href(line, seen),
            "grants": line.grants, "purpose": line.purpose, "request_id": line.request_id,
        }
        for line in lines
    ]  # fmt: skip


def _names(lines: Sequence[Line]) -> dict[str, str]:
    by_kind: dict[str, set[int]] = {"person": set(), "client": set(), "display": set()}
    for line in lines:
        kind, _colon, pk = line.actor.partition(":")
        if kind in by_kind and pk.isdigit():
            by_kind[kind].add(int(pk))
    names = {f"person:{pk}": row.name for pk, row in accounts.people_by_id(by_kind["person"]).items()}
    names |= {f"client:{pk}": name for pk, name in accounts.client_names(by_kind["client"]).items()}
    names |= {f"display:{pk}": _("Wall {number}").format(number=pk) for pk in by_kind["display"]}
    return names | {"system": "Muster", "anonymous": _("Nobody signed in")}


def _incidents(actor: Actor, now: datetime, lines: Sequence[Line]) -> set[int]:
    wanted = {line.ids[0] for line in lines if line.object_type == "incidents.incident" and line.ids}
    if not wanted or not access.may(actor, "view", at=now):
        return set()
    return wanted & set(access.visible_incident_ids(actor, at=now))


def _href(line: Line, incidents: set[int]) -> str:
    if len(line.ids) != 1:
        return ""
    (pk,) = line.ids
    if line.object_type == "accounts.department":
        return reverse("department", args=[pk])
    return reverse("room", args=[pk]) if line.object_type == "incidents.incident" and pk in incidents else ""
