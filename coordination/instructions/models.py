"""Which tables hold the closed loop?"""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from coordination.events.text import localized
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
    ladder = models.JSONField(default=dict)
    cancel_reason = models.CharField(max_length=300, blank=True)
    ball = models.CharField(max_length=20, blank=True)
    percent = models.SmallIntegerField(default=0)
    created_at = models.DateTimeField()
    issued_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    version = models.IntegerField(default=1)

    class Meta(Guarded.Meta):
        constraints = [models.UniqueConstraint(fields=["incident", "number"], name="instruction_number")]
        indexes = [models.Index(fields=["state", "-id"], name="instruction_state")]

    def __str__(self) -> str:
        return f"{self.incident_id}-{self.number}"


class InstructionVersion(Guarded):
    """What an instruction says: version n. Immutable once issued.

    ``targets``: [{"department": id, "role": "lead"|"support", "post": code, "successor_of": assignment id?}].
    ``evidence``: list of wanted evidence ("photo", "figures", "text"); ``quantity`` + ``unit``: how much.
    ``objects``: what it is about, for conflicts ([{"kind": "road", "code": "..."}]). ``recheck``: wanted by C.
    ``voice_code``: 4 digits read out on the telephone.
    """

    guard_path: ClassVar[str] = "instruction__incident_id"
    guard_own: ClassVar[tuple[str, ...]] = (
        "instruction__issuer_id", "instruction__assignments__department_id",
    )
    guard_own_alone: ClassVar[bool] = True

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
    created_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    approved_at = models.DateTimeField(null=True)
    issued_at = models.DateTimeField(null=True)

    class Meta(Guarded.Meta):
        constraints = [models.UniqueConstraint(fields=["instruction", "n"], name="instructionversion_once")]

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
    ended_at = models.DateTimeField(null=True)
    version = models.IntegerField(default=1)

    class Meta(Guarded.Meta):
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
    """An executing department asks for an extension, a hold or a clarification; one open ask at a time."""

    guard_path: ClassVar[str] = "assignment__instruction__incident_id"
    guard_own: ClassVar[tuple[str, ...]] = ("assignment__department_id", "assignment__instruction__issuer_id")
    guard_own_alone: ClassVar[bool] = True

    class Kind(models.TextChoices):
        EXTENSION = "extension", _("Extension")
        HOLD = "hold", _("Hold")
        CLARIFY = "clarify", _("Clarification")

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


class ApprovalRule(models.Model):
    """How many approvals an instruction needs: type prefix × response level × basis × urgency; data.

    Empty or null = any; the most specific rule (most fields set, longest type) counts.
    """

    type = models.CharField(max_length=80, blank=True)
    response_level = models.SmallIntegerField(null=True, blank=True)
    basis = models.CharField(max_length=10, blank=True)
    urgency = models.CharField(max_length=12, blank=True)
    approvals = models.SmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["type", "response_level", "basis", "urgency"],
                name="approvalrule_once",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.type or '*'} {self.approvals}"


class ConflictRule(models.Model):
    """Two instructions that must not stand together, as data: verb pairs on the same object in one window."""

    code = models.SlugField(max_length=40, unique=True)
    verb = models.CharField(max_length=40)
    against = models.CharField(max_length=40)
    object_kind = models.CharField(max_length=40)
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=120)

    def __str__(self) -> str:
        return self.code
