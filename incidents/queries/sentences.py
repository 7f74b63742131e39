"""What does an event of this room say in a sentence?"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from incidents.models import Incident, Participation
from incidents.queries.shapes import Names

_SENTENCES = {
    "incident.opened": gettext_lazy("Incident %(number)s opened"),
    "incident.described": gettext_lazy("Description changed"),
    "incident.verified": gettext_lazy("Incident verified"),
    "incident.responding": gettext_lazy("Response begun"),
    "incident.controlled": gettext_lazy("Incident under control"),
    "incident.recovering": gettext_lazy("Recovery begun"),
    "incident.relapsed": gettext_lazy("Out of control again"),
    "incident.closed": gettext_lazy("Incident closed"),
    "incident.rejected": gettext_lazy("Rejected: no incident"),
    "incident.reopened": gettext_lazy("Incident opened again"),
    "incident.merged": gettext_lazy("Incident %(number)s merged into another"),
    "incident.absorbed": gettext_lazy("Incident %(number)s merged into this one"),
    "incident.command_transferred": gettext_lazy("Command passed to %(department)s"),
    "incident.end_condition_set": gettext_lazy("End condition set"),
    "incident.linked": gettext_lazy("Linked with another incident"),
    "incident.unlinked": gettext_lazy("Link with another incident taken back"),
    "incident.parent_set": gettext_lazy("Cause changed"),
    "incident.shared": gettext_lazy("Shared with %(department)s"),
    "incident.unshared": gettext_lazy("No longer shared with %(department)s"),
    "incident.paused": gettext_lazy("Clock paused"),
    "incident.resumed": gettext_lazy("Clock goes on"),
    "incident.pace_set": gettext_lazy("Pace set to %(pace)s"),
    "participation.left": gettext_lazy("%(department)s left"),
    "objective.set": gettext_lazy("Objective set"),
    "objective.reached": gettext_lazy("Objective reached"),
    "objective.dropped": gettext_lazy("Objective dropped"),
    "attachment.added": gettext_lazy("File added"),
    "report.joined": gettext_lazy("Report %(number)s joined"),
    "report.split": gettext_lazy("Report %(number)s split off"),
    "report.verified": gettext_lazy("Report %(number)s verified"),
    "report.refuted": gettext_lazy("Report %(number)s refuted"),
}

_SCALES = {
    "grade": gettext_lazy("Grade %(value)s"),
    "response_level": gettext_lazy("Response level %(value)s"),
    "warning_level": gettext_lazy("%(value)s warning"),
}
_TAKEN_BACK = {
    "grade": gettext_lazy("Grade taken back"),
    "response_level": gettext_lazy("Response level taken back"),
    "warning_level": gettext_lazy("Warning taken back"),
}
_ROMAN = {1: "I", 2: "II", 3: "III", 4: "IV"}


def headline_of(type: str, payload: dict[str, Any], names: Names) -> str:
    """One short sentence in the reader's language, or empty for an event of another room."""
    department = names.department(payload.get("department"))
    said = {"department": department["short"] if department else _("a department"), **_plain(payload)}
    if type == "incident.scale_changed":
        return _scale(payload)
    if type == "participation.changed":
        return _part(said, payload)
    sentence = _SENTENCES.get(type)
    return str(sentence) % said if sentence is not None else ""


def _plain(payload: dict[str, Any]) -> dict[str, Any]:
    return {"number": payload.get("number", ""), "pace": payload.get("pace", "")}


def _scale(payload: dict[str, Any]) -> str:
    scale, value = str(payload.get("scale")), payload.get("after")
    if scale not in _SCALES:
        return ""
    if not value:
        return str(_TAKEN_BACK[scale])
    shown = Incident.WarningLevel(value).label if scale == "warning_level" else _ROMAN.get(value, value)
    return str(_SCALES[scale]) % {"value": shown}


def _part(said: dict[str, Any], payload: dict[str, Any]) -> str:
    state = payload.get("state")
    if state == Participation.State.ALERTED and "before" not in payload:
        role = payload.get("role")
        if role in Participation.Role.values:
            return _("%(department)s called in: %(role)s") % {**said, "role": Participation.Role(role).label}
    if state in Participation.State.values:
        return _("%(department)s: %(state)s") % {**said, "state": Participation.State(state).label}
    return ""
