"""Who is there, what are they responsible for, and who administers it?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from accounts import actions as accounts_actions
from accounts import queries as accounts
from coordination.screens import forms
from coordination.screens.acting import Deed, carry_out, offered, summary
from incidents import queries as incidents
from sharing.access.pages import page
from sharing.catalogue import queries as catalogue


def _said_of_client(made: tuple[Any, str] | None) -> str:
    """The secret, once: who sends the form again made no second client, and is told so."""
    if made is None:
        return str(_("This system is there already. Its secret was shown once; revoke it if nobody wrote it down."))
    row, secret = made
    return str(_("Client {id}. Its secret is shown only now: {secret}")).format(
        id=row.application.client_id, secret=secret
    )


def _said_of_post(made: Any) -> str:
    """Posts over data and the log wait for the head."""
    if hasattr(made, "proposed_at"):
        return str(_("Proposed: the head of this department confirms it below."))
    return str(_("Appointed."))


DEEDS = {
    "appoint": Deed("appoint", _("Appoint somebody"), forms.AppointForm, accounts_actions.appoint, _said_of_post),
    "confirm_post": Deed(
        "confirm_post", _("Confirm"), forms.ProposalForm, accounts_actions.confirm_post, _("Confirmed and appointed.")
    ),
    "decline_post": Deed(
        "decline_post", _("Decline"), forms.ProposalForm, accounts_actions.decline_post, _("The proposal has ended."),
        grave=True,
    ),
    "end_membership": Deed(
        "end_membership", _("End"), forms.EndForm, accounts_actions.end_membership, _("The post was left."), grave=True
    ),
    "reset_factor": Deed(
        "reset_factor",
        _("Reset the second factor"),
        forms.PersonForm,
        accounts_actions.reset_factor,
        _("The second factor was taken away: the next sign-in sets up a new one."),
        grave=True,
    ),
    "deactivate_person": Deed(
        "deactivate_person",
        _("Deactivate"),
        forms.PersonForm,
        accounts_actions.deactivate_person,
        _("This person was signed out and can act no longer; their posts ended."),
        grave=True,
    ),
    "pair_display": Deed(
        "pair_display", _("Pair a wall"), forms.PairForm, accounts_actions.pair_display, _("The wall is paired.")
    ),
    "revoke_display": Deed(
        "revoke_display",
        _("Revoke"),
        forms.RevokeDisplayForm,
        accounts_actions.revoke_display,
        _("The wall was revoked."),
        grave=True,
    ),
    "create_client": Deed(
        "create_client",
        _("Add a system"),
        forms.ClientForm,
        accounts_actions.create_client,
        _said_of_client,
    ),
    "revoke_client": Deed(
        "revoke_client",
        _("Revoke"),
        forms.RevokeClientForm,
        accounts_actions.revoke_client,
        _("The system was revoked."),
        grave=True,
    ),
}
SHOWN = ("appoint", "pair_display", "create_client")
OF_HEADS = {"confirm_post", "decline_post"}
OF_A_ROW = OF_HEADS | {"end_membership", "reset_factor", "deactivate_person", "revoke_display", "revoke_client"}


@require_safe
@page()
def departments(request: HttpRequest) -> HttpResponse:
    """The tree of all departments, with who is on duty there now."""
    text = request.GET.get("q", "").strip()[:100]
    rows = accounts.departments(text=text) if text else accounts.departments()
    on_duty = accounts.on_duty_many([row.pk for row in rows], request.now)  # type: ignore[attr-defined]
    tree = [{"row": row, "depth": 0 if text else len(row.ancestor_ids), "on_duty": on_duty[row.pk]} for row in rows]
    if not text:
        tree = _as_tree(tree)
    return render(
        request,
        "departments/list.html",
        {"tree": tree, "text": text, "empty": sum(1 for r in tree if not r["on_duty"])},
    )


def _as_tree(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Parents before their children, brothers in the order of their ids."""
    below: dict[int | None, list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda r: r["row"].pk):
        below.setdefault(row["row"].parent_id, []).append(row)
    found: list[dict[str, Any]] = []
    waiting: Iterable[dict[str, Any]] = list(reversed(below.get(None, [])))
    stack = list(waiting)
    while stack:
        one = stack.pop()
        found.append(one)
        stack.extend(reversed(below.get(one["row"].pk, [])))
    return found


@require_safe
@page()
def department(request: HttpRequest, pk: int) -> HttpResponse:
    """One department: posts, people, duty, responsibilities; walls and systems for its administrator."""
    return _show(request, pk)


@require_POST
@page()
def act(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """One administrative act on a department."""
    if name not in DEEDS:
        raise Http404
    accounts.department(pk)  # an absent department is one refusal, whatever else is wrong
    # before the form is read: its errors say which user names there are
    if name not in OF_HEADS:  # these know by themselves who sees a proposal
        accounts_actions.require_administrator(request.actor, pk)  # type: ignore[attr-defined]
    about = {} if name in OF_A_ROW else {"department_id": pk}
    return carry_out(
        request,
        DEEDS[name],
        about=about,
        choices=_choices(request, pk),
        home=reverse("department", args=[pk]),
        again=lambda r, bound, status: _show(r, pk, bound, status),
    )


def _choices(request: HttpRequest, pk: int) -> dict[str, Any]:
    """Incidents a wall can be set to: those its department sees. Who hangs it up need not see them otherwise."""
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    if not accounts.may_administer(actor, pk):
        return {"incident_id": [("", "–")]}
    reader = replace(actor, department_id=pk, posts=frozenset({"observer"}))
    seen, _next = incidents.incidents(actor=reader, now=now, state="open", size=50)
    return {"incident_id": [("", "–"), *((row["id"], f"{row['number']} {row['headline']}") for row in seen)]}


def _show(request: HttpRequest, pk: int, bound: dict[str, Any] | None = None, status: int = 200) -> HttpResponse:
    row = accounts.department(pk)
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    administers = accounts.may_administer(actor, pk)
    types = catalogue.names("incident_type")
    kept: dict[str, Any] = {
        "department": row,
        "parent": accounts.department(row.parent_id) if row.parent_id else None,
        "children": [child for child in accounts.departments(under=pk) if child.parent_id == pk],
        "members": accounts.members_of(pk, now),
        "on_duty": accounts.on_duty(pk, now),
        "next_on_duty": accounts.next_on_duty(pk, now),
        "responsibilities": [
            (one, catalogue.path_name(types, one.incident_type)) for one in accounts.responsibilities_of(pk)
        ],
        "administers": administers,
        "proposed": accounts.proposed_posts(actor, pk),
        "confirms": accounts.may_administer(actor, pk, accounts.CONFIRMING),
        "errors": summary(bound),
    }
    if administers:
        kept["displays"] = accounts.displays_of(pk)
        kept["clients"] = accounts.clients_of(pk)
        kept["acts"] = offered([DEEDS[name] for name in SHOWN], _choices(request, pk), bound)
    return render(request, "departments/one.html", kept, status=status)
