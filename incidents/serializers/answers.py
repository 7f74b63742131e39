"""What do incidents, reports, log and files look like from outside?"""

from __future__ import annotations

from rest_framework import serializers

from sharing.access.rest import Shape
from sharing.access.rest.refs import DepartmentRef, PersonRef

STATES = ("reported", "verified", "responding", "controlled", "recovering", "closed", "rejected", "merged")


class CommandShape(Shape):
    """Who commands: a department, and its person where one is named."""

    department = DepartmentRef()
    person = PersonRef(allow_null=True)


class RefShape(Shape):
    """Another incident, in short."""

    id = serializers.IntegerField()
    number = serializers.CharField()
    headline = serializers.CharField()
    why = serializers.CharField(required=False, allow_blank=True)


class ActionShape(Shape):
    """What may be done now: POST to ``href`` with ``fields``."""

    action = serializers.CharField()
    href = serializers.CharField(required=False)
    fields = serializers.ListField(child=serializers.JSONField(), required=False)
    if_match = serializers.BooleanField(required=False)


class IncidentRowShape(Shape):
    """An incident in a list."""

    id = serializers.IntegerField()
    version = serializers.IntegerField()
    number = serializers.CharField()
    type = serializers.CharField()
    type_name = serializers.CharField()
    headline = serializers.CharField()
    headline_zh = serializers.CharField(allow_blank=True)
    headline_en = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(STATES)
    grade = serializers.IntegerField(allow_null=True)
    warning_level = serializers.CharField(allow_blank=True)
    response_level = serializers.IntegerField(allow_null=True)
    lead = DepartmentRef()
    place = serializers.CharField(allow_blank=True)
    latitude = serializers.FloatField(allow_null=True)
    longitude = serializers.FloatField(allow_null=True)
    exercise = serializers.BooleanField()
    opened_at = serializers.DateTimeField()


class ParticipationShape(Shape):
    """A department's part in an incident."""

    id = serializers.IntegerField()
    version = serializers.IntegerField()
    department = DepartmentRef()
    role = serializers.ChoiceField(("lead", "support", "informed"))
    state = serializers.ChoiceField(("alerted", "standing_by", "active", "unable", "stood_down"))
    why = serializers.CharField(allow_blank=True)
    joined_at = serializers.DateTimeField()
    left_at = serializers.DateTimeField(allow_null=True)


class ObjectiveShape(Shape):
    """What the incident's command wants to reach."""

    id = serializers.IntegerField()
    version = serializers.IntegerField()
    text = serializers.CharField()
    by = serializers.DateTimeField(allow_null=True)
    set_at = serializers.DateTimeField()
    reached_at = serializers.DateTimeField(allow_null=True)
    dropped_at = serializers.DateTimeField(allow_null=True)


class ScaleChangeShape(Shape):
    """One change of a scale, of the state or of command."""

    scale = serializers.CharField()
    before = serializers.CharField(allow_blank=True)
    after = serializers.CharField(allow_blank=True)
    why = serializers.CharField(allow_blank=True)
    by = serializers.JSONField(required=False)
    at = serializers.DateTimeField()


class AttachmentShape(Shape):
    """A file; its bytes are at ``href``."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    content_type = serializers.CharField()
    size = serializers.IntegerField()
    sha256 = serializers.CharField(required=False)
    at = serializers.DateTimeField()
    by = serializers.JSONField(required=False)
    href = serializers.CharField()
    picture = serializers.CharField(allow_null=True, required=False)


class ReportRowShape(Shape):
    """A report, in short."""

    id = serializers.IntegerField()
    number = serializers.CharField()
    channel = serializers.CharField()
    text = serializers.CharField()
    place = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(("received", "verified", "refuted"))
    received_at = serializers.DateTimeField()


class ReportShape(ReportRowShape):
    """Something told to the city."""

    version = serializers.IntegerField()
    type = serializers.CharField(allow_blank=True)
    region_code = serializers.CharField(allow_blank=True)
    latitude = serializers.FloatField(allow_null=True)
    longitude = serializers.FloatField(allow_null=True)
    occurred_at = serializers.DateTimeField(allow_null=True)
    reporter_name = serializers.CharField(allow_blank=True)
    reporter_phone = serializers.CharField(allow_blank=True)
    department = DepartmentRef()
    verify_note = serializers.CharField(allow_blank=True)
    incident = serializers.JSONField()
    exercise = serializers.BooleanField()
    attachments = AttachmentShape(many=True, required=False)
    allowed_actions = ActionShape(many=True, required=False)


class IncidentShape(IncidentRowShape):
    """An incident, as far as the caller sees it: with little reach, only the headline's part is there."""

    description = serializers.CharField(allow_blank=True, required=False)
    commander = CommandShape(allow_null=True, required=False)
    region_code = serializers.CharField(allow_blank=True, required=False)
    area = serializers.JSONField(required=False)
    end_condition = serializers.CharField(allow_blank=True, required=False)
    objectives = ObjectiveShape(many=True, required=False)
    parent = RefShape(allow_null=True, required=False)
    cascades = RefShape(many=True, required=False)
    links = RefShape(many=True, required=False)
    merged_into = RefShape(allow_null=True, required=False)
    absorbed = RefShape(many=True, required=False)
    paused_at = serializers.DateTimeField(allow_null=True, required=False)
    pace = serializers.FloatField(required=False)
    occurred_at = serializers.DateTimeField(allow_null=True, required=False)
    closed_at = serializers.DateTimeField(allow_null=True, required=False)
    reach = serializers.IntegerField(required=False, help_text="1 headline, 2 own part too, 3 all.")
    participations = ParticipationShape(many=True, required=False)
    reports = ReportRowShape(many=True, required=False)
    attachments = AttachmentShape(many=True, required=False)
    scale_changes = ScaleChangeShape(many=True, required=False)
    allowed_actions = ActionShape(many=True, required=False)


class LogEntryShape(Shape):
    """One line of the log."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    happened_at = serializers.DateTimeField(allow_null=True, required=False)
    kind = serializers.CharField()
    text = serializers.CharField()
    headline_zh = serializers.CharField(allow_blank=True, required=False)
    headline_en = serializers.CharField(allow_blank=True, required=False)
    by = serializers.JSONField(required=False)
    classification = serializers.IntegerField(required=False)
    corrects = serializers.IntegerField(source="corrects_id", allow_null=True, required=False)
    corrected_by = serializers.IntegerField(allow_null=True, required=False)
    attachments = AttachmentShape(many=True, required=False)


class MomentShape(Shape):
    """One thing that happened in an incident: log, change of a scale, participation or a move of the loop."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    kind = serializers.CharField()
    headline = serializers.CharField(allow_blank=True)
    text = serializers.CharField(allow_blank=True)
    by = serializers.JSONField()
    object = serializers.JSONField(help_text="Kind and id of what it is about.")


class FoundShape(Shape):
    """Something found."""

    kind = serializers.ChoiceField(("incident", "report", "log"))
    id = serializers.IntegerField()
    number = serializers.CharField()
    headline = serializers.CharField(allow_blank=True)
    text = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField()
    incident = RefShape(allow_null=True)
