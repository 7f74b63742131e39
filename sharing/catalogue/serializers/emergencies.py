"""What does broken glass look like from outside, and what may be sent of it?"""

from __future__ import annotations

from rest_framework import serializers

from sharing.access.rest import Shape
from sharing.access.rest.refs import DepartmentRef, PersonRef
from sharing.access.rest.shapes import BIG, Text
from sharing.catalogue.serializers.entries import DatasetActionShape

GLASS_STATES = ("running", "review", "past")
OUTCOMES = ("justified", "unjustified", "plan")


class GlassFilters(Shape):
    """Which breakings."""

    state = serializers.ChoiceField(choices=GLASS_STATES, required=False)


class ProofBody(Shape):
    """A fresh proof for this act: a code of the second factor; the password, for who has none and needs none here."""

    code = Text(max_length=40, required=False, help_text="A current code or an unused recovery code.")
    password = serializers.CharField(max_length=1000, required=False, trim_whitespace=False)


class BreakGlassBody(ProofBody):
    """One dataset, by id or by department and code, or one incident by its number; and why."""

    reason = Text(max_length=1000, help_text="At least 10 characters; others will judge by it.")
    dataset_id = serializers.IntegerField(min_value=1, max_value=BIG, required=False)
    owner_id = serializers.IntegerField(min_value=1, max_value=BIG, required=False, help_text="With dataset_code.")
    dataset_code = Text(max_length=60, required=False)
    incident = Text(max_length=20, required=False, help_text="The incident's number.")


class EndGlassBody(Shape):
    """Why it ends before its time."""

    why = Text(max_length=200, required=False)


class ReviewGlassBody(Shape):
    """How it is judged."""

    outcome = serializers.ChoiceField(choices=OUTCOMES)
    words = Text(max_length=1000)


class GlassShape(Shape):
    """One breaking of the glass."""

    id = serializers.IntegerField()
    version = serializers.IntegerField()
    number = serializers.CharField()
    kind = serializers.ChoiceField(choices=["dataset", "incident"])
    object_id = serializers.IntegerField(allow_null=True, help_text="Null where what was opened is hidden from me.")
    title = serializers.CharField()
    person = PersonRef()
    post = serializers.CharField()
    department = DepartmentRef()
    owner = DepartmentRef()
    reason = serializers.CharField()
    proof = serializers.CharField(help_text="How the person proved themself: code, key, password.")
    started_at = serializers.DateTimeField()
    ends = serializers.DateTimeField()
    over_at = serializers.DateTimeField()
    renewed_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    ended_by = PersonRef(allow_null=True)
    ended_why = serializers.CharField()
    state = serializers.ChoiceField(choices=["running", "review", "escalated", "past"])
    review_due = serializers.DateTimeField()
    escalated_at = serializers.DateTimeField(allow_null=True)
    outcome = serializers.CharField(help_text="justified, unjustified, plan; empty until it is judged.")
    review = serializers.CharField()
    reviewed_at = serializers.DateTimeField(allow_null=True)
    reviewed_by = PersonRef(allow_null=True)
    allowed_actions = DatasetActionShape(many=True)


class NamedDataset(Shape):
    """A dataset, in short."""

    id = serializers.IntegerField()
    title = serializers.CharField()


class ProposalShape(Shape):
    """A rule that repeated break-glass proposes."""

    id = serializers.IntegerField()
    version = serializers.IntegerField()
    department = DepartmentRef(help_text="Which broke the glass again and again.")
    dataset = NamedDataset(allow_null=True)
    incident_type = serializers.CharField()
    uses = serializers.IntegerField()
    since = serializers.DateTimeField()
    last = serializers.DateTimeField()
    state = serializers.ChoiceField(choices=["open", "taken_up", "dismissed"])
    why = serializers.CharField()
    settled_at = serializers.DateTimeField(allow_null=True)
    allowed_actions = DatasetActionShape(many=True)


class SettleProposalBody(Shape):
    """What becomes of a proposal."""

    to = serializers.ChoiceField(choices=["taken_up", "dismissed"])
    why = Text(max_length=300)
