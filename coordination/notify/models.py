"""Which tables hold what people are told, and whether it reached them?"""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Notice(models.Model):
    """An in-app notice to one person; ``text_key`` and ``args`` are rendered in the reader's language."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    department_id = models.BigIntegerField(null=True)
    event_id = models.BigIntegerField(null=True)
    text_key = models.CharField(max_length=60)
    args = models.JSONField(default=dict)
    object_type = models.CharField(max_length=60)
    object_id = models.BigIntegerField()
    incident_id = models.BigIntegerField(null=True)
    urgency = models.CharField(max_length=12, default="routine")
    exercise = models.BooleanField(default=False)
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    version = models.IntegerField(default=1)

    class Meta:
        indexes = [
            models.Index(fields=["person", "-at", "-id"], name="notice_list"),
            models.Index(fields=["person"], condition=models.Q(read_at=None), name="notice_unread"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.text_key}"


class Delivery(models.Model):
    """One message to one person (or one department's system) over one channel: the durable outbox.

    ``unknown``: sent, but nobody can say whether it arrived; the provider is asked, or it is sent once more.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        SENDING = "sending"
        SENT = "sent"
        FAILED = "failed"
        UNKNOWN = "unknown"
        SUPERSEDED = "superseded"

    dedupe_key = models.CharField(max_length=160, unique=True)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE)
    endpoint = models.ForeignKey("notify.WebhookEndpoint", null=True, on_delete=models.CASCADE)
    department_id = models.BigIntegerField(null=True)
    channel = models.CharField(max_length=20)
    guard = models.JSONField(default=dict)
    state = models.CharField(max_length=12, choices=State, default=State.PENDING)
    text_key = models.CharField(max_length=60)
    args = models.JSONField(default=dict)
    object_type = models.CharField(max_length=60)
    object_id = models.BigIntegerField()
    incident_id = models.BigIntegerField(null=True)
    event_id = models.BigIntegerField(null=True)
    urgency = models.SmallIntegerField(default=2)
    level = models.SmallIntegerField(default=0)
    exercise = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    available_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    attempts = models.SmallIntegerField(default=0)
    repeated = models.BooleanField(default=False)
    provider_ref = models.CharField(max_length=120, blank=True)
    error = models.CharField(max_length=300, blank=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["available_at", "id"],
                condition=models.Q(state__in=["pending", "sending", "unknown"]),
                name="delivery_hot",
            ),
            models.Index(fields=["object_type", "object_id"], name="delivery_object"),
            models.Index(fields=["created_at"], condition=models.Q(state="failed"), name="delivery_failed"),
        ]

    def __str__(self) -> str:
        return self.dedupe_key


class QuietRule(models.Model):
    """When one person, or the people of one department, do not want routine messages outside the screen.

    Times of day where the platform stands; ``ends`` may be the next morning; the same time twice = never quiet.
    """

    person = models.OneToOneField(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    department = models.OneToOneField("accounts.Department", null=True, on_delete=models.CASCADE, related_name="+")
    begins = models.TimeField()
    ends = models.TimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(person=None, department__isnull=False)
                | models.Q(person__isnull=False, department=None),
                name="quietrule_one_owner",
            )
        ]

    def __str__(self) -> str:
        return f"{self.begins:%H:%M}–{self.ends:%H:%M}"


class WebhookEndpoint(models.Model):
    """Where another agency's system wants to be told (Standard Webhooks: signed, id, timestamp)."""

    department_id = models.BigIntegerField()
    url = models.URLField(max_length=500)
    secret = models.CharField(max_length=120)
    event_types = models.JSONField(default=list)
    is_active = models.BooleanField(default=True)
    parked_at = models.DateTimeField(null=True)
    parked_why = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["department_id"], name="webhook_department")]

    def __str__(self) -> str:
        return self.url


class Witness(models.Model):
    """How far one witness outside has been told the log's anchors; ``number``: the last it took.

    ``lease_until``: an engine is at it.
    """

    name = models.CharField(max_length=20, primary_key=True)
    number = models.BigIntegerField(default=0)
    tries = models.SmallIntegerField(default=0)
    retry_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"{self.name} {self.number}"
