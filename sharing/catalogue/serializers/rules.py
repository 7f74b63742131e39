"""What does a rule look like from outside that opens a dataset by itself, and what may be sent of it?"""

from __future__ import annotations

from rest_framework import serializers

from sharing.access.rest import Moment, Shape, Text, Whole

ROLES = ("lead", "support", "informed")


class RuleShape(Shape):
    """What taking part opens of a dataset."""

    id = serializers.IntegerField()
    role = serializers.ChoiceField(ROLES)
    type = serializers.CharField(allow_blank=True, help_text="Code of incident_type, and all below it; empty: any.")
    lowest_level = serializers.IntegerField(help_text="From this response level up: 1 is I, the highest; 4: any.")
    shown = serializers.DictField(help_text='By name: "full" or {"mask": kind}.')
    filter = serializers.DictField()
    grace = serializers.IntegerField(allow_null=True, help_text="Seconds; empty: as usual. Class 3 has none.")
    valid_from = serializers.DateTimeField()
    valid_to = serializers.DateTimeField(allow_null=True)
    state = serializers.ChoiceField(("stands", "later", "waits", "ended"))
    classification = serializers.IntegerField()
    made_at = serializers.DateTimeField()
    made_by = serializers.CharField()
    confirmed_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)


class RuleBody(Shape):
    """What is to open, in which incidents and to whom."""

    role = serializers.ChoiceField(choices=ROLES)
    shown = serializers.JSONField(help_text='By name: "full" or {"mask": kind}.')
    type = Text(max_length=80, required=False, allow_blank=True, help_text="Code of incident_type; empty: any.")
    lowest_level = Whole(required=False, min_value=1, max_value=4)
    filter = serializers.JSONField(required=False)
    grace = Whole(required=False, allow_null=True, min_value=0, max_value=2_592_000)
    valid_from = Moment(required=False, allow_null=True)
    valid_to = Moment(required=False, allow_null=True)


class EndRuleBody(Shape):
    """Why a rule ends."""

    why = Text(max_length=200, required=False, allow_blank=True)
