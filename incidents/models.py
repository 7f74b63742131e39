"""Which tables say what is happening?"""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from coordination.events.text import localized
from coordination.events.words import WordsField, WordsManager
from sharing.access.guarded import Guarded


class Counter(models.Model):
    """The last number given in one series; its row is locked until COMMIT, so a series has no gaps."""

    series = models.CharField(max_length=20, primary_key=True)
    last = models.IntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.series} {self.last}"


class Incident(Guarded):
    """One emergency. Grade, warning level and response level are three scales, never one."""

    guard_path: ClassVar[str] = "id"
    guard_reach: ClassVar[int] = 1
    guard_order: ClassVar[tuple[str, ...]] = ("-opened_at", "-id")

    class State(models.TextChoices):
        REPORTED = "reported", _("Reported")
        VERIFIED = "verified", _("Verified")
        RESPONDING = "responding", _("Responding")
        CONTROLLED = "controlled", _("Controlled")
        RECOVERING = "recovering", _("Recovering")
        CLOSED = "closed", _("Closed")
        REJECTED = "rejected", _("Rejected")
        MERGED = "merged", _("Merged")

    class WarningLevel(models.TextChoices):
        NONE = "", _("None")
        RED = "red", _("Red")
        ORANGE = "orange", _("Orange")
        YELLOW = "yellow", _("Yellow")
        BLUE = "blue", _("Blue")

    number = models.CharField(max_length=20, unique=True)
    type = models.CharField(max_length=80)
    headline_zh = models.CharField(max_length=22, blank=True)
    headline_en = models.CharField(max_length=40, blank=True)
    description = models.TextField(blank=True)
    state = models.CharField(max_length=12, choices=State, default=State.REPORTED)
    grade = models.SmallIntegerField(null=True)
    warning_level = models.CharField(max_length=8, choices=WarningLevel, blank=True)
    response_level = models.SmallIntegerField(null=True)
    lead_department = models.ForeignKey("accounts.Department", on_delete=models.PROTECT, related_name="+")
    commander_department = models.ForeignKey(
        "accounts.Department", null=True, on_delete=models.PROTECT, related_name="+"
    )
    commander = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    place = models.CharField(max_length=200, blank=True)
    region_code = models.CharField(max_length=12, blank=True)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    area = models.JSONField(null=True)
    end_condition = models.TextField(blank=True)
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="cascades")
    merged_into = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="absorbed")
    exercise = models.BooleanField(default=False)
    policy_set = models.CharField(max_length=40, default="standard")
    pace = models.FloatField(default=1)
    paused_at = models.DateTimeField(null=True)
    occurred_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    next_instruction_number = models.IntegerField(default=1)
    words = WordsField()
    words_in_full = WordsField()
    version = models.IntegerField(default=1)

    everything = WordsManager()

    class Meta(Guarded.Meta):
        indexes = [
            models.Index(fields=["-opened_at", "-id"], name="incident_opened"),
            models.Index(fields=["state", "-opened_at"], name="incident_state"),
            GinIndex(fields=["words"], name="incident_words"),
            GinIndex(fields=["words_in_full"], name="incident_words_in_full"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.headline}"

    @property
    def headline(self) -> str:
        """Headline (≤ 22 Chinese or ≤ 40 Latin characters) in the reader's language."""
        return localized(self.headline_zh, self.headline_en)


class IncidentInFull(Incident):
    """The same rows, as scoped for whoever sees all of an incident: what only they read, only they find."""

    guard_reach: ClassVar[int] = 3

    class Meta(Guarded.Meta):
        proxy = True


class Report(Guarded):
    """Something told to the city; verified apart from being handled. N reports make one incident.

    Seen by the department that reported it, by those that take it in (``intakes``: the command and monitoring
    centres up its line), by those above either, and by those who see all of the incident it was joined to.
    """

    guard_own: ClassVar[tuple[str, ...]] = ("department_id", "intakes__id")
    guard_own_alone: ClassVar[bool] = True
    guard_order: ClassVar[tuple[str, ...]] = ("-received_at", "-id")

    class State(models.TextChoices):
        RECEIVED = "received", _("Received")
        VERIFIED = "verified", _("Verified")
        REFUTED = "refuted", _("Refuted")

    number = models.CharField(max_length=20, unique=True)
    channel = models.CharField(max_length=20)
    text = models.TextField()
    type = models.CharField(max_length=80, blank=True)
    place = models.CharField(max_length=200, blank=True)
    region_code = models.CharField(max_length=12, blank=True)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    occurred_at = models.DateTimeField(null=True)
    reporter_name = models.CharField(max_length=80, blank=True)
    reporter_phone = models.CharField(max_length=40, blank=True)
    department = models.ForeignKey("accounts.Department", on_delete=models.PROTECT, related_name="+")
    intakes = models.ManyToManyField("accounts.Department", related_name="+")
    received_by = models.CharField(max_length=40)
    received_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.RECEIVED)
    verified_by = models.CharField(max_length=40, blank=True)
    verified_at = models.DateTimeField(null=True)
    verify_note = models.CharField(max_length=300, blank=True)
    incident = models.ForeignKey(Incident, null=True, on_delete=models.PROTECT, related_name="reports")
    exercise = models.BooleanField(default=False)
    words = WordsField()
    version = models.IntegerField(default=1)

    everything = WordsManager()

    class Meta(Guarded.Meta):
        indexes = [
            models.Index(fields=["-received_at", "-id"], name="report_received"),
            GinIndex(fields=["words"], name="report_words"),
        ]

    def __str__(self) -> str:
        return self.number


class ScaleChange(Guarded):
    """One change of a scale, the state, the commander or the lead department: from, to, who, when, why."""

    guard_reach: ClassVar[int] = 1

    class Scale(models.TextChoices):
        GRADE = "grade", _("Grade")
        WARNING_LEVEL = "warning_level", _("Warning level")
        RESPONSE_LEVEL = "response_level", _("Response level")
        STATE = "state", _("State")
        COMMANDER = "commander", _("Commander")
        LEAD = "lead", _("Lead department")

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="scale_changes")
    scale = models.CharField(max_length=16, choices=Scale)
    before = models.CharField(max_length=60, blank=True)
    after = models.CharField(max_length=60, blank=True)
    actor_key = models.CharField(max_length=40)
    actor_department = models.BigIntegerField(null=True)
    why = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField()

    class Meta(Guarded.Meta):
        indexes = [models.Index(fields=["incident", "at"], name="scalechange_incident")]

    def __str__(self) -> str:
        return f"{self.scale} {self.before} → {self.after}"


class Participation(Guarded):
    """A department takes part in an incident."""

    guard_reach: ClassVar[int] = 2

    class Role(models.TextChoices):
        LEAD = "lead", _("Lead")
        SUPPORT = "support", _("Support")
        INFORMED = "informed", _("Informed")

    class State(models.TextChoices):
        ALERTED = "alerted", _("Alerted")
        STANDING_BY = "standing_by", _("Standing by")
        ACTIVE = "active", _("Active")
        UNABLE = "unable", _("Unable")
        STOOD_DOWN = "stood_down", _("Stood down")

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="participations")
    department = models.ForeignKey("accounts.Department", on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=10, choices=Role)
    state = models.CharField(max_length=12, choices=State, default=State.ALERTED)
    why = models.CharField(max_length=300, blank=True)
    joined_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)
    version = models.IntegerField(default=1)

    class Meta(Guarded.Meta):
        constraints = [models.UniqueConstraint(fields=["incident", "department"], name="participation_once")]

    def __str__(self) -> str:
        return f"{self.incident_id} {self.department_id} {self.role}"


class Objective(Guarded):
    """What the incident's command wants to reach."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="objectives")
    text = models.CharField(max_length=300)
    by = models.DateTimeField(null=True)
    reached_at = models.DateTimeField(null=True)
    dropped_at = models.DateTimeField(null=True)
    set_by = models.CharField(max_length=40)
    set_at = models.DateTimeField()
    version = models.IntegerField(default=1)

    class Meta(Guarded.Meta):
        pass

    def __str__(self) -> str:
        return self.text


class IncidentLink(Guarded):
    """Two incidents have to do with each other (symmetric; stored once, smaller id first)."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="links")
    other = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="+")
    why = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()

    class Meta(Guarded.Meta):
        constraints = [models.UniqueConstraint(fields=["incident", "other"], name="incidentlink_once")]

    def __str__(self) -> str:
        return f"{self.incident_id} – {self.other_id}"


class LogEntry(Guarded):
    """One line of the incident's log; appended only, corrected only by a later entry."""

    guard_own: ClassVar[tuple[str, ...]] = ("department_id",)
    guard_class: ClassVar[str] = "classification"
    guard_order: ClassVar[tuple[str, ...]] = ("-at", "-id")

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="log_entries")
    kind = models.CharField(max_length=20, default="note")
    text = models.TextField(blank=True)
    headline_zh = models.CharField(max_length=22, blank=True)
    headline_en = models.CharField(max_length=40, blank=True)
    department = models.ForeignKey("accounts.Department", null=True, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    corrects = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="corrections")
    classification = models.SmallIntegerField(default=2)
    at = models.DateTimeField()
    happened_at = models.DateTimeField(null=True)
    words = WordsField()
    version = models.IntegerField(default=1)

    everything = WordsManager()

    class Meta(Guarded.Meta):
        indexes = [
            models.Index(fields=["incident", "-at", "-id"], name="logentry_list"),
            GinIndex(fields=["words"], name="logentry_words"),
        ]

    def __str__(self) -> str:
        return self.text[:60]

    @property
    def headline(self) -> str:
        """Headline in the reader's language, or the other one where it is empty."""
        return localized(self.headline_zh, self.headline_en)


class Attachment(Guarded):
    """A file on an incident, log entry, report, instruction or feedback: checked by content, new name, guarded.

    ``subject_type``/``subject_id`` name what it hangs on; empty until then (only its uploader sees it).
    ``readers``: departments that see it whatever their reach, such as both sides of an instruction.
    """

    guard_own: ClassVar[tuple[str, ...]] = ("department_id", "readers__id")
    guard_own_alone: ClassVar[bool] = True
    guard_class: ClassVar[str] = "classification"

    incident = models.ForeignKey(Incident, null=True, on_delete=models.CASCADE, related_name="attachments")
    subject_type = models.CharField(max_length=60, blank=True)
    subject_id = models.BigIntegerField(null=True)
    name = models.CharField(max_length=120)
    content_type = models.CharField(max_length=80)
    size = models.IntegerField()
    sha256 = models.CharField(max_length=64)
    classification = models.SmallIntegerField(default=2)
    file = models.FileField(upload_to="attachments/%Y/%m")
    thumbnail = models.FileField(upload_to="thumbnails/%Y/%m", blank=True)
    readers = models.ManyToManyField("accounts.Department", related_name="+")
    department = models.ForeignKey("accounts.Department", null=True, on_delete=models.PROTECT, related_name="+")
    uploaded_by = models.CharField(max_length=40)
    at = models.DateTimeField()

    class Meta(Guarded.Meta):
        indexes = [models.Index(fields=["subject_type", "subject_id"], name="attachment_subject")]

    def __str__(self) -> str:
        return self.name
