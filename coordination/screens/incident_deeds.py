"""Which acts does the incident room offer, with which form, words and action?"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts import queries as accounts
from coordination.events.actor import Actor
from coordination.events.at_once import Steps, answer, side_by_side
from coordination.events.text import localized
from coordination.screens.acting import Deed
from incidents import actions, forms
from incidents import queries as incidents
from sharing.catalogue import queries as catalogue

Options = list[tuple[Any, Any]]
NOTHING = ("", "–")
_TABLES = {"kind": "log_kind", "channel": "report_channel", "type": "incident_type"}


def _move(to: str) -> dict[str, Any]:
    return {"to": to}


DEEDS: dict[str, Deed] = {
    deed.name: deed
    for deed in (
        Deed("verify", _("Verify"), forms.WhyForm, actions.move, _("Verified."), fixed=_move("verify")),
        Deed(
            "respond",
            _("Begin the response"),
            forms.WhyForm,
            actions.move,
            _("Response begun."),
            fixed=_move("respond"),
        ),
        Deed(
            "control",
            _("Declare controlled"),
            forms.WhyForm,
            actions.move,
            _("Under control."),
            fixed=_move("control"),
        ),
        Deed(
            "recover", _("Begin recovery"), forms.WhyForm, actions.move, _("Recovery begun."), fixed=_move("recover")
        ),
        Deed(
            "relapse",
            _("Out of control again"),
            forms.MustWhyForm,
            actions.move,
            _("Responding again."),
            fixed=_move("relapse"),
        ),
        Deed("describe", _("Correct what it is and where"), forms.DescribeForm, actions.describe, _("Corrected.")),
        Deed("set_scale", _("Set grade or level"), forms.ScaleForm, actions.set_scale, _("Set.")),
        Deed("invite", _("Call in a department"), forms.InviteForm, actions.invite, _("Called in.")),
        Deed(
            "transfer_command",
            _("Pass on command"),
            forms.TransferForm,
            actions.transfer_command,
            _("Command passed on."),
            grave=True,
        ),
        Deed("set_objective", _("Add an aim"), forms.ObjectiveForm, actions.set_objective, _("Aim set.")),
        Deed(
            "set_end_condition",
            _("Say when it ends"),
            forms.EndConditionForm,
            actions.set_end_condition,
            _("End condition set."),
        ),
        Deed("attach", _("Add a file"), forms.AttachForm, actions.attach, _("File added.")),
        Deed("share", _("Share with a department"), forms.ShareForm, actions.share, _("Shared.")),
        Deed("unshare", _("Stop sharing"), forms.UnshareForm, actions.unshare, _("No longer shared."), grave=True),
        Deed("link", _("Link another incident"), forms.LinkForm, actions.link, _("Linked.")),
        Deed("set_parent", _("Say what it is part of"), forms.ParentForm, actions.set_parent, _("Set.")),
        Deed("pause", _("Pause the clock"), forms.PlainForm, actions.pause, _("Paused.")),
        Deed("resume", _("Let the clock run"), forms.PlainForm, actions.resume, _("Running.")),
        Deed("set_pace", _("Set the speed"), forms.PaceForm, actions.set_pace, _("Set.")),
        Deed("merge", _("Merge into another incident"), forms.MergeForm, actions.merge, _("Merged."), grave=True),
        Deed(
            "close",
            _("Close the incident"),
            forms.WhyForm,
            actions.move,
            _("Closed."),
            grave=True,
            fixed=_move("close"),
        ),
        Deed("reject", _("Reject: no incident"), forms.MustWhyForm, actions.reject, _("Rejected."), grave=True),
        Deed("reopen", _("Open again"), forms.MustWhyForm, actions.reopen, _("Open again.")),
        Deed("add_log", _("Add to the log"), forms.LogForm, actions.add_log, _("Entered.")),
        Deed("reach_objective", _("Reached"), forms.ReachForm, actions.reach_objective, _("Aim reached.")),
        Deed(
            "change_participation", _("Change"), forms.ParticipationForm, actions.change_participation, _("Recorded.")
        ),
    )
}
RARE = {
    "attach", "link", "merge", "pause", "reject", "resume", "set_pace", "set_parent", "share",
    "transfer_command", "unshare",
}
"""Acts that stand folded below the others."""
ELSEWHERE = {"add_log", "reach_objective", "change_participation"}
"""Acts whose forms stand in other parts of the room."""


def choices(*, actor: Actor, now: datetime, deeds: Iterable[Deed], but: int | None = None) -> dict[str, Options]:
    """Options by field name, only of the fields that these deeds have; ``but``: the incident itself."""
    return answer(choices_steps(actor=actor, now=now, deeds=deeds, but=but))


def choices_steps(
    *, actor: Actor, now: datetime, deeds: Iterable[Deed], but: int | None = None
) -> Steps[dict[str, Options]]:
    """`choices`, to be asked beside other questions; one step."""
    wanted = {name for deed in deeds for name in deed.form.base_fields}
    tables = {name: table for name, table in _TABLES.items() if name in wanted}
    codes, departments, people = yield from side_by_side(
        catalogue.codes_steps(list(tables.values())),
        accounts.departments_steps() if wanted & {"department_id", "lead_department_id"} else _none(),
        _people(actor, now) if "person_id" in wanted else _none(),
    )
    found: dict[str, Options] = {name: [(row.code, row.name) for row in codes[table]] for name, table in tables.items()}
    if wanted & {"department_id", "lead_department_id"}:
        found["department_id"] = [(row.pk, row.name) for row in departments]
        found["lead_department_id"] = [NOTHING, *found["department_id"]]
    if wanted & {"other_id", "into_id", "incident_id", "parent_id"}:
        others: Options = list(incidents.other_open(actor=actor, now=now, but=but))
        found |= {"other_id": others, "into_id": others, "incident_id": others, "parent_id": [NOTHING, *others]}
    found["person_id"] = people
    return found


def _none() -> Steps[Options]:
    """No options: nothing is asked."""
    yield from ()
    return []


def _people(actor: Actor, now: datetime) -> Steps[Options]:
    """Commanders of the actor's own department; another department names its own."""
    if actor.department_id is None:
        return [NOTHING]
    found = yield from accounts.holders_steps([actor.department_id], "commander", now)
    people = found[actor.department_id]
    return [NOTHING, *((one.person_id, localized(one.name_zh, one.name_en)) for one in people)]
