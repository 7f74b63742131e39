"""What does the page of one instruction show, whole and part by part?"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from coordination.events.at_once import Steps, together
from coordination.events.refused import NotFound
from coordination.instructions import queries
from coordination.instructions.forms.content import object_name
from coordination.instructions.views import shown
from coordination.instructions.views.choices import Choices
from coordination.instructions.views.compare import compare
from coordination.instructions.views.registry import DISCARD, Act, act_for
from coordination.live import parts
from coordination.live.queries import cursor
from sharing.access.forms import ActForm
from sharing.access.pages import page

PARTS = {
    name: f"instructions/{name}.html" for name in ("head", "content", "acts", "assignments", "timeline")
}
CODES = ("incident_type", "unit", "verb")
Bound = dict[tuple[str, int, str], dict[str, Any]]


@require_safe
@page()
def instruction(request: HttpRequest, pk: int) -> HttpResponse:
    """The whole page."""
    return show(request, pk)


@require_safe
@page()
def part(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """One part, or several, as a screen that heard of a change fetches them."""
    names = parts.names_of(name, PARTS)
    return parts.answer(request, names, PARTS, everything(request, pk, only=names))


@require_safe
@page()
def printed(request: HttpRequest, pk: int) -> HttpResponse:
    """The instruction on paper."""
    return render(request, "instructions/print.html", everything(request, pk))


@require_safe
@page()
def versions(request: HttpRequest, pk: int) -> HttpResponse:
    """Two versions side by side, changes marked."""
    context = everything(request, pk)
    rows = queries.versions(actor=request.actor, instruction_id=pk, now=request.now)
    newest = _chosen(request.GET.get("new"), rows, rows[-1])
    older = _chosen(request.GET.get("old"), rows, rows[max(0, rows.index(newest) - 1)])
    context.update(rows=rows, newer=newest, older=older, fields=compare(older, newest, Choices(request.actor)))
    return render(request, "instructions/versions.html", context)


def _chosen(asked: str | None, rows: list[Any], otherwise: Any) -> Any:
    return next((row for row in rows if str(row["n"]) == asked), otherwise)


def show(
    request: HttpRequest,
    pk: int,
    *,
    bound: Bound | None = None,
    status: int = 200,
    errors: dict[str, Any] | None = None,
) -> HttpResponse:
    """The page, with the forms that were just refused in the place of fresh ones."""
    before = queries.streams_of(actor=request.actor, instruction_id=pk, now=request.now)
    live = cursor(request.actor, before, request.now)
    context = everything(request, pk, bound=bound, heard=before)
    context.update(live=live, errors=errors, sent_draft=request.GET.get("sent", "")[:80])
    return render(request, "instructions/page.html", context, status=status)


def everything(
    request: HttpRequest,
    pk: int,
    *,
    only: Collection[str] = PARTS,
    bound: Bound | None = None,
    heard: list[str] | None = None,
) -> dict[str, Any]:
    """What the page draws on, or these parts of it; ``heard``: the streams it follows, where they are known."""
    actor, now = request.actor, request.now
    choices = Choices(actor)
    asked: dict[str, Any] = {"actor": actor, "instruction_id": pk, "now": now}
    i, transitions, ledgers, _codes = together(
        queries.instruction_steps(**asked),
        queries.transitions_steps(**asked) if {"assignments", "timeline"} & set(only) else _nothing(),
        queries.ledgers_steps(**asked) if "assignments" in only else _nothing(),
        choices.steps(CODES) if "content" in only else _nothing(),
    )
    context = {
        "i": i,
        "can": {row["action"]: row for row in i["allowed_actions"]},
        "streams": " ".join(queries.streams_of(**asked) if heard is None else heard),
        "exercise": i["incident"].get("exercise"),
        "urgency_name": shown.URGENCY_NAMES.get(i["urgency"], i["urgency"]),
        "basis_name": shown.BASIS_NAMES.get(i["basis"], i["basis"]),
        "evidence_names": [str(shown.EVIDENCE_NAMES.get(code, code)) for code in i["evidence"]],
        "who_acts": i["who_acts_on_which"] if i["current"] > 1 else [],
    }
    if "content" in only:
        i["part_of"] = part_of(request, i["parent"])
        i["unit_name"] = choices.name("unit", i["unit"])
        i["verb_name"] = choices.name("verb", i["verb"])
        i["type_name"] = choices.name("incident_type", i["type"])
        i["objects"] = [{"kind": object_name(row["kind"]), "code": row["code"]} for row in i["objects_named"]]
    if "assignments" in only or "timeline" in only:
        context["timeline"] = shown.timeline_of(transitions)
    if "assignments" in only and i["assignments"]:
        moments = shown.moments_by_part(transitions)
        for a in i["assignments"]:
            dress_assignment(a, moments.get(a["id"], {}), ledgers.get(a["id"], []), choices)
        i["total"] = len(i["assignments"])
        i["acknowledged"] = sum(1 for a in i["assignments"] if a["acknowledged_at"])
    if "assignments" in only and not i["assignments"] and not i["ended_at"]:
        context |= before_it_leaves(request, pk, i)
    if "acts" in only:
        context["groups"] = groups_of(request, i, choices, bound or {})
        context["why_nothing"] = why_nothing(i)
    return context


def _nothing() -> Steps[None]:
    yield from ()


def before_it_leaves(request: HttpRequest, pk: int, i: dict[str, Any]) -> dict[str, Any]:
    """Who is on duty where it will go, who hears when if nobody acknowledges, and what it contradicts."""
    asked = {"actor": request.actor, "instruction_id": pk, "now": request.now}
    rungs = queries.ladder_of(**asked) if i["targets"] else []
    for rung in rungs:
        rung["step_name"] = shown.STEP_NAMES.get(rung["step"], rung["step"])
    return {"recipients": queries.burden_of(**asked), "rungs": rungs, "conflicts": queries.conflicts_of(**asked)}


def part_of(request: HttpRequest, assignment_id: int | None) -> dict[str, Any] | None:
    """The instruction that this one carries out a part of, where the reader sees it."""
    if assignment_id is None:
        return None
    try:
        return queries.about(actor=request.actor, subject="assignment", pk=assignment_id, now=request.now)
    except NotFound:
        return None


def dress_assignment(a: dict[str, Any], moments: dict[str, Any], ledger: list[Any], choices: Choices) -> None:
    """Add to an assignment what only the page needs: path, bar, names, next deadline."""
    a["path"] = shown.path_of(a["state"], moments)
    a["bar"] = shown.bar_of(ledger)
    a["ball_name"] = shown.party_name(a["ball"])
    a["grade_name"] = shown.GRADE_NAMES.get(a["grade"], a["grade"])
    shown.add_next(a)
    a["handed_in"] = shown.handed_in(a) if a["state"] in ("feedback_submitted", "evaluated", "closed") else None
    for row in a["mismatch"]:
        row["name"] = shown.FIELD_NAMES.get(row["name"], row["name"])
    if a["open_ask"]:
        a["open_ask"]["kind_name"] = shown.ASK_NAMES.get(a["open_ask"]["kind"], a["open_ask"]["kind"])
    for feedback in a["feedback"]:
        for figure in feedback["figures"]:
            figure["unit_name"] = choices.name("unit", figure.get("unit", ""))
        for evaluation in feedback["evaluations"]:
            evaluation["outcome_name"] = choices.name("outcome_grade", evaluation["outcome"])
            evaluation["timeliness_name"] = choices.name("timeliness", evaluation["timeliness"])


def why_nothing(i: dict[str, Any]) -> str:
    """Why no act is offered."""
    if i["ended_at"]:
        return _("This instruction has ended. A new one can refer to it.")
    return _("Nothing is up to you here now; you see how it goes on.")


def groups_of(request: HttpRequest, i: dict[str, Any], choices: Choices, bound: Bound) -> list[dict[str, Any]]:
    """Every allowed act as a form, by what it concerns: the instruction, one's own part, the others' parts, asks."""
    own = request.actor.department_id
    groups: list[dict[str, Any]] = [{"title": "", "acts": _acts(request, "instruction", i, i, choices, bound)}]
    for a in sorted(i["assignments"], key=lambda row: row["department"]["id"] != own):
        title = _("Our part") if a["department"]["id"] == own else a["department"]["name"]
        acts = _acts(request, "assignment", a, i, choices, bound)
        if a["open_ask"]:
            acts = _acts(request, "ask", a["open_ask"], i, choices, bound) + acts
        pressing = any(act["primary"] or act["form"].is_bound for act in acts)
        folded = a["department"]["id"] != own
        groups.append({"id": a["id"], "title": title, "acts": acts, "folded": folded, "open": pressing})
    return [group for group in groups if group["acts"]]


def _acts(
    request: HttpRequest, subject: str, row: dict[str, Any], i: dict[str, Any], choices: Choices, bound: Bound
) -> list[dict[str, Any]]:
    found = []
    conflicts = None
    for allowed in row["allowed_actions"]:
        name = allowed["action"]
        act = act_for(subject, name, read_back=i["read_back"], kind=row.get("kind", ""))
        if act is None:
            continue
        if subject == "instruction" and name == "cancel" and row["state"] == "draft" and row["parent"] is None:
            act, name = DISCARD, "discard"
        if name == "approve" and conflicts is None:
            conflicts = queries.conflicts(actor=request.actor, instruction_id=i["id"], n=i["current"], now=request.now)
        kept = bound.pop((subject, row["id"], name), None)
        found.append(one_act(act, subject, row, name, i=i, choices=choices, conflicts=conflicts or (), kept=kept))
    for key in [key for key in bound if key[:2] == (subject, row["id"])]:
        refused = bound.pop(key)  # the move is not offered any more: what was typed stays to be read
        act = act_for(subject, key[2], read_back=i["read_back"], kind=row.get("kind", ""))
        if act is not None:
            found.insert(0, one_act(act, subject, row, key[2], i=i, choices=choices, kept=refused))
    return found


def one_act(
    act: Act,
    subject: str,
    row: dict[str, Any],
    name: str,
    *,
    i: dict[str, Any],
    choices: Choices,
    conflicts: Any = (),
    kept: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """What a template needs to draw one act."""
    ident = f"act-{name}-{row['id']}" if subject == "assignment" else f"act-{subject}-{name}-{row['id']}"
    shape = {
        "id": ident,
        "action": name,
        "label": act.label,
        "button": act.button,
        "tap": act.tap,
        "primary": act.primary,
        "danger": act.danger,
        "early": bool(row.get("children")) or row.get("role") == "support",
        "href": address(subject, row["id"], name),
        "handed_in": shown.handed_in(row) if name == "evaluate" and "feedback" in row else None,
        "conflicts": conflicts,
    }
    shape["form"] = fresh_form(act, subject, row, name, i=i, choices=choices, conflicts=conflicts)
    return {**shape, **kept} if kept else shape


def fresh_form(
    act: Act, subject: str, row: dict[str, Any], name: str, *, i: dict[str, Any], choices: Choices, conflicts: Any = ()
) -> ActForm:
    """An empty form for an act, with the version of what the person sees."""
    initial: dict[str, Any] = {"if_version": row["version"], "version": i["current"]}
    if name == "feedback":
        initial["percent"] = row["percent"] // 10 * 10
    if name == "grant":
        initial["until"] = row.get("wanted_until")
    return act.form(
        initial=initial, auto_id=f"{subject}-{row['id']}-{name}-%s", **form_arguments(subject, name, choices, conflicts)
    )


def form_arguments(subject: str, name: str, choices: Choices, conflicts: Any = ()) -> dict[str, Any]:
    """What a form of this act is made with, fresh or bound."""
    arguments: dict[str, Any] = {"choices": choices.for_act(subject, name)}
    if name == "approve":
        arguments["conflicts"] = conflicts
    return arguments


def address(subject: str, pk: int, name: str) -> str:
    """Where an act is posted."""
    return f"/{subject}s/{pk}/{name}/"
