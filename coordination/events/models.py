"""Which tables hold the log, its streams and the commands already done?"""

from __future__ import annotations

from typing import ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models


class Event(models.Model):
    """One thing that happened. Appended only; ids, never secrets, in ``payload``.

    ``tell``: whom it concerns, as a list of ``{"department": id, "post": code}`` or ``{"person": id}``.
    """

    type = models.CharField(max_length=80)
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=12)
    actor_id = models.BigIntegerField(null=True)
    actor_department = models.BigIntegerField(null=True)
    actor_post = models.CharField(max_length=40, blank=True)
    object_type = models.CharField(max_length=60)
    object_id = models.BigIntegerField()
    version = models.IntegerField(default=1)
    incident_id = models.BigIntegerField(null=True)
    payload = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    tell = models.JSONField(default=list)
    urgency = models.CharField(max_length=12, default="routine")
    exercise = models.BooleanField(default=False)
    command_id = models.UUIDField(null=True)
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["object_type", "object_id", "id"], name="event_object"),
            models.Index(fields=["incident_id", "-id"], name="event_incident"),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.type} {self.object_type}:{self.object_id}"


class StreamHead(models.Model):
    """The last sequence number of one audience's stream; its row is locked last in a transaction."""

    stream = models.CharField(max_length=80, primary_key=True)
    last_seq = models.BigIntegerField(default=0)
    epoch = models.IntegerField(default=1)

    def __str__(self) -> str:
        return f"{self.stream} {self.epoch}.{self.last_seq}"


class StreamEntry(models.Model):
    """One event as one audience reads it. ``home`` marks exactly one entry of each event, for the relay.

    ``at`` is the database's clock at the insert, never moved.
    """

    pk = models.CompositePrimaryKey("stream", "seq")
    stream = models.CharField(max_length=80)
    seq = models.BigIntegerField()
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="entries")
    home = models.BooleanField(default=False)
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["at"], name="streamentry_at", condition=models.Q(home=True))]

    def __str__(self) -> str:
        return f"{self.stream} {self.seq}"


class RelayCursor(models.Model):
    """How far one subscriber has handled one stream; moves in one transaction with its effects.

    ``tries``: how often the entry after ``seq`` has failed; it is tried again from ``retry_at`` on (server clock).
    The row of stream ``*`` holds when, in Unix milliseconds, this subscriber was last found to have nothing left.
    """

    subscriber = models.CharField(max_length=40)
    stream = models.CharField(max_length=80)
    seq = models.BigIntegerField(default=0)
    tries = models.SmallIntegerField(default=0)
    retry_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["subscriber", "stream"], name="relaycursor_one")]

    def __str__(self) -> str:
        return f"{self.subscriber} {self.stream} {self.seq}"


class Command(models.Model):
    """A command id already taken, and what came of it; kept 30 days."""

    actor_key = models.CharField(max_length=40)
    key = models.UUIDField()
    name = models.CharField(max_length=80)
    request_hash = models.CharField(max_length=64)
    result_type = models.CharField(max_length=60, blank=True)
    result_id = models.BigIntegerField(null=True)
    reply_status = models.SmallIntegerField(null=True)
    reply_body = models.TextField(blank=True)
    reply_headers = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["actor_key", "key"], name="command_once")]
        indexes: ClassVar = [models.Index(fields=["at"], name="command_at")]

    def __str__(self) -> str:
        return f"{self.actor_key} {self.key} {self.name}"


class Refusal(models.Model):
    """An act that was refused; written by the edge after the roll-back, in no stream."""

    at = models.DateTimeField()
    actor_key = models.CharField(max_length=40)
    actor_department = models.BigIntegerField(null=True)
    operation = models.CharField(max_length=120)
    object_type = models.CharField(max_length=60, blank=True)
    object_id = models.CharField(max_length=40, blank=True)
    code = models.CharField(max_length=60)
    request_id = models.CharField(max_length=64, blank=True)
    address = models.GenericIPAddressField(null=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["-at"], name="refusal_at")]

    def __str__(self) -> str:
        return f"{self.at} {self.actor_key} {self.operation} {self.code}"


class ReadEntry(models.Model):
    """Somebody was given something classified: whom, which objects (the first 200), and what for."""

    at = models.DateTimeField()
    actor_key = models.CharField(max_length=40)
    actor_department = models.BigIntegerField(null=True)
    actor_post = models.CharField(max_length=20, blank=True)
    purpose = models.CharField(max_length=200, blank=True)
    operation = models.CharField(max_length=120)
    object_type = models.CharField(max_length=60)
    ids = models.JSONField(default=list)
    count = models.IntegerField()
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["-at"], name="readentry_at")]

    def __str__(self) -> str:
        return f"{self.at} {self.actor_key} {self.operation} {self.count}"


class ClockOffset(models.Model):
    """Moves every process's clock; read only where ``MUSTER_MOVABLE_CLOCK`` is on (tests)."""

    seconds = models.FloatField(default=0)

    def __str__(self) -> str:
        return f"{self.seconds} s"
