"""Is a form sent for the department for which it was opened?

A person with posts in two departments may switch in one window while a form stands open in another: nothing is done
for a department that the form was not meant for, and nothing typed is lost.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import actions as accounts_actions
from accounts import queries as accounts
from coordination.events.actor import Actor
from coordination.events.refused import Conflict

OPENED_FOR = "opened_for"
SWITCH_BACK = "switch_back"
_OWN = ("csrfmiddlewaretoken", OPENED_FOR, SWITCH_BACK)


class OtherDepartment(Conflict):
    """The form was opened for another department than the one the person acts for now."""

    code = "other_department"


def actor_for_form(request: HttpRequest, actor: Actor) -> Actor:
    """For whom the form is sent: the actor, or the same person back in the department that they switch to with it.

    Raises `OtherDepartment` (409) where the form says another department; one that says none is taken as it comes.
    """
    back, opened_for = (_department(request, name) for name in (SWITCH_BACK, OPENED_FOR))
    if back is not None and back != actor.department_id:
        now = request.now  # type: ignore[attr-defined]
        return accounts_actions.act_for(request=request, actor=actor, department_id=back, now=now)
    if back is not None or opened_for is None or opened_for == actor.department_id:
        return actor
    now_for, then_for = accounts.department(actor.department_id or 0), accounts.department(opened_for)
    raise OtherDepartment(
        _("You now act for %(now)s; this form was opened for %(then)s. Nothing was done yet.")
        % {"now": now_for.short, "then": then_for.short},
        departments=[now_for, then_for],
    )


def _department(request: HttpRequest, name: str) -> int | None:
    said = request.POST.get(name, "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 18 else None


def kept(request: HttpRequest, refused: OtherDepartment) -> dict[str, Any]:
    """What the answer needs to send the form again: its fields, its words to be read, its files to be chosen again."""
    fields = [(name, value) for name, values in request.POST.lists() if name not in _OWN for value in values]
    now_for, then_for = refused.extra["departments"]
    return {
        "fields": fields,
        "typed": [value for _name, value in fields if " " in value.strip() or not value.isascii()],
        "files": [(name, [file.name for file in files]) for name, files in request.FILES.lists()],
        "now_for": now_for,
        "then_for": then_for,
    }
