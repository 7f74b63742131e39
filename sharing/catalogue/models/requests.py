"""Who asked for which data, what was answered, and what was agreed?"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from sharing.catalogue.models.entries import Dataset, LegalBasis


class ShareRequest(models.Model):
    """A department asks for data of another one, or is offered it (``given``: the keeping side began it).

    ``fields``: field policy asked for (`sharing.access.fields`); ``rows``: row filter (`sharing.access.filters`).
    ``holder``: who is to hold the grant: the department, its subtree, or one ``post`` of it. ``incident_id`` is a plain
    id, as the catalogue stands below incidents. ``authority_from``: since when the data authority may decide. Of the
    answer: ``grant_ids`` that it opened, its reasons, and of a refusal the legal basis. ``continues``: the agreement
    that a renewal goes on from.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        SUBMITTED = "submitted", _("Submitted")
        SCREENED = "screened", _("Screened")
        GRANTED = "granted", _("Granted")
        PARTLY_GRANTED = "partly_granted", _("Granted in part")
        REFUSED = "refused", _("Refused")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    class Holder(models.TextChoices):
        DEPARTMENT = "department", _("The whole department")
        SUBTREE = "subtree", _("The department and all below it")
        POST = "post", _("One post of the department")

    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="requests")
    department = models.ForeignKey("accounts.Department", on_delete=models.PROTECT, related_name="+")
    holder = models.CharField(max_length=12, choices=Holder, default=Holder.DEPARTMENT)
    post = models.CharField(max_length=20, blank=True)
    given = models.BooleanField(default=False)
    asked_by = models.BigIntegerField(null=True)
    fields = models.JSONField()
    rows = models.JSONField(default=dict)
    purpose = models.CharField(max_length=200)
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True)
    incident_id = models.BigIntegerField(null=True)
    state = models.CharField(max_length=16, choices=State, default=State.DRAFT)
    escalated = models.BooleanField(default=False)
    made_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    screen_due = models.DateTimeField(null=True)
    answer_due = models.DateTimeField(null=True)
    authority_from = models.DateTimeField(null=True)
    screened_at = models.DateTimeField(null=True)
    screened_by = models.BigIntegerField(null=True)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.BigIntegerField(null=True)
    answer = models.CharField(max_length=1000, blank=True)
    legal_basis = models.ForeignKey(LegalBasis, null=True, on_delete=models.PROTECT, related_name="+")
    continues = models.ForeignKey("Agreement", null=True, on_delete=models.PROTECT, related_name="renewals")
    grant_ids = models.JSONField(default=list)
    version = models.IntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "draft", "submitted", "screened", "granted", "partly_granted", "refused", "withdrawn",
                    ]
                ),
                name="request_state",
            ),
            models.CheckConstraint(condition=Q(holder="post") ^ Q(post=""), name="request_post"),
            models.CheckConstraint(condition=~Q(purpose=""), name="request_purpose"),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gt=models.F("valid_from")), name="request_forward"
            ),
            models.CheckConstraint(
                condition=~Q(state="refused") | (Q(legal_basis__isnull=False) & ~Q(answer="")),
                name="request_refused_with_basis",
            ),
        ]
        indexes = [
            models.Index(
                fields=["dataset", "answer_due", "id"], condition=Q(state__in=["submitted", "screened"]),
                name="request_waiting",
            ),
            models.Index(fields=["department", "-id"], name="request_asked"),
        ]

    def __str__(self) -> str:
        return f"R{self.pk} {self.state}"

    @property
    def number(self) -> str:
        """How people name it."""
        return f"R{self.pk}"


class Agreement(models.Model):
    """What was agreed: ``policy`` is frozen, ``digest`` the SHA-256 of its canonical JSON. Only its end is added later.

    ``pseudonym_key``: hex, a secret of the keeping side, so not part of the policy that both sign. ``unsigned_opens``:
    its grant did not wait for the signatures.
    """

    request = models.OneToOneField(ShareRequest, on_delete=models.PROTECT, related_name="agreement")
    policy = models.JSONField()
    digest = models.CharField(max_length=64)
    pseudonym_key = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True)
    to_be_signed = models.BooleanField(default=False)
    unsigned_opens = models.BooleanField(default=True)
    sign_due = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=40, blank=True)
    ended_why = models.CharField(max_length=300, blank=True)
    version = models.IntegerField(default=1)

    def __str__(self) -> str:
        return f"A{self.pk} {self.digest[:12]}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep a new agreement; one that is there is never changed (its end is set by a query)."""
        if not self._state.adding:
            raise TypeError("an agreement is signed and ended, never changed")
        super().save(*args, **kwargs)

    @property
    def number(self) -> str:
        """How people name it."""
        return f"A{self.pk}"


class Signature(models.Model):
    """One head has signed one agreement for one side, by the digest of what was read."""

    class Side(models.TextChoices):
        KEEPER = "keeper", _("The department that keeps the data")
        RECEIVER = "receiver", _("The department that receives it")

    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT, related_name="signatures")
    side = models.CharField(max_length=8, choices=Side)
    department = models.ForeignKey("accounts.Department", on_delete=models.PROTECT, related_name="+")
    person_id = models.BigIntegerField()
    post = models.CharField(max_length=20)
    at = models.DateTimeField()
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agreement", "side"], name="signature_once")]

    def __str__(self) -> str:
        return f"{self.agreement_id} {self.side}"


class StandingOffer(models.Model):
    """What a steward lets every department have at once for the asking: at most these fields, rows and this long."""

    dataset = models.OneToOneField(Dataset, on_delete=models.CASCADE, related_name="offer")
    fields = models.JSONField()
    rows = models.JSONField(default=dict)
    longest_days = models.IntegerField()
    only_in_open_incident = models.BooleanField(default=False)
    since = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(longest_days__gte=1, longest_days__lte=366), name="offer_longest")
        ]

    def __str__(self) -> str:
        return f"{self.dataset_id} offered"
