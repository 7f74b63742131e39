"""How is each kind of act in the log said in the reader's language?

Shown as "who · what · object": what was done, never what it said.
"""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from coordination.screens.sentences import KINDS, MOVES

ACTS = {
    "access.changed": gettext_lazy("access changed"),
    "alarm.raised": gettext_lazy("alarm raised"),
    "alarm.settled": gettext_lazy("alarm settled"),
    "attachment.added": gettext_lazy("file added"),
    "client.created": gettext_lazy("system connected"),
    "client.revoked": gettext_lazy("system revoked"),
    "dataset.changed": gettext_lazy("dataset changed"),
    "dataset.confirmed": gettext_lazy("dataset confirmed"),
    "dataset.delivered": gettext_lazy("records delivered"),
    "dataset.drafted": gettext_lazy("dataset drafted"),
    "dataset.published": gettext_lazy("dataset published"),
    "dataset.retired": gettext_lazy("dataset retired"),
    "dataset.schema_added": gettext_lazy("schema added to dataset"),
    "deadline.fired": gettext_lazy("deadline passed"),
    "department.added": gettext_lazy("department added"),
    "department.changed": gettext_lazy("department changed"),
    "department.closed": gettext_lazy("department closed"),
    "department.moved": gettext_lazy("department moved"),
    "display.changed": gettext_lazy("wall changed"),
    "display.paired": gettext_lazy("wall paired"),
    "display.revoked": gettext_lazy("wall revoked"),
    "factor.reset": gettext_lazy("second factor reset"),
    "grant.revoked": gettext_lazy("grant taken back"),
    "legal_basis.added": gettext_lazy("legal basis added"),
    "log.added": gettext_lazy("entry written into the incident's log"),
    "log.anchored": gettext_lazy("log anchored"),
    "logcheck.asked": gettext_lazy("check of the log asked for"),
    "logexport.asked": gettext_lazy("export of the log asked for"),
    "membership.appointed": gettext_lazy("appointed to a post"),
    "membership.ended": gettext_lazy("post ended"),
    "notice.new": gettext_lazy("notice sent"),
    "notice.read": gettext_lazy("notice read"),
    "objective.set": gettext_lazy("aim set"),
    "offer.ended": gettext_lazy("standing offer ended"),
    "offer.set": gettext_lazy("standing offer made"),
    "person.added": gettext_lazy("person added"),
    "person.deactivated": gettext_lazy("person deactivated"),
    "person.kept_for_emergencies": gettext_lazy("account kept for emergencies"),
    "person.password_set": gettext_lazy("password set"),
    "proposedpost.proposed": gettext_lazy("post proposed"),
    "proposedpost.confirmed": gettext_lazy("proposed post confirmed"),
    "proposedpost.declined": gettext_lazy("proposed post declined"),
    "proposedpost.withdrawn": gettext_lazy("proposed post withdrawn"),
    "records.exported": gettext_lazy("records handed out as a file"),
    "report.joined": gettext_lazy("report joined to an incident"),
    "report.received": gettext_lazy("report received"),
    "report.split": gettext_lazy("report split off"),
    "report.verified": gettext_lazy("report verified"),
    "responsibility.given": gettext_lazy("responsibility given"),
    "responsibility.taken": gettext_lazy("responsibility taken away"),
    "rule.proposed": gettext_lazy("rule proposed"),
    "rule.settled": gettext_lazy("proposed rule settled"),
    "share_rule.ended": gettext_lazy("sharing rule ended"),
    "session.started": gettext_lazy("signed in"),
    "session.ended": gettext_lazy("signed out"),
    "webhook.added": gettext_lazy("other system's address added"),
    "webhook.removed": gettext_lazy("other system's address removed"),
    "assignment.call_arbiter": gettext_lazy("assignment: arbiter called"),
    "assignment.return": gettext_lazy("assignment: returned"),
    "emergency.entered": gettext_lazy("emergency account used"),
    "factor.enrolled": gettext_lazy("second factor set up"),
    "factor.removed": gettext_lazy("second factor removed"),
    "identity.linked": gettext_lazy("identity linked"),
    "identity.unlinked": gettext_lazy("identity unlinked"),
    "incident.absorbed": gettext_lazy("incident took in another"),
    "incident.closed": gettext_lazy("incident closed"),
    "incident.command_transferred": gettext_lazy("command transferred"),
    "incident.controlled": gettext_lazy("incident under control"),
    "incident.described": gettext_lazy("incident described"),
    "incident.end_condition_set": gettext_lazy("end condition set"),
    "incident.linked": gettext_lazy("incidents linked"),
    "incident.merged": gettext_lazy("incident merged into another"),
    "incident.opened": gettext_lazy("incident opened"),
    "incident.pace_set": gettext_lazy("pace of reports set"),
    "incident.parent_set": gettext_lazy("incident put below another"),
    "incident.paused": gettext_lazy("incident paused"),
    "incident.recovering": gettext_lazy("incident in recovery"),
    "incident.rejected": gettext_lazy("incident rejected"),
    "incident.relapsed": gettext_lazy("incident flared up again"),
    "incident.reopened": gettext_lazy("incident reopened"),
    "incident.responding": gettext_lazy("response begun"),
    "incident.resumed": gettext_lazy("incident resumed"),
    "incident.scale_changed": gettext_lazy("grade or response level changed"),
    "incident.shared": gettext_lazy("incident shared"),
    "incident.unlinked": gettext_lazy("incidents unlinked"),
    "incident.unshared": gettext_lazy("sharing of the incident ended"),
    "incident.verified": gettext_lazy("incident verified"),
    "instruction.discard": gettext_lazy("instruction: draft discarded"),
    "objective.dropped": gettext_lazy("aim dropped"),
    "objective.reached": gettext_lazy("aim reached"),
    "participation.active": gettext_lazy("department at work"),
    "participation.alerted": gettext_lazy("department alerted"),
    "participation.changed": gettext_lazy("part of a department changed"),
    "participation.left": gettext_lazy("department left the incident"),
    "participation.standing_by": gettext_lazy("department standing by"),
    "participation.stood_down": gettext_lazy("department stood down"),
    "participation.unable": gettext_lazy("department unable to take part"),
    "report.refuted": gettext_lazy("report refuted"),
    "shift.absent": gettext_lazy("person on duty cannot be reached"),
    "shift.assigned": gettext_lazy("turn of duty given"),
    "shift.deputy_set": gettext_lazy("deputy named"),
    "shift.note_left": gettext_lazy("note left for the next turn"),
    "shift.planned": gettext_lazy("turn of duty planned"),
    "shift.present": gettext_lazy("person on duty reachable again"),
    "shift.removed": gettext_lazy("turn of duty removed"),
    "shift.taken_over": gettext_lazy("duty taken over"),
    # reads
    "attachment": gettext_lazy("read a file"),
    "audit": gettext_lazy("read the access log"),
    "access_log_list": gettext_lazy("read the access log"),
    "audit-export": gettext_lazy("fetched an export of the log"),
    "data": gettext_lazy("read the catalogue"),
    "dataset": gettext_lazy("read an entry of the catalogue"),
    "picture": gettext_lazy("read a picture"),
    "records_list": gettext_lazy("read records"),
    "dataset-records": gettext_lazy("read records"),
    "dataset-record": gettext_lazy("read a record"),
    "records_export": gettext_lazy("downloaded records"),
    "share-request": gettext_lazy("read a request for data"),
    "share_requests_list": gettext_lazy("read requests for data"),
    "share_requests_show": gettext_lazy("read a request for data"),
    "datasets_list": gettext_lazy("read the catalogue"),
    "datasets_show": gettext_lazy("read an entry of the catalogue"),
}
THINGS = {
    "accounts.department": gettext_lazy("department"),
    "accounts.display": gettext_lazy("wall"),
    "accounts.membership": gettext_lazy("post"),
    "accounts.opensession": gettext_lazy("session"),
    "accounts.person": gettext_lazy("person"),
    "accounts.proposedpost": gettext_lazy("proposed post"),
    "accounts.responsibility": gettext_lazy("responsibility"),
    "accounts.shift": gettext_lazy("turn of duty"),
    "catalogue.dataset": gettext_lazy("dataset"),
    "incidents.incident": gettext_lazy("incident"),
    "incidents.logentry": gettext_lazy("log entry"),
    "incidents.report": gettext_lazy("report"),
    "instructions.assignment": gettext_lazy("assignment"),
    "instructions.instruction": gettext_lazy("instruction"),
    "access-log": gettext_lazy("access log"),
    "attachments": gettext_lazy("files"),
    "datasets": gettext_lazy("datasets"),
    "share-requests": gettext_lazy("requests for data"),
    "incidents": gettext_lazy("incidents"),
    "records": gettext_lazy("records"),
}
ASKED_WHY = "explain "


def act(code: str) -> str:
    """What was done, in words; the code itself where there are none yet."""
    if code in ACTS:
        return str(ACTS[code])
    if code.startswith(ASKED_WHY):
        return _("asked why {who} sees it").format(who=code.removeprefix(ASKED_WHY))
    noun, _dot, move = code.partition(".")
    if noun in KINDS and move in MOVES:
        return _("{noun}: {move}").format(noun=KINDS[noun], move=MOVES[move])
    return code


def thing(object_type: str, ids: list[int], count: int) -> str:
    """Which object, by its kind and number; of several the first and how many."""
    name = str(THINGS.get(object_type, KINDS.get(object_type.rpartition(".")[2], object_type)))
    shown = ", ".join(map(str, ids[:3]))
    return _("{name} {shown} and {more} more").format(name=name, shown=shown, more=count - 3) if count > 3 else (
        f"{name} {shown}"
    )
