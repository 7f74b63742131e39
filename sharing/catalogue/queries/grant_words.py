"""How are holder, fields and rows of a grant said in words?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import queries as accounts
from accounts.models import Post
from coordination.events.text import localized
from sharing.access.fields import EVERY_FIELD, FULL
from sharing.catalogue.queries.entries import MASK_NAMES

STATE_NAMES = {
    "in_force": gettext_lazy("In force"), "not_yet": gettext_lazy("Not yet"), "lapsed": gettext_lazy("Lapsed"),
    "revoked": gettext_lazy("Revoked"),
}
SOURCE_NAMES = {
    "unconditional": gettext_lazy("Shared unconditionally"), "agreement": gettext_lazy("By agreement"),
    "plan": gettext_lazy("By a plan"), "rule": gettext_lazy("By a rule, in an incident"),
    "participation": gettext_lazy("By taking part in an incident"),
    "above": gettext_lazy("Stands above who takes part"), "command": gettext_lazy("Commands"),
    "shared": gettext_lazy("Shared by hand"), "break_glass": gettext_lazy("Break-glass"),
    "federation": gettext_lazy("By federation"),
}
COMPARED = {"eq": "=", "lt": "<", "lte": "≤", "gt": ">", "gte": "≥"}
Scope = tuple[str, str]


class Holders:
    """Names of holders; two queries, however many they are."""

    def __init__(self, scopes: Iterable[Scope], people: Iterable[int] = ()) -> None:
        self.scopes = set(scopes)
        ids = {pk for scope in self.scopes if (pk := department_of(scope)) is not None}
        self.departments = accounts.departments_by_id(ids)
        persons = {int(key) for kind, key in self.scopes if kind == "person" and key.isdigit()}
        self.people = accounts.people_by_id({*persons, *people})

    def said(self, scope: Scope) -> dict[str, Any]:
        """A holder: its kind, its name, and the department and post it stands for."""
        kind, key = scope[0], scope[1].partition("~")[0]  # what follows tells a retired one from the next
        department = self.departments.get(department_of(scope) or 0)
        post = key.partition("/")[2] if kind == "post" else ""
        return {
            "kind": kind, "name": self._name(kind, key, department, post), "department": _row(department), "post": post,
        }

    def _name(self, kind: str, key: str, department: Any, post: str) -> str:
        home = department.name if department is not None else "–"
        if kind == "department":
            return str(home)
        if kind == "subtree":
            return _("%(department)s and all below it") % {"department": home}
        if kind == "post":
            return _("%(post)s of %(department)s") % {"post": post_name(post), "department": home}
        if kind == "person":
            return self.person(int(key)) if key.isdigit() else "–"
        return {"every_department": _("Every department"), "public": _("The public")}.get(kind, _("A wall"))

    def person(self, pk: int) -> str:
        """Name of a person asked for at the beginning."""
        found = self.people.get(pk)
        return str(found) if found is not None else "–"


def _row(department: Any) -> dict[str, Any] | None:
    if department is None:
        return None
    return {"id": department.pk, "name": department.name, "short": department.short, "kind": department.kind}


def department_of(scope: Scope) -> int | None:
    """Id of the department that a holder stands for."""
    kind, key = scope
    number = key.partition("~")[0].partition("/")[0]
    return int(number) if kind in ("department", "subtree", "post") and number.isdigit() else None


def post_name(kind: str) -> str:
    """The word for a post."""
    return str(Post.Kind(kind).label) if kind in Post.Kind.values else kind


def titles(document: Mapping[str, Any] | None) -> dict[str, str]:
    """What the fields of a schema are called."""
    fields = document["fields"] if document else []
    return {
        one["name"]: localized(one.get("title_zh", ""), one.get("title_en", "")) or one.get("title", "") or one["name"]
        for one in fields
    }


def fields_said(rules: Mapping[str, Any], named: Mapping[str, str]) -> list[dict[str, Any]]:
    """Each field that is shown, and how: in the order of the schema, those that it no longer has at the end."""
    if EVERY_FIELD in rules:
        return [{"name": EVERY_FIELD, "title": _("All fields"), "mask": "", "mask_name": ""}]
    order = [name for name in named if name in rules] + sorted(set(rules) - set(named))
    said = []
    for name in order:
        mask = "" if rules[name] == FULL else str(rules[name]["mask"])
        title, kind = named.get(name, name), str(MASK_NAMES.get(mask, ""))
        said.append({"name": name, "title": title, "mask": mask, "mask_name": kind})
    return said


def filter_said(tree: Mapping[str, Any], named: Mapping[str, str]) -> str:
    """A row filter in words; empty where it lets every record pass."""
    return _part(tree, named, outermost=True) if tree else ""


def _part(tree: Mapping[str, Any], named: Mapping[str, str], *, outermost: bool = False) -> str:
    for joint, word in (("and", _("and")), ("or", _("or"))):
        if joint in tree:
            said = f" {word} ".join(_part(one, named) for one in tree[joint])
            return said if outermost or len(tree[joint]) == 1 else f"({said})"
    name, value = named.get(tree["field"], tree["field"]), tree["value"]
    if tree["op"] == "in":
        return _("%(field)s is one of %(values)s") % {"field": name, "values": _values(value)}
    if tree["op"] == "within":
        return _("%(field)s lies within %(box)s") % {"field": name, "box": _values(value)}
    return f"{name} {COMPARED[tree['op']]} {_value(value)}"


def _values(values: Sequence[Any]) -> str:
    return ", ".join(map(_value, values))


def _value(value: Any) -> str:
    return {True: _("yes"), False: _("no")}[value] if isinstance(value, bool) else str(value)
