"""What may be asked of incidents and reports, and with which fields?"""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from incidents import states
from incidents.serializers.answers import STATES
from sharing.access.rest import Id, Latitude, Longitude, Moment, Shape, Text, Whole, Yes


def _why(needed: bool) -> Text:
    return Text(max_length=300, required=needed, allow_blank=not needed)


def _box() -> serializers.RegexField:
    return serializers.RegexField(
        r"^-?[0-9]{1,3}(\.[0-9]{1,9})?(,-?[0-9]{1,3}(\.[0-9]{1,9})?){3}$", required=False, max_length=80,
        help_text="West, south, east, north in degrees.",
    )  # fmt: skip


def _since() -> Moment:
    return Moment(
        required=False,
        help_text="What has changed at or since this moment, or was under way then: ask again from your last answer.",
    )


class IncidentFilters(Shape):
    """Which incidents."""

    state = serializers.ChoiceField((*STATES, "open", "ended"), required=False)
    type = Text(required=False, max_length=80, help_text="A code of incident_type and all below it.")
    grade = Whole(min_value=1, max_value=4, required=False)
    warning_level = serializers.ChoiceField(("red", "orange", "yellow", "blue"), required=False)
    response_level = Whole(min_value=1, max_value=4, required=False)
    lead = Id(required=False, source="lead_department_id")
    exercise = Yes(required=False)
    bbox = _box()
    since = _since()
    q = Text(required=False, max_length=100, help_text="Words in number, headline, place or description.")

    def validate_bbox(self, value: str) -> list[float]:
        """Return the four numbers."""
        return [float(part) for part in value.split(",")]


class ReportFilters(Shape):
    """Which reports."""

    state = serializers.ChoiceField(("received", "verified", "refuted"), required=False)
    incident = Id(required=False, source="incident_id")
    joined = Yes(required=False, help_text="false: those that belong to no incident yet.")
    bbox = _box()
    since = _since()
    q = Text(required=False, max_length=100)

    def validate_bbox(self, value: str) -> list[float]:
        """Return the four numbers."""
        return [float(part) for part in value.split(",")]


class LogFilters(Shape):
    """Which lines of a log."""

    kind = Text(required=False, max_length=20, help_text="A code of log_kind.")
    since = _since()


class SearchFilters(Shape):
    """What to look for."""

    q = Text(max_length=100)


class _Whereabouts(Shape):
    place = Text(max_length=200, required=False, allow_blank=True)
    region_code = Text(max_length=12, required=False, allow_blank=True, help_text="12-digit division code.")
    latitude = Latitude(required=False, allow_null=True)
    longitude = Longitude(required=False, allow_null=True)
    occurred_at = Moment(required=False, allow_null=True)


class ReportBody(_Whereabouts):
    """Something told to my department."""

    channel = Text(max_length=20, help_text="Code of report_channel.")
    text = Text(max_length=5000)
    type = Text(max_length=80, required=False, allow_blank=True, help_text="Code of incident_type.")
    reporter_name = Text(max_length=80, required=False, allow_blank=True)
    reporter_phone = Text(max_length=40, required=False, allow_blank=True)
    exercise = Yes(required=False)
    attachments = serializers.ListField(child=Id(), required=False, max_length=20, source="attachment_ids")


class OpenBody(_Whereabouts):
    """An incident to open, out of reports or on one's own knowledge."""

    type = Text(max_length=80, help_text="Code of incident_type.")
    headline_zh = Text(max_length=22, required=False, allow_blank=True)
    headline_en = Text(max_length=40, required=False, allow_blank=True)
    reports = serializers.ListField(child=Id(), required=False, max_length=50, source="report_ids")
    description = Text(max_length=5000, required=False, allow_blank=True)
    grade = Whole(min_value=1, max_value=4, required=False, allow_null=True)
    warning_level = serializers.ChoiceField(("red", "orange", "yellow", "blue", ""), required=False)
    response_level = Whole(min_value=1, max_value=4, required=False, allow_null=True)
    lead = Id(required=False, allow_null=True, source="lead_department_id")
    commander_department = Id(required=False, allow_null=True, source="commander_department_id")
    parent = Id(required=False, allow_null=True, source="parent_id")
    end_condition = Text(max_length=2000, required=False, allow_blank=True)
    exercise = Yes(required=False)
    policy_set = Text(max_length=40, required=False)
    pace = serializers.FloatField(min_value=0.1, max_value=100, required=False)


class DescribeBody(_Whereabouts):
    """What of an incident's description is to be different; what is not sent stays."""

    type = Text(max_length=80, required=False, help_text="Code of incident_type.")
    headline_zh = Text(max_length=22, required=False, allow_blank=True)
    headline_en = Text(max_length=40, required=False, allow_blank=True)
    description = Text(max_length=5000, required=False, allow_blank=True)
    area = serializers.DictField(required=False, allow_null=True, help_text="GeoJSON polygon, WGS84.")


class VerifyBody(Shape):
    """How it was verified."""

    note = Text(max_length=300, required=False, allow_blank=True)


class RefuteBody(Shape):
    """Why it does not hold."""

    why = _why(True)


class JoinBody(Shape):
    """To which incident it belongs."""

    incident = Id(source="incident_id")


@extend_schema_field({"type": ["integer", "string"]})
class ScaleValue(serializers.JSONField):
    """A number, a word or nothing."""


class ScaleBody(Shape):
    """A new grade, warning level or response level; null or an empty text takes it away."""

    scale = serializers.ChoiceField(("grade", "warning_level", "response_level"))
    value = ScaleValue(allow_null=True, help_text="1 to 4, or a colour for the warning level.")
    why = _why(True)

    def validate_value(self, value: Any) -> Any:
        """Only a number, a word or nothing."""
        if isinstance(value, bool) or not isinstance(value, int | str | type(None)) or len(str(value)) > 10:
            raise serializers.ValidationError("", code="type")
        return value


class CommandBody(Shape):
    """Who is to command."""

    department = Id(source="department_id")
    person = Id(source="person_id", required=False, allow_null=True)
    why = _why(True)


class TextBody(Shape):
    """When the incident will be over."""

    text = Text(max_length=2000, allow_blank=True)


class ObjectiveBody(Shape):
    """What is to be reached, and by when."""

    text = Text(max_length=300)
    by = Moment(required=False, allow_null=True)


class DropBody(Shape):
    """Why it is given up."""

    why = _why(True)


class LinkBody(Shape):
    """The other incident."""

    other = Id(source="other_id")
    why = Text(max_length=200, required=False, allow_blank=True)


class UnlinkBody(Shape):
    """The other incident."""

    other = Id(source="other_id")


class ParentBody(Shape):
    """The incident that caused this one; null = none."""

    parent = Id(source="parent_id", allow_null=True)
    why = _why(False)


class LogBody(Shape):
    """One line of the log."""

    text = Text(max_length=5000)
    kind = Text(max_length=20, required=False, help_text="Code of log_kind.")
    headline_zh = Text(max_length=22, required=False, allow_blank=True)
    headline_en = Text(max_length=40, required=False, allow_blank=True)
    happened_at = Moment(required=False, allow_null=True)
    corrects = Id(required=False, allow_null=True, source="corrects_id")
    classification = Whole(min_value=1, max_value=4, required=False)
    attachments = serializers.ListField(child=Id(), required=False, max_length=20, source="attachment_ids")


class InviteBody(Shape):
    """A department that is to take part."""

    department = Id(source="department_id")
    role = serializers.ChoiceField(("lead", "support", "informed"), required=False)
    why = _why(False)


class ChangeBody(Shape):
    """How a department stands; without one, my own."""

    state = serializers.ChoiceField(("alerted", "standing_by", "active", "unable", "stood_down"))
    department = Id(source="department_id", required=False, allow_null=True)
    why = _why(False)


class LeaveBody(Shape):
    """Who leaves; without a department, my own."""

    department = Id(source="department_id", required=False, allow_null=True)
    why = _why(False)


class ShareBody(Shape):
    """With whom, how far, until when."""

    department = Id(source="department_id")
    reach = Whole(min_value=1, max_value=3, required=False)
    max_class = Whole(min_value=1, max_value=3, required=False)
    valid_to = Moment(required=False, allow_null=True)
    why = Text(max_length=200, required=False, allow_blank=True)


class UnshareBody(Shape):
    """From whom it is taken back."""

    department = Id(source="department_id")
    why = Text(max_length=200, required=False, allow_blank=True)


class PaceBody(Shape):
    """How fast waits made from now on run."""

    pace = serializers.FloatField(min_value=0.1, max_value=100)


class FileBody(Shape):
    """A file."""

    file = serializers.FileField(max_length=200, allow_empty_file=True)


class UploadBody(FileBody):
    """A file; with ``incident`` it hangs there at once."""

    incident = Id(source="incident_id", required=False)


class MergeBody(Shape):
    """Into which incident."""

    into = Id(source="into_id")
    why = _why(False)


def body_of(move: str) -> type[Shape]:
    """Return the shape of what a move of an incident takes, from its rows of the table."""
    if move == "merge":
        return MergeBody
    needed = any("why" in row.needed for row in states.MOVES if row.name == move)
    return type(f"Incident{move.capitalize()}Body", (Shape,), {"__doc__": "Why.", "why": _why(needed)})
