"""Which table holds the part of one executing department?"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from coordination.instructions.models.instruction import Instruction
from sharing.access.guarded import Guarded


class Assignment(Guarded):
    """One executing department's part of an instruction. ``ball``: ``platform`` or a department id as text."""

    guard_path: ClassVar[str] = "instruction__incident_id"
    guard_own: ClassVar[tuple[str, ...]] = ("department_id", "instruction__issuer_id")
    guard_own_alone: ClassVar[bool] = True

    class Role(models.TextChoices):
        LEAD = "lead", _("Lead")
        SUPPORT = "support", _("Support")

    class State(models.TextChoices):
        ISSUED = "issued", _("Issued")
        DELIVERED = "delivered", _("Delivered")
        ACKNOWLEDGED = "acknowledged", _("Acknowledged")
        IN_PROGRESS = "in_progress", _("In progress")
        FEEDBACK_SUBMITTED = "feedback_submitted", _("Feedback submitted")
        EVALUATED = "evaluated", _("Evaluated")
        ON_HOLD = "on_hold", _("On hold")
        DECLINED = "declined", _("Declined")
        CLOSED = "closed", _("Closed")
        SUPERSEDED = "superseded", _("Superseded")
        CANCELLED = "cancelled", _("Cancelled")

    instruction = models.ForeignKey(Instruction, on_delete=models.PROTECT, related_name="assignments")
    department = models.ForeignKey("accounts.Department", on_delete=models.PROTECT, related_name="+")
    post = models.CharField(max_length=20, default="duty_officer")
    role = models.CharField(max_length=8, choices=Role)
    state = models.CharField(max_length=20, choices=State, default=State.ISSUED)
    state_before = models.CharField(max_length=20, blank=True)
    acknowledged_version = models.IntegerField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    evidence_grade = models.CharField(max_length=10, blank=True)
    percent = models.SmallIntegerField(default=0)
    due_at = models.DateTimeField()
    successor_of = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="successors")
    declines = models.SmallIntegerField(default=0)
    decline_reason = models.CharField(max_length=300, blank=True)
    suggested = models.ForeignKey("accounts.Department", null=True, on_delete=models.PROTECT, related_name="+")
    may_decline = models.BooleanField(default=True)
    arbiter = models.BooleanField(default=False)
    arbiter_department = models.ForeignKey(
        "accounts.Department", null=True, on_delete=models.PROTECT, related_name="+"
    )
    revisit_at = models.DateTimeField(null=True)
    supervised_since = models.DateTimeField(null=True)
    supervised_note = models.CharField(max_length=300, blank=True)
    progress_every = models.IntegerField(null=True)
    returns = models.SmallIntegerField(default=0)
    misread = models.SmallIntegerField(default=0)
    who_goes = models.CharField(max_length=200, blank=True)
    eta = models.DateTimeField(null=True)
    escalated_level = models.SmallIntegerField(default=0)
    overdue_since = models.DateTimeField(null=True)
    cancel_owed = models.BooleanField(default=False)
    ball = models.CharField(max_length=20, default="platform")
    created_at = models.DateTimeField()
    moved_at = models.DateTimeField()
    effective_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    version = models.IntegerField(default=1)

    class Meta(Guarded.Meta):
        constraints = [
            # who declined keeps a leading part beside whoever is to take it over
            models.UniqueConstraint(
                fields=["instruction"], name="assignment_one_lead",
                condition=models.Q(role="lead")
                & ~models.Q(state__in=["declined", "closed", "superseded", "cancelled"]),
            ),
            models.UniqueConstraint(
                fields=["instruction", "department"], name="assignment_once",
                condition=~models.Q(state__in=["closed", "superseded", "cancelled"]),
            ),
        ]
        indexes = [
            models.Index(fields=["instruction"], name="assignment_instruction"),
            models.Index(
                fields=["department", "due_at"],
                condition=~models.Q(state__in=["closed", "superseded", "cancelled"]),
                name="assignment_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.instruction_id} {self.department_id}"
