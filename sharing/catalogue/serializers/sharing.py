"""What do grants and their receipts look like from outside, and what may be sent of them?"""

from __future__ import annotations

from rest_framework import serializers

from sharing.access.rest import Id, Shape, Text, Yes
from sharing.access.rest.refs import DepartmentRef
from sharing.catalogue.serializers.entries import DatasetActionShape

STATES = ("in_force", "not_yet", "lapsed", "revoked")
SOURCES = (
    "unconditional", "agreement", "plan", "participation", "above", "command", "shared", "break_glass", "federation",
)  # fmt: skip


class GrantFilters(Shape):
    """Which grants."""

    side = serializers.ChoiceField(["given", "received"], required=False, help_text="given where nothing is said.")
    state = serializers.ChoiceField(STATES, required=False)
    source = serializers.ChoiceField(SOURCES, required=False, help_text="Why it was given.")
    dataset_id = Id(required=False, help_text="Of this dataset.")


class GrantDatasetShape(Shape):
    """The dataset that a grant opens."""

    id = serializers.IntegerField()
    code = serializers.CharField()
    title = serializers.CharField()
    classification = serializers.IntegerField()
    department = DepartmentRef()


class HolderShape(Shape):
    """Who holds a grant."""

    kind = serializers.CharField(
        help_text="department, subtree, post, person, display, every_department, public"
    )
    name = serializers.CharField()
    department = DepartmentRef(allow_null=True)
    post = serializers.CharField(allow_blank=True)


class GrantFieldShape(Shape):
    """One field that a grant shows."""

    name = serializers.CharField(help_text="* stands for all fields.")
    title = serializers.CharField()
    mask = serializers.CharField(allow_blank=True, help_text="Kind of mask; empty: shown whole.")
    mask_name = serializers.CharField(allow_blank=True)


class GrantShape(Shape):
    """What is opened to whom, on which terms."""

    id = serializers.IntegerField()
    dataset = GrantDatasetShape()
    holder = HolderShape()
    fields = GrantFieldShape(many=True, help_text="What it does not name is not shown.")  # type: ignore[assignment]
    filter = serializers.JSONField(help_text="Which records; empty: all.")
    filter_words = serializers.CharField(allow_blank=True)
    max_class = serializers.IntegerField(help_text="Fields up to this class.")
    purpose = serializers.CharField(allow_blank=True)
    source = serializers.ChoiceField(SOURCES)
    source_name = serializers.CharField()
    incident_id = serializers.IntegerField(allow_null=True)
    valid_from = serializers.DateTimeField()
    valid_to = serializers.DateTimeField(allow_null=True, help_text="Exclusive; null: without end.")
    state = serializers.ChoiceField(STATES)
    state_name = serializers.CharField()
    revoked_at = serializers.DateTimeField(allow_null=True)
    revoked_by = serializers.CharField(allow_blank=True)
    revoked_why = serializers.CharField(allow_blank=True)
    last_read = serializers.DateTimeField(allow_null=True)
    times = serializers.IntegerField(allow_null=True, help_text="Reads by it; null for whoever holds it.")
    count = serializers.IntegerField(allow_null=True, help_text="Records read by it.")
    allowed_actions = DatasetActionShape(many=True)


class RevokeBody(Shape):
    """Why a grant is taken back."""

    why = Text(max_length=200, help_text="Told to whoever held it.")
    all_of_holder = Yes(required=False, help_text="With it all that the same holder has of this dataset.")


class ReceiptShape(Shape):
    """What one department read by a grant, in one post and for one purpose."""

    department = DepartmentRef(allow_null=True)
    post = serializers.CharField(allow_blank=True)
    post_name = serializers.CharField(allow_blank=True)
    purpose = serializers.CharField(allow_blank=True)
    first = serializers.DateTimeField()
    last = serializers.DateTimeField()
    times = serializers.IntegerField(help_text="How often.")
    count = serializers.IntegerField(help_text="How many records together.")
