"""What do records of a dataset and its transfers look like from outside, and what may be sent of them?"""

from __future__ import annotations

import json
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from sharing.access.rest import Shape
from sharing.access.rest.shapes import Whole


class Tree(serializers.CharField):
    """A row filter as JSON text, at most 8,000 characters."""

    def to_internal_value(self, value: Any) -> Any:
        """Return the tree; what it says is judged against the schema later."""
        text = super().to_internal_value(value)
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise serializers.ValidationError(_("This is no JSON."), code="not_json") from None


class RecordFilters(Shape):
    """Which records."""

    where = Tree(
        required=False, max_length=8000,
        help_text='JSON: {"field", "op", "value"}, op eq, in, lt, lte, gt, gte, within; {"and": [...]}; {"or": [...]}.',
    )  # fmt: skip
    sort = serializers.CharField(
        required=False, max_length=64, help_text="A filterable field; with - before it, the greatest first.",
    )
    as_of = Whole(required=False, min_value=1, help_text="Number of a transfer: records as it left them.")


class RecordShape(Shape):
    """One record, as far as it is open to me."""

    id = serializers.IntegerField()
    since = serializers.IntegerField(help_text="Number of the transfer that brought it as it is.")
    classification = serializers.IntegerField()
    data = serializers.DictField(help_text="Fields by name, in the form of the schema; what is not open is not there.")  # type: ignore[assignment]
    masked = serializers.ListField(child=serializers.CharField(), help_text="Fields that are shown in part only.")


class DeliveryBody(Shape):
    """Records for a dataset."""

    mode = serializers.ChoiceField(
        choices=["whole", "part"], required=False, help_text="whole: all there are; part: those named."
    )
    records = serializers.ListField(child=serializers.JSONField(), max_length=10_000)


class TransferShape(Shape):
    """What a delivery did."""

    number = serializers.IntegerField()
    mode = serializers.CharField()
    at = serializers.DateTimeField()
    schema_number = serializers.IntegerField()
    digest = serializers.CharField(help_text="SHA-256 of what was delivered, in the form in which it is kept.")
    added = serializers.IntegerField()
    changed = serializers.IntegerField()
    ended = serializers.IntegerField()
    same = serializers.IntegerField()
