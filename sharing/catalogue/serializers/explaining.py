"""What does the answer to "why is this seen?" look like from outside?"""

from __future__ import annotations

from rest_framework import serializers

from sharing.access.rest import Shape, Text


class ExplainFilters(Shape):
    """About what, and whom."""

    object = Text(max_length=100, help_text="Kind and number: incidents.incident:12, catalogue.record:7.")
    who = Text(
        max_length=80, required=False,
        help_text="Empty: myself. user:li, person:5, person:5@12 (as of department 12), post:12/commander, client:3,"
        " display:4.",
    )  # fmt: skip


class StepShape(Shape):
    """One rule that was asked."""

    code = serializers.CharField(
        help_text="may_view, hangs_on, grants, reach, class, filter, own, wall or private."
    )
    holds = serializers.BooleanField(allow_null=True, help_text="Whether it lets the object be seen.")
    facts = serializers.DictField()


class ToldShape(Shape):
    """One grant that is, was or will be one of theirs."""

    id = serializers.IntegerField()
    state = serializers.CharField(help_text="in_force, not_yet, lapsed, revoked or retired.")
    holder = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    role = serializers.CharField()
    actions = serializers.ListField(child=serializers.CharField())
    reach = serializers.IntegerField()
    max_class = serializers.IntegerField()
    filter = serializers.DictField()
    passes = serializers.BooleanField(allow_null=True, help_text="Whether the filter lets this record through.")
    purpose = serializers.CharField()
    incident_id = serializers.IntegerField(allow_null=True)
    because = serializers.CharField()
    valid_from = serializers.DateTimeField()
    valid_to = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)
    revoked_by = serializers.CharField()
    revoked_why = serializers.CharField()


class FieldShape(Shape):
    """How one field is shown."""

    name = serializers.CharField()
    classification = serializers.IntegerField()
    shown = serializers.CharField(help_text="full, the kind of its mask, or absent.")
    grant_ids = serializers.ListField(child=serializers.IntegerField())
    why = serializers.CharField(help_text="Of what is absent: unnamed, above_class or not_opened.")


class ExplanationShape(Shape):
    """Why somebody sees an object, or not."""

    object = serializers.CharField()
    who = serializers.CharField()
    department_id = serializers.IntegerField(allow_null=True)
    at = serializers.DateTimeField()
    seen = serializers.BooleanField()
    missing = serializers.CharField(help_text="The first rule that keeps it hidden; empty where it is seen.")
    steps = StepShape(many=True)
    grants = ToldShape(many=True)
    fields = FieldShape(many=True)  # type: ignore[assignment]
