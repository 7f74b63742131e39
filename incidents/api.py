"""What do other systems and scripts read and do about incidents, reports, log and files?"""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, path

from incidents import actions, queries, states
from incidents.serializers import answers as shapes
from incidents.serializers import bodies
from sharing.access.rest import Call, Page, Resource, act_view, lists, shows, writes
from sharing.access.rest.files import send
from sharing.access.rest.reading import Upload


def show_incident(call: Call, changed: Any) -> Any:
    """Return the incident as it is now, as the caller may see it."""
    return queries.room(**call.who, incident_id=changed.pk)


def show_same(call: Call, changed: Any) -> Any:
    """Return the incident of the address as it is now."""
    return queries.room(**call.who, incident_id=call.ids["incident_id"])


def show_report(call: Call, changed: Any) -> Any:
    """Return the report as it is now."""
    return queries.report(**call.who, report_id=changed.pk)


def show_file(call: Call, changed: Any) -> Any:
    """Return what is known of the file."""
    return queries.attachment(**call.who, attachment_id=changed.pk)


class Incidents(Resource):
    """Incidents seen by me."""

    resource = "incidents"

    @lists("incidents_list", shapes.IncidentRowShape, query=bodies.IncidentFilters, maps=True, summary="Incidents")
    def get(self, call: Call) -> Page:
        """Incidents that my department sees, newest first."""
        return Page(*queries.incidents(**call.who, **call.query, after=call.after, size=call.size))

    @writes(
        "incidents_open", shapes.IncidentShape, body=bodies.OpenBody, status=201, show=show_incident,
        place=lambda done: f"/api/v1/incidents/{done['id']}", summary="Open an incident",
    )  # fmt: skip
    def post(self, call: Call) -> Any:
        """Open an incident, out of reports or on one's own knowledge."""
        return actions.open_incident(**call.act, **call.body)


class Incident(Resource):
    """One incident."""

    resource = "incidents"

    @shows("incidents_show", shapes.IncidentShape, summary="One incident")
    def get(self, call: Call) -> Any:
        """The incident, as far as my department sees it, and what may be done with it now."""
        return queries.room(**call.who, incident_id=call.ids["incident_id"])

    @writes(
        "incidents_change", shapes.IncidentShape, body=bodies.DescribeBody, decides=True, show=show_same,
        summary="Describe an incident anew",
    )  # fmt: skip
    def patch(self, call: Call) -> Any:
        """Change type, headline, description or place; what is not sent stays."""
        return actions.describe(**call.act, **call.ids, if_version=call.if_version, **call.body)


class Participations(Resource):
    """Who takes part."""

    resource = "participations"

    @lists("participations_list", shapes.ParticipationShape, summary="Participations of an incident")
    def get(self, call: Call) -> Any:
        """Departments that take part."""
        return queries.participations(**call.who, incident_id=call.ids["incident_id"])

    @writes(
        "participations_invite", shapes.ParticipationShape, body=bodies.InviteBody, status=201,
        summary="Invite a department",
    )  # fmt: skip
    def post(self, call: Call) -> Any:
        """Bring a department in; from then on it sees what its role lets it see."""
        return actions.invite(**call.act, **call.ids, **call.body)


class Log(Resource):
    """The log of an incident."""

    resource = "log"

    @lists("log_list", shapes.LogEntryShape, query=bodies.LogFilters, summary="Log of an incident")
    def get(self, call: Call) -> Page:
        """Lines of the log, newest first."""
        return Page(*queries.log(**call.who, **call.ids, **call.query, after=call.after, size=call.size))

    @writes("log_add", shapes.LogEntryShape, body=bodies.LogBody, status=201, summary="Write into the log")
    def post(self, call: Call) -> Any:
        """Write one line, for good; a mistake is corrected by a later line that names it."""
        return actions.add_log(**call.act, **call.ids, **call.body)


class Timeline(Resource):
    """All that happened in an incident."""

    resource = "incidents"
    noted_as = "events"  # what a row is; an incident of that number is another thing

    @lists("incidents_timeline", shapes.MomentShape, summary="Timeline of an incident")
    def get(self, call: Call) -> Page:
        """Log, changes, participations and moves, newest first."""
        return Page(*queries.timeline(**call.who, **call.ids, after=call.after, size=call.size))


class Objectives(Resource):
    """What is to be reached."""

    resource = "incidents"

    @lists("objectives_list", shapes.ObjectiveShape, summary="Objectives of an incident")
    def get(self, call: Call) -> Any:
        """Objectives, oldest first."""
        return queries.objectives(**call.who, incident_id=call.ids["incident_id"])

    @writes(
        "objectives_set", shapes.IncidentShape, body=bodies.ObjectiveBody, status=201, show=show_same,
        summary="Set an objective",
    )  # fmt: skip
    def post(self, call: Call) -> Any:
        """Set one more objective."""
        return actions.set_objective(**call.act, **call.ids, **call.body)


class Reports(Resource):
    """Reports seen by me."""

    resource = "reports"

    @lists("reports_list", shapes.ReportShape, query=bodies.ReportFilters, maps=True, summary="Reports")
    def get(self, call: Call) -> Page:
        """Reports that my department sees, newest first."""
        return Page(*queries.reports(**call.who, **call.query, after=call.after, size=call.size))

    @writes(
        "reports_receive", shapes.ReportShape, body=bodies.ReportBody, status=201, show=show_report,
        place=lambda done: f"/api/v1/reports/{done['id']}", summary="Report something",
    )  # fmt: skip
    def post(self, call: Call) -> Any:
        """Take in something told to my department; the centres up its line hear of it."""
        return actions.receive_report(**call.act, **call.body)


class Report(Resource):
    """One report."""

    resource = "reports"

    @shows("reports_show", shapes.ReportShape, summary="One report")
    def get(self, call: Call) -> Any:
        """The report."""
        return queries.report(**call.who, report_id=call.ids["report_id"])


class Attachments(Resource):
    """Files."""

    resource = "attachments"
    parser_classes = (Upload,)

    @writes(
        "attachments_upload", shapes.AttachmentShape, body=bodies.UploadBody, status=201, show=show_file,
        media="multipart/form-data", summary="Upload a file",
        place=lambda done: f"/api/v1/attachments/{done['id']}",
    )  # fmt: skip
    def post(self, call: Call) -> Any:
        """Keep a file, checked by its content. Without an incident it waits for what will name it."""
        return actions.attach(**call.act, **call.body)


class IncidentAttachments(Resource):
    """Files of an incident."""

    resource = "attachments"
    parser_classes = (Upload,)

    @lists("incidents_attachments", shapes.AttachmentShape, summary="Files of an incident")
    def get(self, call: Call) -> Any:
        """Files, newest first."""
        return queries.room(**call.who, incident_id=call.ids["incident_id"])["attachments"]

    @writes(
        "incidents_attach", shapes.AttachmentShape, body=bodies.FileBody, status=201, show=show_file,
        media="multipart/form-data", summary="Hang a file on an incident",
    )  # fmt: skip
    def post(self, call: Call) -> Any:
        """Keep a file, checked by its content, on the incident."""
        return actions.attach(**call.act, **call.ids, **call.body)


class Attachment(Resource):
    """What is known of one file."""

    resource = "attachments"

    @shows("attachments_show", shapes.AttachmentShape, summary="One file")
    def get(self, call: Call) -> Any:
        """Name, kind, size and digest."""
        return queries.attachment(**call.who, attachment_id=call.ids["attachment_id"])


class AttachmentContent(Resource):
    """The bytes of one file."""

    resource = "attachments"

    @shows("attachments_content", None, summary="Bytes of a file", media="application/octet-stream")
    def get(self, call: Call) -> Any:
        """The file, as an attachment: a browser saves it and shows nothing of it."""
        return send(queries.attachment_file(**call.who, attachment_id=call.ids["attachment_id"]))


class AttachmentPicture(Resource):
    """The small picture of one file."""

    resource = "attachments"

    @shows("attachments_picture", None, summary="Small picture of a file", media="image/jpeg")
    def get(self, call: Call) -> Any:
        """The picture, drawn anew by us; 404 for what is no picture."""
        return send(queries.open_picture(**call.who, attachment_id=call.ids["attachment_id"]), shown=True)


class Search(Resource):
    """Search across what I may see."""

    resource = "search"

    @lists("search", shapes.FoundShape, query=bodies.SearchFilters, summary="Search")
    def get(self, call: Call) -> Any:
        """Incidents, reports and log lines that hold every word, as far as my department sees them."""
        return queries.search(**call.who, text=call.query["q"], size=call.size)


def _act(act: Any, name: str, **given: Any) -> Any:
    return act_view(
        act,
        resource="incidents",
        name=f"incidents_{name}",
        **({"answer": shapes.IncidentShape, "show": show_same} | given),
    )


def _moves() -> list[URLPattern]:
    """Return an address for each move of the table."""
    found = []
    for move in dict.fromkeys(row.name for row in states.MOVES):
        if move == "merge":
            view = _act(actions.merge, "merge", body=bodies.body_of(move), decides=True, show=show_incident)
        else:
            view = _act(actions.move, move, body=bodies.body_of(move), decides=True, to=move)
        found.append(path(f"incidents/<str:incident_id>/{move}", view, name=f"api-incident-{move}"))
    return found


_ACTS: dict[str, Any] = {
    "describe": _act(actions.describe, "describe", body=bodies.DescribeBody, decides=True),
    "scale": _act(actions.set_scale, "scale", body=bodies.ScaleBody, decides=True),
    "transfer-command": _act(actions.transfer_command, "transfer_command", body=bodies.CommandBody, decides=True),
    "end-condition": _act(actions.set_end_condition, "end_condition", body=bodies.TextBody, decides=True),
    "link": _act(actions.link, "link", body=bodies.LinkBody),
    "unlink": _act(actions.unlink, "unlink", body=bodies.UnlinkBody),
    "parent": _act(actions.set_parent, "parent", body=bodies.ParentBody, versioned=True),
    "share": _act(actions.share, "share", body=bodies.ShareBody),
    "unshare": _act(actions.unshare, "unshare", body=bodies.UnshareBody),
    "pause": _act(actions.pause, "pause", versioned=True),
    "resume": _act(actions.resume, "resume", versioned=True),
    "pace": _act(actions.set_pace, "pace", body=bodies.PaceBody, versioned=True),
}
_PART: dict[str, Any] = {"resource": "participations", "answer": shapes.ParticipationShape, "versioned": True}
_REPORT: dict[str, Any] = {"resource": "reports", "answer": shapes.ReportShape, "show": show_report}
_GOAL: dict[str, Any] = {"resource": "incidents", "answer": shapes.ObjectiveShape, "versioned": True}

urlpatterns = [
    path("incidents", Incidents.as_view(), name="api-incidents"),
    path("incidents/<str:incident_id>", Incident.as_view(), name="api-incident"),
    *_moves(),
    *[path(f"incidents/<str:incident_id>/{word}", view, name=f"api-incident-{word}") for word, view in _ACTS.items()],
    path("incidents/<str:incident_id>/participations", Participations.as_view(), name="api-participations"),
    path(
        "incidents/<str:incident_id>/participations/change",
        act_view(actions.change_participation, name="participations_change", body=bodies.ChangeBody, **_PART),
        name="api-participation-change",
    ),
    path(
        "incidents/<str:incident_id>/participations/leave",
        act_view(actions.leave, name="participations_leave", body=bodies.LeaveBody, **_PART),
        name="api-participation-leave",
    ),
    path("incidents/<str:incident_id>/log", Log.as_view(), name="api-log"),
    path("incidents/<str:incident_id>/timeline", Timeline.as_view(), name="api-timeline"),
    path("incidents/<str:incident_id>/attachments", IncidentAttachments.as_view(), name="api-incident-attachments"),
    path("incidents/<str:incident_id>/objectives", Objectives.as_view(), name="api-objectives"),
    path(
        "objectives/<str:objective_id>/reach",
        act_view(actions.reach_objective, name="objectives_reach", **_GOAL),
        name="api-objective-reach",
    ),
    path(
        "objectives/<str:objective_id>/drop",
        act_view(actions.drop_objective, name="objectives_drop", body=bodies.DropBody, **_GOAL),
        name="api-objective-drop",
    ),
    path("reports", Reports.as_view(), name="api-reports"),
    path("reports/<str:report_id>", Report.as_view(), name="api-report"),
    path(
        "reports/<str:report_id>/verify",
        act_view(actions.verify_report, name="reports_verify", body=bodies.VerifyBody, decides=True, **_REPORT),
        name="api-report-verify",
    ),
    path(
        "reports/<str:report_id>/refute",
        act_view(actions.refute_report, name="reports_refute", body=bodies.RefuteBody, decides=True, **_REPORT),
        name="api-report-refute",
    ),
    path(
        "reports/<str:report_id>/join",
        act_view(actions.join_report, name="reports_join", body=bodies.JoinBody, versioned=True, **_REPORT),
        name="api-report-join",
    ),
    path(
        "reports/<str:report_id>/split",
        act_view(actions.split_report, name="reports_split", body=bodies.RefuteBody, decides=True, **_REPORT),
        name="api-report-split",
    ),
    path("attachments", Attachments.as_view(), name="api-attachments"),
    path("attachments/<str:attachment_id>", Attachment.as_view(), name="api-attachment"),
    path("attachments/<str:attachment_id>/content", AttachmentContent.as_view(), name="api-attachment-content"),
    path("attachments/<str:attachment_id>/picture", AttachmentPicture.as_view(), name="api-attachment-picture"),
    path("search", Search.as_view(), name="api-search"),
]
