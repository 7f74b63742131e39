"""Which tables hold what is due, how it climbs and whether the engine lives?"""

from __future__ import annotations

from django.db import models


class Policy(models.Model):
    """Times and ladders per policy set and response level, as data.

    ``response_level`` 0 = no level set. ``within``: seconds by deadline kind. ``wait``: seconds between steps (w).
    ``ladders``: {kind: [[offset, step], ...]}; an offset is a number of seconds after due, ``"2w"``, ``"5w+1800"`` or a
    share of the term like ``"-50%"``. A last entry [offset, step, every, cap] repeats, its wait doubling up to cap.
    """

    set = models.CharField(max_length=40, default="standard")
    response_level = models.SmallIntegerField()
    within = models.JSONField(default=dict)
    wait = models.IntegerField()
    ladders = models.JSONField(default=dict)
    version = models.IntegerField(default=1)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["set", "response_level"], name="deadlinepolicy_once")]

    def __str__(self) -> str:
        return f"{self.set} level {self.response_level}"


class Deadline(models.Model):
    """Something is due: one row a ladder step, the fired ones kept beside the live one.

    ``subject`` is (type, id); ``ladder`` is frozen: [[seconds after due, step name], ...]. ``generation`` counts
    re-armings of the same kind; ``level`` is the ladder step this row runs (0 = first). ``due_at`` is when that step
    fires; ``base_due`` is when the thing itself was due. ``left``: seconds left when held. ``every``: seconds of the
    grid of a repeating deadline. ``on_outage``: ``fire`` late, or ``extend`` by the time no engine ran.
    """

    class State(models.TextChoices):
        ARMED = "armed"
        FIRED = "fired"
        CANCELLED = "cancelled"
        HELD = "held"

    subject_type = models.CharField(max_length=60)
    subject_id = models.BigIntegerField()
    kind = models.CharField(max_length=20)
    level = models.SmallIntegerField(default=0)
    generation = models.IntegerField(default=1)
    due_at = models.DateTimeField()
    base_due = models.DateTimeField()
    armed_at = models.DateTimeField()
    urgency = models.SmallIntegerField(default=2)
    state = models.CharField(max_length=10, choices=State, default=State.ARMED)
    held_why = models.CharField(max_length=200, blank=True)
    left = models.FloatField(null=True)
    armed_version = models.IntegerField(default=1)
    on_outage = models.CharField(max_length=10, default="fire")
    ladder = models.JSONField(default=list)
    every = models.FloatField(null=True)
    incident_id = models.BigIntegerField(null=True)
    attempts = models.SmallIntegerField(default=0)
    fired_at = models.DateTimeField(null=True)
    step = models.CharField(max_length=30, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subject_type", "subject_id", "kind"],
                condition=models.Q(state__in=["armed", "held"]),
                name="deadline_one_live",
            ),
            models.UniqueConstraint(
                fields=["subject_type", "subject_id", "kind", "generation", "level"], name="deadline_once"
            ),
        ]
        indexes = [
            models.Index(fields=["due_at", "id"], condition=models.Q(state="armed"), name="deadline_hot"),
            models.Index(
                fields=["incident_id"],
                condition=models.Q(state__in=["armed", "held"]),
                name="deadline_incident",
            ),
            models.Index(fields=["fired_at"], condition=models.Q(state="fired"), name="deadline_fired"),
        ]

    def __str__(self) -> str:
        return f"{self.subject_type}:{self.subject_id} {self.kind} {self.due_at}"


class PausedIncident(models.Model):
    """An exercise or story that stands still: what is armed for it meanwhile is armed held."""

    incident_id = models.BigIntegerField(primary_key=True)
    paused_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.incident_id} since {self.paused_at}"


class EngineHeartbeat(models.Model):
    """The last tick of one engine process."""

    process = models.CharField(max_length=80, primary_key=True)
    tick = models.BigIntegerField(default=0)
    at = models.DateTimeField()
    monotonic = models.FloatField(default=0)
    doing = models.CharField(max_length=40, blank=True)

    def __str__(self) -> str:
        return f"{self.process} {self.at}"


class EngineGap(models.Model):
    """A time in which no engine was ticking, or that a jump of the clock left out."""

    class Cause(models.TextChoices):
        SILENCE = "silence"
        CLOCK = "clock"

    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    cause = models.CharField(max_length=10, choices=Cause, default=Cause.SILENCE)

    class Meta:
        indexes = [models.Index(fields=["ended_at"], name="enginegap_ended")]

    def __str__(self) -> str:
        return f"{self.began_at} – {self.ended_at}"


class Alarm(models.Model):
    """Something about the platform itself needs a person (step_empty, poison, clock, watchdog, ...)."""

    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=120)
    detail = models.JSONField(default=dict)
    department_id = models.BigIntegerField(null=True)
    incident_id = models.BigIntegerField(null=True)
    raised_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    version = models.IntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "key"], condition=models.Q(settled_at=None), name="alarm_one_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
