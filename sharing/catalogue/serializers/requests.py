"""What do requests for data, agreements and standing offers look like from outside, and what may be sent of them?"""

from __future__ import annotations

from rest_framework import serializers

from sharing.access.rest import Id, Shape, Text, Whole, Yes
from sharing.access.rest.refs import DepartmentRef
from sharing.access.rest.shapes import Moment
from sharing.catalogue.serializers.entries import DatasetActionShape, LegalBasisShape

HOLDERS = ("department", "subtree", "post")
FIELDS_HELP = 'A list of names, each as the schema offers it, or an object: {"name": "full" | {"mask": kind, …}}.'
ROWS_HELP = 'Row filter: {"field", "op", "value"}; {"and": […]}; {"or": […]}; empty = all.'


class RequestedDataset(Shape):
    """The dataset that is asked for."""

    id = serializers.IntegerField()
    title = serializers.CharField()
    classification = serializers.IntegerField(required=False)


class ShareRequestRowShape(Shape):
    """A request for data in a list."""

    id = serializers.IntegerField()
    version = serializers.IntegerField()
    number = serializers.CharField()
    dataset = RequestedDataset()
    keeper = DepartmentRef(help_text="Keeps the data and answers.")
    department = DepartmentRef(help_text="Asks, or is given.")
    holder = serializers.ChoiceField(HOLDERS)
    post = serializers.CharField(allow_blank=True)
    given = serializers.BooleanField(help_text="Begun by the side that keeps the data.")
    purpose = serializers.CharField()
    valid_from = serializers.DateTimeField()
    valid_to = serializers.DateTimeField(allow_null=True)
    incident_id = serializers.IntegerField(allow_null=True)
    state = serializers.ChoiceField(
        ("draft", "submitted", "screened", "granted", "partly_granted", "refused", "withdrawn")
    )
    escalated = serializers.BooleanField(help_text="Not screened or answered in time; never granted by that.")
    submitted_at = serializers.DateTimeField(allow_null=True)
    screen_due = serializers.DateTimeField(allow_null=True)
    answer_due = serializers.DateTimeField(allow_null=True)
    answered_at = serializers.DateTimeField(allow_null=True)


class ShareRequestShape(ShareRequestRowShape):
    """A request for data."""

    fields = serializers.JSONField()  # type: ignore[assignment] # the metaclass takes it off the class
    rows = serializers.JSONField()
    classification = serializers.IntegerField(help_text="The highest of the dataset and the fields asked for.")
    asked_by = serializers.CharField(allow_blank=True)
    screened_by = serializers.CharField(allow_blank=True)
    answered_by = serializers.CharField(allow_blank=True, help_text="Empty where the terms answered by themselves.")
    screened_at = serializers.DateTimeField(allow_null=True)
    authority_from = serializers.DateTimeField(allow_null=True, help_text="Then the data authority may decide too.")
    answer = serializers.CharField(allow_blank=True)
    legal_basis = LegalBasisShape(allow_null=True, help_text="Of a refusal.")
    agreement_id = serializers.IntegerField(allow_null=True)
    continues_id = serializers.IntegerField(allow_null=True, help_text="The agreement that a renewal goes on from.")
    grant_ids = serializers.ListField(child=serializers.IntegerField())
    allowed_actions = DatasetActionShape(many=True)


class ShareRequestFilters(Shape):
    """Which requests."""

    side = serializers.ChoiceField(("answer", "asked"), required=False, default="answer")
    state = serializers.ChoiceField(("open", "draft", "answered"), required=False, default="open")
    dataset_id = Id(required=False)


class AskBody(Shape):
    """A request for data of another department, for one's own."""

    dataset_id = Id()
    fields = serializers.JSONField(help_text=FIELDS_HELP)  # type: ignore[assignment]
    purpose = Text(max_length=200)
    rows = serializers.JSONField(required=False, help_text=ROWS_HELP)
    valid_from = Moment(required=False)
    valid_to = Moment(required=False, help_text="At most one year. Only unconditional data is given without an end.")
    holder = serializers.ChoiceField(HOLDERS, required=False)
    post = Text(required=False, allow_blank=True, max_length=20)
    incident_id = Id(required=False)
    draft = Yes(required=False, help_text="Keep it without submitting it.")


class GiveBody(Shape):
    """Data for a department that has not asked."""

    department_id = Id()
    fields = serializers.JSONField(help_text=FIELDS_HELP)  # type: ignore[assignment]
    purpose = Text(max_length=200)
    rows = serializers.JSONField(required=False, help_text=ROWS_HELP)
    valid_from = Moment(required=False)
    valid_to = Moment(required=False)
    holder = serializers.ChoiceField(HOLDERS, required=False)
    post = Text(required=False, allow_blank=True, max_length=20)
    incident_id = Id(required=False)
    answer = Text(required=False, allow_blank=True, max_length=1000)


class GrantBody(Shape):
    """A grant; what is not sent is as it was asked. Never more than was asked."""

    fields = serializers.JSONField(required=False, help_text=FIELDS_HELP)  # type: ignore[assignment]
    rows = serializers.JSONField(required=False, help_text="Only these of the rows that were asked for.")
    valid_from = Moment(required=False)
    valid_to = Moment(required=False)
    answer = Text(required=False, allow_blank=True, max_length=1000)


class RefuseBody(Shape):
    """A refusal; both are needed."""

    answer = Text(max_length=1000)
    legal_basis_id = Id(help_text="In force now.")


class SignatureShape(Shape):
    """A head's signature."""

    side = serializers.ChoiceField(("keeper", "receiver"))
    person = serializers.CharField()
    post = serializers.CharField()
    at = serializers.DateTimeField()
    digest = serializers.CharField()


class AgreementRowShape(Shape):
    """An agreement in a list."""

    id = serializers.IntegerField()
    version = serializers.IntegerField()
    number = serializers.CharField()
    request_id = serializers.IntegerField()
    dataset = RequestedDataset()
    keeper = DepartmentRef()
    recipient = DepartmentRef()
    digest = serializers.CharField(help_text="SHA-256 of the policy's canonical JSON.")
    intact = serializers.BooleanField(help_text="Whether policy and signatures still fit the digest.")
    state = serializers.ChoiceField(("in_force", "to_be_signed", "over", "ended"))
    signatures_owed = serializers.BooleanField()
    sign_due = serializers.DateTimeField(allow_null=True)
    made_at = serializers.DateTimeField()
    valid_from = serializers.DateTimeField()
    valid_to = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    ended_why = serializers.CharField(allow_blank=True)


class AgreementShape(AgreementRowShape):
    """An agreement."""

    policy = serializers.JSONField(help_text="Frozen.")
    signatures = SignatureShape(many=True)
    allowed_actions = DatasetActionShape(many=True)


class SignBody(Shape):
    """A signature under what was read."""

    digest = Text(max_length=64)


class EndBody(Shape):
    """Why it ends."""

    why = Text(max_length=300)


class RenewBody(Shape):
    """Until when it is to go on."""

    valid_to = Moment()
    purpose = Text(required=False, allow_blank=True, max_length=200)


class OfferShape(Shape):
    """What is given at once for the asking."""

    dataset_id = serializers.IntegerField()
    fields = serializers.JSONField()  # type: ignore[assignment]
    rows = serializers.JSONField()
    longest_days = serializers.IntegerField()
    only_in_open_incident = serializers.BooleanField()
    since = serializers.DateTimeField()


class OfferBody(Shape):
    """A standing offer."""

    fields = serializers.JSONField(help_text=FIELDS_HELP)  # type: ignore[assignment]
    longest_days = Whole(min_value=1, max_value=366)
    rows = serializers.JSONField(required=False, help_text=ROWS_HELP)
    only_in_open_incident = Yes(required=False)
