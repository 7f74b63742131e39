"""What does a notice look like from outside?"""

from __future__ import annotations

from rest_framework import serializers

from sharing.access.rest import Shape, Yes


class NoticeShape(Shape):
    """An in-app notice, in the reader's language."""

    id = serializers.IntegerField()
    version = serializers.IntegerField()
    text = serializers.CharField()
    urgency = serializers.CharField()
    exercise = serializers.BooleanField()
    object_type = serializers.CharField()
    object_id = serializers.IntegerField()
    incident = serializers.IntegerField(source="incident_id", allow_null=True)
    at = serializers.DateTimeField()
    read_at = serializers.DateTimeField(allow_null=True)


class NoticeFilters(Shape):
    """Which notices."""

    unread = Yes(required=False)
