"""Which tables hold an order, what it says in each version, and who approved it?"""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from coordination.events.text import localized
from coordination.events.words import WordsField, WordsManager
from sharing.access.guarded import Guarded


class Urgency(models.TextChoices):
    """How quickly an instruction must move."""

    IMMEDIATE = "immediate", _("Immediate")
    URGENT = "urgent", _("Urgent")
    ROUTINE = "routine", _("Routine")


class Instruction(Guarded):
    """An order of one department to one or more, on one incident. What it says stands in its versions."""

    guard_own: ClassVar[tuple[str, ...]] = ("issuer_id", "assignments__department_id")
    guard_own_alone: ClassVar[bool] = True
    # nobody acts on what was never issued, nor reads it
    guard_private: ClassVar[tuple[str, str] | None] = ("issued_at", "issuer_id")

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        IN_APPROVAL = "in_approval", _("In approval")
        APPROVED = "approved", _("Approved")
        ISSUED = "issued", _("Issued")
        CLOSED = "closed", _("Closed")
        CANCELLED = "cancelled", _("Cancelled")
        SUPERSEDED = "superseded", _("Superseded")

    class Basis(models.TextChoices):
        COMMAND = "command", _("Command")
        LINE = "line", _("Line of authority")
        LATERAL = "lateral", _("Lateral request")

    incident = models.ForeignKey("incidents.Incident", on_delete=models.PROTECT, related_name="instructions")
    number = models.IntegerField()
    issuer = models.ForeignKey("accounts.Department", on_delete=models.PROTECT, related_name="+")
    issuer_post = models.CharField(max_length=20, blank=True)
    drafter = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    drafted_by_client = models.BigIntegerField(null=True)
    basis = models.CharField(max_length=10, choices=Basis)
    state = models.CharField(max_length=12, choices=State, default=State.DRAFT)
    current = models.IntegerField(default=1)
    issued_first = models.BooleanField(default=False)
    issued_first_reason = models.CharField(max_length=300, blank=True)
    confirmed_at = models.DateTimeField(null=True)
    confirm_refused = models.CharField(max_length=300, blank=True)
    issuer_person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    parent = models.ForeignKey(
        "instructions.Assignment", null=True, on_delete=models.PROTECT, related_name="children"
    )
    linked = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="successors")
    supersedes = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="superseded_by"
    )
    keep_owed = models.BooleanField(default=False)
    ladder = models.JSONField(default=dict)
    cancel_reason = models.CharField(max_length=300, blank=True)
    ball = models.CharField(max_length=20, blank=True)
    percent = models.SmallIntegerField(default=0)
    created_at = models.DateTimeField()
    moved_at = models.DateTimeField()
    effective_at = models.DateTimeField()
    issued_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    version = models.IntegerField(default=1)

    class Meta(Guarded.Meta):
        constraints = [models.UniqueConstraint(fields=["incident", "number"], name="instruction_number")]
        indexes = [
            models.Index(fields=["state", "-id"], name="instruction_state"),
            # what a desk goes through; the order of the states is the query's
            models.Index(
                fields=["issuer"],
                condition=~models.Q(state__in=["closed", "cancelled", "superseded"]),
                name="instruction_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.incident_id}-{self.number}"


class InstructionVersion(Guarded):
    """What an instruction says: version n. Immutable once issued.

    ``targets``: [{"department": id, "role": "lead"|"support", "post": code, "successor_of": assignment id?}].
    ``evidence``: list of wanted evidence ("photo", "figures", "text"); ``quantity`` + ``unit``: how much.
    ``objects``: what it is about, for conflicts ([{"kind": "road", "code": "..."}]). ``recheck``: wanted by C.
    ``voice_code``: 4 digits that only the executing department sees; read out on the telephone they prove that
    the text arrived. ``authors``: persons who wrote or handed it in; none of them may approve it.
    """

    guard_path: ClassVar[str] = "instruction__incident_id"
    guard_own: ClassVar[tuple[str, ...]] = (
        "instruction__issuer_id", "instruction__assignments__department_id",
    )
    guard_own_alone: ClassVar[bool] = True
    guard_private: ClassVar[tuple[str, str] | None] = ("issued_at", "instruction__issuer_id")

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        IN_APPROVAL = "in_approval", _("In approval")
        APPROVED = "approved", _("Approved")
        ISSUED = "issued", _("Issued")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    instruction = models.ForeignKey(Instruction, on_delete=models.CASCADE, related_name="versions")
    n = models.IntegerField()
    state = models.CharField(max_length=12, choices=State, default=State.DRAFT)
    is_cancel = models.BooleanField(default=False)
    change_note = models.CharField(max_length=300, blank=True)
    type = models.CharField(max_length=80, blank=True)
    headline_zh = models.CharField(max_length=22, blank=True)
    headline_en = models.CharField(max_length=40, blank=True)
    text = models.TextField(blank=True)
    verb = models.CharField(max_length=40, blank=True)
    what = models.CharField(max_length=300, blank=True)
    place = models.CharField(max_length=200, blank=True)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    quantity = models.DecimalField(max_digits=16, decimal_places=3, null=True)
    unit = models.CharField(max_length=20, blank=True)
    objects_named = models.JSONField(default=list)
    starts_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    due_in = models.IntegerField(null=True)
    urgency = models.CharField(max_length=12, choices=Urgency, default=Urgency.ROUTINE)
    evidence = models.JSONField(default=list)
    read_back = models.BooleanField(default=False)
    recheck = models.BooleanField(default=False)
    progress_every = models.IntegerField(null=True)
    targets = models.JSONField(default=list)
    approvals_needed = models.SmallIntegerField(null=True)
    voice_code = models.CharField(max_length=4, blank=True)
    drafter = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    authors = models.JSONField(default=list)
    created_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    approved_at = models.DateTimeField(null=True)
    issued_at = models.DateTimeField(null=True)
    words = WordsField()

    everything = WordsManager()

    class Meta(Guarded.Meta):
        constraints = [models.UniqueConstraint(fields=["instruction", "n"], name="instructionversion_once")]
        indexes = [GinIndex(fields=["words"], name="instructionversion_words")]

    def __str__(self) -> str:
        return f"{self.instruction_id} v{self.n}"

    @property
    def headline(self) -> str:
        """Headline in the reader's language, or the other one where it is empty."""
        return localized(self.headline_zh, self.headline_en)


class Approval(Guarded):
    """One person's yes to one version. Drafter ≠ approver is a constraint: the drafter is copied here."""

    guard_path: ClassVar[str] = "version__instruction__incident_id"

    version = models.ForeignKey(InstructionVersion, on_delete=models.CASCADE, related_name="approvals")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    drafter = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    remark = models.CharField(max_length=300, blank=True)
    signed_conflicts = models.JSONField(default=list)
    at = models.DateTimeField()

    class Meta(Guarded.Meta):
        constraints = [
            models.UniqueConstraint(fields=["version", "person"], name="approval_once"),
            models.CheckConstraint(
                condition=models.Q(drafter=None) | ~models.Q(person=models.F("drafter")), name="approval_four_eyes"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version_id} by {self.person_id}"
