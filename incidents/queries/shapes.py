"""In which shapes do rows of this room leave it?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import Any

from django.db.models import QuerySet

from accounts.models import ApiClient, Department, Person
from coordination.events.at_once import Steps, answer
from coordination.events.kept import kept
from coordination.events.text import localizer
from incidents.models import Attachment, Incident, LogEntry, Objective, Participation
from sharing.catalogue import queries as catalogue
from sharing.catalogue.models import Code

Row = dict[str, Any]


class Names:
    """Names of the departments, people and clients that one answer mentions, read at once."""

    def __init__(self, *, departments: Iterable[int | None] = (), keys: Iterable[str] = ()) -> None:
        answer(self._read(departments, keys))

    @classmethod
    def steps(cls, *, departments: Iterable[int | None] = (), keys: Iterable[str] = ()) -> Steps[Names]:
        """The names, to be asked beside other questions; one step."""
        made = cls.__new__(cls)
        yield from made._read(departments, keys)
        return made

    def _read(self, departments: Iterable[int | None], keys: Iterable[str]) -> Steps[None]:
        wanted: dict[str, set[int]] = {"person": set(), "client": set()}
        for key in keys:
            kind, _colon, pk = key.partition(":")
            if kind in wanted and pk.isdigit():
                wanted[kind].add(int(pk))
        there, people, clients = yield [
            kept(_named, Department, {pk for pk in departments if pk is not None}),
            kept(_named, Person, wanted["person"]),
            kept(_named, ApiClient, wanted["client"]),
        ]
        self._departments: dict[int, Department] = {row.pk: row for row in there}
        self._people: dict[int, Person] = {row.pk: row for row in people}
        self._clients: dict[int, ApiClient] = {row.pk: row for row in clients}

    def department(self, pk: int | None) -> Row | None:
        """A department by id, or None."""
        row = self._departments.get(pk) if pk is not None else None
        return department(row) if row is not None else None

    def person(self, key: str) -> str:
        """Name of a person or client by its key; empty for the platform itself."""
        kind, _colon, pk = key.partition(":")
        if not pk.isdigit():
            return ""
        if kind == "person":
            found: Person | None = self._people.get(int(pk))
            return found.name if found else ""
        client: ApiClient | None = self._clients.get(int(pk)) if kind == "client" else None
        return client.name if client else ""

    def by(self, key: str, department_id: int | None) -> Row:
        """Who did something: the person (or client) and for which department."""
        return {"person": self.person(key), "department": self.department(department_id), "kind": key.split(":")[0]}


def _named(model: type[Any], ids: set[int]) -> QuerySet[Any]:
    rows: QuerySet[Any] = model.objects.filter(pk__in=ids)
    return rows


def department(row: Department) -> Row:
    """A department in short."""
    return {"id": row.pk, "name": row.name, "short": row.short, "kind": row.kind}


def named(incident: Incident) -> Row:
    """An incident in a word, for links to it."""
    return {
        "id": incident.pk, "number": incident.number, "headline": incident.headline, "state": incident.state,
        "exercise": incident.exercise,
    }


_PLAIN = (
    "id", "version", "number", "type", "headline_zh", "headline_en", "state", "grade", "warning_level",
    "response_level", "place", "region_code", "latitude", "longitude", "exercise", "paused_at", "occurred_at",
    "opened_at", "closed_at",
)  # fmt: skip
_LEAD = tuple(f"lead_department__{name}" for name in ("name_zh", "name_en", "short_zh", "short_en", "kind"))
LISTED = (*_PLAIN, "merged_into_id", "lead_department_id", *_LEAD)
"""The columns that `listed_rows` needs."""
_listed = attrgetter(*(name.replace("__", ".") for name in LISTED))


def incident_row(incident: Incident, types: dict[str, Code]) -> Row:
    """An incident as `listed_rows` shows it; needs ``lead_department`` selected."""
    found = dict(zip(LISTED, _listed(incident), strict=True))
    return listed_rows([found], {incident.type: catalogue.path_name(types, incident.type)})[0]


def listed_rows(found: Iterable[Mapping[str, Any]], type_names: Mapping[str, str]) -> list[Row]:
    """Incidents as lists and maps show them, from the columns of `LISTED` and the names of their types by code."""
    say = localizer()
    return [_listed_row(one, type_names[one["type"]], say) for one in found]


def _listed_row(found: Mapping[str, Any], type_name: str, say: Callable[[str, str], str]) -> Row:
    name_zh, name_en, short_zh, short_en, kind = (found[name] for name in _LEAD)
    return {name: found[name] for name in _PLAIN} | {
        "type_name": type_name,
        "headline": say(found["headline_zh"], found["headline_en"]),
        "lead": {
            "id": found["lead_department_id"], "name": say(name_zh, name_en),
            "short": say(short_zh, short_en), "kind": kind,
        },
        "merged_into": found["merged_into_id"],
    }  # fmt: skip


def participation_row(row: Participation) -> Row:
    """A department's part; needs ``department`` selected."""
    return {
        "id": row.pk, "version": row.version, "incident": row.incident_id, "department": department(row.department),
        "role": row.role, "state": row.state, "why": row.why, "joined_at": row.joined_at, "left_at": row.left_at,
    }


def objective_row(row: Objective) -> Row:
    """One objective."""
    return {
        "id": row.pk, "version": row.version, "text": row.text, "by": row.by, "reached_at": row.reached_at,
        "dropped_at": row.dropped_at, "set_at": row.set_at,
    }


def log_row(row: LogEntry) -> Row:
    """One line of the log; needs ``department`` and ``person`` selected."""
    return {
        "id": row.pk,
        "incident": row.incident_id,
        "kind": row.kind,
        "text": row.text,
        "headline": row.headline,
        "headline_zh": row.headline_zh,
        "headline_en": row.headline_en,
        "by": {
            "department": department(row.department) if row.department is not None else None,
            "person": row.person.name if row.person is not None else "",
        },
        "corrects": row.corrects_id,
        "classification": row.classification,
        "at": row.at,
        "happened_at": row.happened_at,
    }


def attachment_row(row: Attachment, names: Names) -> Row:
    """One file; ``href`` to save it, ``picture`` to show it small where there is one."""
    return {
        "id": row.pk,
        "name": row.name,
        "content_type": row.content_type,
        "size": row.size,
        "sha256": row.sha256,
        "at": row.at,
        "by": names.by(row.uploaded_by, row.department_id),
        "incident": row.incident_id,
        "subject": [row.subject_type, row.subject_id] if row.subject_type else None,
        "href": f"/api/v1/attachments/{row.pk}/content",
        "picture": f"/api/v1/attachments/{row.pk}/picture" if row.thumbnail else None,
        "kind": "picture" if row.thumbnail else "file",
        "classification": row.classification,
    }
