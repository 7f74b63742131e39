"""How are the reasons why somebody sees an object said to people?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts import queries as accounts
from accounts.models import Department, Post

KINDS = {
    "incidents.incident": _("Incident"), "incidents.report": _("Report"), "incidents.scalechange": _("Change of level"),
    "incidents.participation": _("Part in an incident"), "incidents.objective": _("Objective"),
    "incidents.incidentlink": _("Link of incidents"), "incidents.logentry": _("Entry of an incident's log"),
    "incidents.attachment": _("File"), "instructions.instruction": _("Instruction"),
    "instructions.instructionversion": _("Version of an instruction"), "instructions.approval": _("Approval"),
    "instructions.assignment": _("Assignment"), "instructions.transition": _("Move of an instruction"),
    "instructions.acknowledgement": _("Acknowledgement"), "instructions.feedback": _("Feedback"),
    "instructions.evaluation": _("Evaluation"), "instructions.ask": _("Request in an assignment"),
    "instructions.urge": _("Urging"), "catalogue.dataset": _("Dataset"), "catalogue.record": _("Record of a dataset"),
}  # fmt: skip
SOURCES = {
    "owner": _("its own part"), "participation": _("takes part"), "above": _("stands above one that takes part"),
    "command": _("commands here"), "shared": _("shared by hand"), "plan": _("by a plan"),
    "unconditional": _("shared without conditions"), "agreement": _("by agreement"),
    "break_glass": _("opened in an emergency"), "federation": _("by another region"),
}  # fmt: skip
ROLES = {
    "lead": _("Lead"), "support": _("Support"), "informed": _("Informed"), "reporter": _("Reporter"),
    "took_part": _("Took part"),
}  # fmt: skip
STATES = {
    "in_force": _("in force"), "not_yet": _("not yet in force"), "lapsed": _("has run out"), "revoked": _("taken back"),
    "retired": _("its holder is no more"),
}  # fmt: skip
SHOWN = {
    "full": _("whole"), "absent": _("not shown"), "null": _("left out"), "constant": _("a constant"),
    "partial": _("in part"), "generalise": _("coarsened"), "bucket": _("in steps"), "pseudonym": _("pseudonym"),
}  # fmt: skip
ABSENT = {
    "unnamed": _("no grant names it"), "above_class": _("above the class of the grant"),
    "not_opened": _("no grant opens the record"),
}  # fmt: skip
POSTS = dict(Post.Kind.choices)


def said(row: dict[str, Any]) -> dict[str, Any]:
    """The answer with words beside its codes; one query for the departments that it names."""
    names = accounts.departments_by_id(_departments(row))
    kind, _colon, number = row["object"].partition(":")
    return row | {
        "kind_name": KINDS.get(kind, kind),
        "number": number,
        "of_data": kind == "catalogue.dataset",
        "who_name": _who(row["who"], row["department_id"], names),
        "steps": [one | {"facts": _facts(one["facts"], names)} for one in row["steps"]],
        "grants": [_grant(one, names) for one in row["grants"]],
        "fields": [
            one | {"shown_name": SHOWN[one["shown"]], "why_name": ABSENT.get(one["why"], "")} for one in row["fields"]
        ],
    }


def _departments(row: dict[str, Any]) -> set[int]:
    wanted = {row["department_id"]} | {_holder_department(one["holder"]) for one in row["grants"]}
    wanted |= {_because(one["because"]) for one in row["grants"]}
    return {pk for pk in wanted if pk is not None}


def _holder_department(holder: str) -> int | None:
    kind, _colon, key = holder.partition(":")
    return int(key.partition("/")[0]) if kind in ("department", "subtree", "post") else None


def _because(key: str) -> int | None:
    kind, _colon, pk = key.partition(":")
    return int(pk) if kind == "department" and pk.isdigit() else None


def _facts(facts: dict[str, Any], names: dict[int, Department]) -> dict[str, Any]:
    found = dict(facts)
    if "posts" in facts:
        found |= {"posts": _posts(facts["posts"]), "wanted": _posts(facts["wanted"])}
        found["department"] = names.get(facts["department"])
    if facts.get("object"):
        kind, _colon, number = facts["object"].partition(":")
        found |= {"kind_name": KINDS.get(kind, kind), "number": number}
    return found


def _posts(codes: Iterable[str]) -> list[Any]:
    return [POSTS.get(code, code) for code in codes]


def _grant(one: dict[str, Any], names: dict[int, Department]) -> dict[str, Any]:
    kind, _colon, key = one["holder"].partition(":")
    department = names.get(_holder_department(one["holder"]) or 0)
    return one | {
        "holder_kind": kind,
        "holder_department": department,
        "holder_post": POSTS.get(key.partition("/")[2], "") if kind == "post" else "",
        "source_name": SOURCES.get(one["source"], one["source"]),
        "role_name": ROLES.get(one["role"], ""),
        "state_name": STATES[one["state"]],
        "because_of": names.get(_because(one["because"]) or 0),
    }


def _who(text: str, department_id: int | None, names: dict[int, Department]) -> str:
    kind, _colon, key = text.partition(":")
    number = int(key.partition("@")[0].partition("/")[0])
    place = names[department_id].short if department_id in names else ""
    if kind == "person":
        person = accounts.person(number)
        name = person.name if person is not None else text
    elif kind == "post":
        name = str(POSTS.get(key.partition("/")[2], key))
    else:
        name = f"{_('Wall') if kind == 'display' else _('System')} {number}"
    return f"{name} · {place}" if place else name
