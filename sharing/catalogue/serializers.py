"""What does a code look like from outside?"""

from __future__ import annotations

from rest_framework import serializers

from sharing.access.rest import Shape, Yes


class TableShape(Shape):
    """A code table."""

    table = serializers.CharField()


class CodeShape(Shape):
    """One entry of a code table."""

    code = serializers.CharField()
    parent = serializers.CharField(allow_blank=True)
    name_zh = serializers.CharField()
    name_en = serializers.CharField()
    data = serializers.JSONField()
    active = serializers.BooleanField()


class CodeFilters(Shape):
    """Which codes."""

    all = Yes(required=False, help_text="Also those no longer in use.")
