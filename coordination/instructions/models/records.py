"""Which tables keep what was done in the loop: moves, evidence, feedback, evaluations, asks, urges?"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from coordination.instructions.models.assignment import Assignment
from coordination.instructions.models.instruction import Instruction
from sharing.access.guarded import Guarded


class Transition(Guarded):
    """One move of an instruction or assignment: the paper trail and the ledger's raw material.

    ``subject_type`` is ``instruction`` or ``assignment``. ``ball`` is who must move next after it.
    """

    guard_path: ClassVar[str] = "incident_id"
    guard_own: ClassVar[tuple[str, ...]] = ("instruction__issuer_id", "instruction__assignments__department_id")
    guard_own_alone: ClassVar[bool] = True

    class Cause(models.TextChoices):
        USER = "user"
        DEADLINE = "deadline"
        SYSTEM = "sys"

    incident_id = models.BigIntegerField()
    instruction = models.ForeignKey(Instruction, on_delete=models.CASCADE, related_name="transitions")
    subject_type = models.CharField(max_length=12)
    subject_id = models.BigIntegerField()
    version = models.IntegerField()
    move = models.CharField(max_length=24)
    before = models.CharField(max_length=20, blank=True)
    after = models.CharField(max_length=20)
    actor_key = models.CharField(max_length=40)
    actor_department = models.BigIntegerField(null=True)
    actor_post = models.CharField(max_length=20, blank=True)
    cause = models.CharField(max_length=8, choices=Cause, default=Cause.USER)
    reason = models.CharField(max_length=300, blank=True)
    data = models.JSONField(default=dict)
    command_id = models.UUIDField(null=True)
    at = models.DateTimeField()
    effective_at = models.DateTimeField()
    ball = models.CharField(max_length=20)

    class Meta(Guarded.Meta):
        constraints = [
            models.UniqueConstraint(fields=["subject_type", "subject_id", "version"], name="transition_once")
        ]
        indexes = [models.Index(fields=["instruction", "at"], name="transition_instruction")]

    def __str__(self) -> str:
        return f"{self.subject_type}:{self.subject_id} {self.move}"


class Acknowledgement(Guarded):
    """Evidence that a department has received one version: grade system > api > voice > assumed."""

    guard_path: ClassVar[str] = "assignment__instruction__incident_id"
    guard_own: ClassVar[tuple[str, ...]] = ("assignment__department_id", "assignment__instruction__issuer_id")
    guard_own_alone: ClassVar[bool] = True

    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="acknowledgements")
    n = models.IntegerField()
    grade = models.CharField(max_length=10)
    reader = models.CharField(max_length=80, blank=True)
    number = models.CharField(max_length=40, blank=True)
    spoken_at = models.DateTimeField(null=True)
    read_back = models.JSONField(null=True)
    mismatch = models.JSONField(default=list)
    contested_at = models.DateTimeField(null=True)
    contested_why = models.CharField(max_length=300, blank=True)
    counted = models.BooleanField(default=True)
    actor_key = models.CharField(max_length=40)
    at = models.DateTimeField()

    class Meta(Guarded.Meta):
        pass

    def __str__(self) -> str:
        return f"{self.assignment_id} v{self.n} {self.grade}"


class Feedback(Guarded):
    """What the executing department reports back. ``figures``: [{"name", "value", "unit"}]."""

    guard_path: ClassVar[str] = "assignment__instruction__incident_id"
    guard_own: ClassVar[tuple[str, ...]] = ("assignment__department_id", "assignment__instruction__issuer_id")
    guard_own_alone: ClassVar[bool] = True

    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="feedback")
    n = models.IntegerField()
    final = models.BooleanField(default=False)
    percent = models.SmallIntegerField()
    text = models.TextField()
    figures = models.JSONField(default=list)
    place = models.CharField(max_length=200, blank=True)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    early_reason = models.CharField(max_length=300, blank=True)
    actor_key = models.CharField(max_length=40)
    reader = models.CharField(max_length=80, blank=True)
    at = models.DateTimeField()

    class Meta(Guarded.Meta):
        indexes = [models.Index(fields=["assignment", "-at"], name="feedback_list")]

    def __str__(self) -> str:
        return f"{self.assignment_id} {self.percent} %"


class Evaluation(Guarded):
    """What the issuer thinks of a final feedback. ``outcome`` is a code of table outcome_grade."""

    guard_path: ClassVar[str] = "assignment__instruction__incident_id"
    guard_own: ClassVar[tuple[str, ...]] = ("assignment__department_id", "assignment__instruction__issuer_id")
    guard_own_alone: ClassVar[bool] = True

    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="evaluations")
    feedback = models.ForeignKey(Feedback, on_delete=models.PROTECT, related_name="evaluations")
    accepted = models.BooleanField()
    outcome = models.CharField(max_length=40, blank=True)
    timeliness = models.CharField(max_length=20, blank=True)
    remark = models.TextField(blank=True)
    new_due = models.DateTimeField(null=True)
    actor_key = models.CharField(max_length=40)
    at = models.DateTimeField()

    class Meta(Guarded.Meta):
        pass

    def __str__(self) -> str:
        return f"{self.assignment_id} {'accepted' if self.accepted else 'returned'}"


class Ask(Guarded):
    """An executing department asks for an extension, a hold or a clarification, or appeals; one open ask at a time.

    ``decider``: who hears an appeal (others are decided by the issuer, the third extension by command);
    ``ruled_by``: key of the person whose ruling it is about, who may not hear it.
    """

    guard_path: ClassVar[str] = "assignment__instruction__incident_id"
    guard_own: ClassVar[tuple[str, ...]] = ("assignment__department_id", "assignment__instruction__issuer_id")
    guard_own_alone: ClassVar[bool] = True

    class Kind(models.TextChoices):
        EXTENSION = "extension", _("Extension")
        HOLD = "hold", _("Hold")
        CLARIFY = "clarify", _("Clarification")
        APPEAL = "appeal", _("Appeal")

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        GRANTED = "granted", _("Granted")
        REFUSED = "refused", _("Refused")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="asks")
    kind = models.CharField(max_length=10, choices=Kind)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    reason = models.CharField(max_length=300)
    wanted_until = models.DateTimeField(null=True)
    decider = models.ForeignKey("accounts.Department", null=True, on_delete=models.PROTECT, related_name="+")
    ruled_by = models.CharField(max_length=40, blank=True)
    consented_by = models.ForeignKey("accounts.Department", null=True, on_delete=models.PROTECT, related_name="+")
    answer = models.CharField(max_length=300, blank=True)
    granted_until = models.DateTimeField(null=True)
    asked_by = models.CharField(max_length=40)
    asked_at = models.DateTimeField()
    decided_by = models.CharField(max_length=40, blank=True)
    decided_at = models.DateTimeField(null=True)
    version = models.IntegerField(default=1)

    class Meta(Guarded.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["assignment"], condition=models.Q(state="open"), name="ask_one_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.assignment_id} {self.kind}"


class Urge(Guarded):
    """Somebody urged a department on (催办): once per ten minutes and urger."""

    guard_path: ClassVar[str] = "assignment__instruction__incident_id"
    guard_own: ClassVar[tuple[str, ...]] = ("assignment__department_id", "assignment__instruction__issuer_id")
    guard_own_alone: ClassVar[bool] = True

    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="urges")
    actor_key = models.CharField(max_length=40)
    department_id = models.BigIntegerField(null=True)
    note = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField()

    class Meta(Guarded.Meta):
        indexes = [models.Index(fields=["assignment", "-at"], name="urge_list")]

    def __str__(self) -> str:
        return f"{self.assignment_id} {self.actor_key}"
