"""Which tables hold the log, its streams and the commands already done?"""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.expressions import Func

CURRENT_TRANSACTION = Func(template="(pg_current_xact_id()::text::bigint)", output_field=models.BigIntegerField())


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
            models.Index(fields=["at", "id"], name="event_at"),
            models.Index(fields=["actor_department", "at", "id"], name="event_department"),
            models.Index(fields=["actor_id", "at", "id"], name="event_actor"),
            models.Index(fields=["type", "at", "id"], name="event_type"),
            models.Index(fields=["request_id"], name="event_request", condition=~models.Q(request_id="")),
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
    """Somebody was given something classified: whom, which objects (the first 200), by which grants, and what for.

    ``xid``: the transaction that wrote it, set by the database: reads are sealed in that order, without a counter.
    """

    at = models.DateTimeField()
    actor_key = models.CharField(max_length=40)
    actor_department = models.BigIntegerField(null=True)
    actor_post = models.CharField(max_length=20, blank=True)
    purpose = models.CharField(max_length=200, blank=True)
    operation = models.CharField(max_length=120)
    object_type = models.CharField(max_length=60)
    ids = models.JSONField(default=list)
    count = models.IntegerField()
    grants = models.JSONField(default=list, db_default=[])
    request_id = models.CharField(max_length=64, blank=True)
    xid = models.BigIntegerField(db_default=CURRENT_TRANSACTION)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["-at"], name="readentry_at"),
            models.Index(fields=["xid", "id"], name="readentry_xid"),
            models.Index(fields=["actor_department", "at", "id"], name="readentry_department"),
            models.Index(fields=["actor_key", "at", "id"], name="readentry_actor"),
            models.Index(fields=["operation", "at", "id"], name="readentry_operation"),
            models.Index(fields=["request_id"], name="readentry_request", condition=~models.Q(request_id="")),
            GinIndex(fields=["grants"], name="readentry_grants", opclasses=["jsonb_path_ops"]),
            GinIndex(fields=["ids"], name="readentry_ids", opclasses=["jsonb_path_ops"]),
        ]

    def __str__(self) -> str:
        return f"{self.at} {self.actor_key} {self.operation} {self.count}"


class Seal(models.Model):
    """What an entry said when it was sealed: SHA-256 over the seal before it and every field; written by the sealer.

    ``read_id``: the `ReadEntry`, in the chain of `streams.ACCESS_LOG`; else the `StreamEntry` of the same key is meant.
    ``version``: which fields, in which order (`coordination.events.sealing.fields`).
    """

    pk = models.CompositePrimaryKey("stream", "seq")
    stream = models.CharField(max_length=80)
    seq = models.BigIntegerField()
    prev = models.BinaryField()
    hash = models.BinaryField()
    version = models.SmallIntegerField(default=1)
    read_id = models.BigIntegerField(null=True)

    def __str__(self) -> str:
        return f"{self.stream} {self.seq}"


class SealHead(models.Model):
    """Where the sealer goes on in one chain. ``read_xid``, ``read_id``: the last read sealed (access log alone)."""

    stream = models.CharField(max_length=80, primary_key=True)
    seq = models.BigIntegerField(default=0)
    hash = models.BinaryField()
    at = models.DateTimeField()
    read_xid = models.BigIntegerField(default=0)
    read_id = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.stream} {self.seq}"


class Anchor(models.Model):
    """A signed digest over the heads of all chains at one moment, handed to witnesses outside of this database.

    ``heads``: SHA-256 over them all; ``prev``: the digest of the anchor before; ``key``: which key signed (its first
    16 hexadecimal digits); ``signature``: Ed25519.
    """

    number = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    streams = models.IntegerField()
    heads = models.BinaryField()
    prev = models.BinaryField()
    key = models.CharField(max_length=16)
    signature = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.number} {self.at}"


class AnchorHead(models.Model):
    """Where one chain stood at an anchor, if it had moved since the anchor before."""

    pk = models.CompositePrimaryKey("stream", "number")
    stream = models.CharField(max_length=80)
    number = models.BigIntegerField()
    seq = models.BigIntegerField()
    hash = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.number} {self.stream} {self.seq}"


class LogCheck(models.Model):
    """One verification of the log: asked for by an auditor, or due each day. The engine works it off.

    ``covers``: the moment up to which it speaks. ``anchored``: the keys were known, so anchors were compared too.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        PROVEN = "proven"
        CHANGED = "changed"
        UNPROVEN = "unproven"
        FAILED = "failed"

    asked_by = models.CharField(max_length=40)
    asked_department = models.BigIntegerField(null=True)
    asked_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    covers = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    entries = models.BigIntegerField(default=0)
    anchored = models.BooleanField(default=False)
    findings = models.JSONField(default=list)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["state", "id"], name="logcheck_state")]

    def __str__(self) -> str:
        return f"{self.asked_at} {self.state}"


class LogExport(models.Model):
    """A part of the log as a file, for who asked for it. ``asked``: what was searched for, ``within`` which places.

    ``content``: compressed (zlib); ``digest``: SHA-256 of the file as it is handed out. The engine makes it.
    """

    class Form(models.TextChoices):
        CSV = "csv"
        BUNDLE = "bundle"

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        READY = "ready"
        FAILED = "failed"

    asked_by = models.CharField(max_length=40)
    asked_department = models.BigIntegerField(null=True)
    asked_at = models.DateTimeField()
    form = models.CharField(max_length=6, choices=Form)
    asked = models.JSONField(default=dict)
    within = models.JSONField(null=True)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    began_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    lines = models.IntegerField(default=0)
    cut = models.BooleanField(default=False)
    error = models.CharField(max_length=200, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    content = models.BinaryField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["state", "id"], name="logexport_state"),
            models.Index(fields=["asked_by", "-id"], name="logexport_asked_by"),
        ]

    def __str__(self) -> str:
        return f"{self.asked_at} {self.form} {self.state}"


class ClockOffset(models.Model):
    """Moves every process's clock; read only where ``MUSTER_MOVABLE_CLOCK`` is on (tests)."""

    seconds = models.FloatField(default=0)

    def __str__(self) -> str:
        return f"{self.seconds} s"
