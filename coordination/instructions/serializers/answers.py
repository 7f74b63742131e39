"""What do instructions, assignments and asks look like from outside?"""

from __future__ import annotations

from rest_framework import serializers

from coordination.instructions import states
from sharing.access.rest import Shape
from sharing.access.rest.refs import AsOf, DepartmentRef, PersonRef


class MoveFieldShape(Shape):
    """One field that a move takes."""

    name = serializers.CharField()
    type = serializers.CharField(
        help_text="text, integer, number, boolean, datetime, department (its id), choice, object or list"
    )
    required = serializers.BooleanField()
    choices = serializers.ListField(child=serializers.CharField(), required=False)


class AllowedActionShape(Shape):
    """A move that may be made now: POST to ``href`` with ``fields``."""

    action = serializers.CharField()
    href = serializers.CharField()
    fields = MoveFieldShape(many=True)
    if_match = serializers.BooleanField(help_text="Whether If-Match must be sent.")


class DeadlineShape(Shape):
    """A running clock."""

    kind = serializers.CharField(
        help_text="approve, acknowledge, start, progress, complete, evaluate, revisit or confirm"
    )
    state = serializers.CharField()
    level = serializers.IntegerField(help_text="Steps of the ladder fired so far.")
    base_due = serializers.DateTimeField(required=False)
    due_at = serializers.DateTimeField(help_text="When it fires next.")
    held_why = serializers.CharField(allow_blank=True, required=False)


class IncidentRefShape(Shape):
    """The incident, in short."""

    id = serializers.IntegerField()
    number = serializers.CharField()
    headline = serializers.CharField()
    state = serializers.CharField()
    exercise = serializers.BooleanField()
    response_level = serializers.IntegerField(allow_null=True)


class InstructionRefShape(Shape):
    """The instruction, in short; ``version`` is the current version's number."""

    id = serializers.IntegerField()
    number = serializers.IntegerField()
    version = serializers.IntegerField()
    headline = serializers.CharField()
    urgency = serializers.CharField()
    due_at = serializers.DateTimeField(allow_null=True)
    read_back = serializers.BooleanField()
    evidence = serializers.ListField(child=serializers.CharField())
    issuer = DepartmentRef()
    incident = IncidentRefShape()


class FigureShape(Shape):
    """A figure reported; the value as decimal text."""

    name = serializers.CharField()
    value = serializers.CharField(allow_null=True)
    unit = serializers.CharField(allow_blank=True)


class AttachmentRefShape(Shape):
    """A file, in short."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    href = serializers.CharField()
    kind = serializers.CharField(required=False)


class EvaluationShape(Shape):
    """What the issuer thinks of a final feedback."""

    accepted = serializers.BooleanField()
    outcome = serializers.CharField(allow_blank=True)
    timeliness = serializers.CharField(allow_blank=True)
    remark = serializers.CharField(allow_blank=True)
    new_due = serializers.DateTimeField(allow_null=True, required=False)
    at = serializers.DateTimeField()


class FeedbackShape(Shape):
    """What the executing department reports."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    by = serializers.CharField(allow_null=True)
    percent = serializers.IntegerField()
    text = serializers.CharField()
    final = serializers.BooleanField()
    figures = FigureShape(many=True)
    place = serializers.CharField(allow_blank=True)
    attachments = AttachmentRefShape(many=True)
    evaluation = EvaluationShape(allow_null=True)


class AskShape(Shape):
    """An extension, a hold or a clarification asked for, or an appeal against a ruling."""

    id = serializers.IntegerField()
    version = serializers.IntegerField()
    assignment = serializers.IntegerField(source="assignment_id", required=False)
    kind = serializers.ChoiceField(("extension", "hold", "clarify", "appeal"))
    state = serializers.CharField()
    decider = DepartmentRef(allow_null=True, help_text="Who hears an appeal; null: the issuer, or command.")
    reason = serializers.CharField()
    wanted_until = serializers.DateTimeField(allow_null=True)
    answer = serializers.CharField(allow_blank=True, required=False)
    granted_until = serializers.DateTimeField(allow_null=True, required=False)
    asked_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True, required=False)
    allowed_actions = AllowedActionShape(many=True)


class ChildShape(Shape):
    """An instruction below an assignment."""

    id = serializers.IntegerField()
    number = serializers.IntegerField()
    state = serializers.CharField()
    headline = serializers.CharField()


class AssignmentShape(Shape):
    """One department's part of an instruction."""

    id = serializers.IntegerField()
    version = serializers.IntegerField()
    state = serializers.ChoiceField(sorted(states.OPEN | states.TERMINAL))
    role = serializers.ChoiceField(("lead", "support"))
    post = serializers.CharField()
    department = DepartmentRef()
    instruction = InstructionRefShape()
    acknowledged_version = serializers.IntegerField(allow_null=True)
    acknowledged_at = serializers.DateTimeField(allow_null=True)
    stale = serializers.BooleanField(help_text="A newer version has not been acknowledged.")
    grade = serializers.CharField(
        allow_blank=True, help_text="Evidence of the acknowledgement: system, api, voice, assumed."
    )
    outcome = serializers.CharField(required=False, help_text="`misunderstood` after a read-back that differs.")
    mismatch = serializers.ListField(required=False, help_text="Where a read-back differs.")
    ball = serializers.JSONField(help_text="Who must move next: `platform` or a department.")
    percent = serializers.IntegerField()
    due_at = serializers.DateTimeField(allow_null=True)
    overdue_since = serializers.DateTimeField(allow_null=True)
    level = serializers.IntegerField(help_text="Highest step of escalation reached.")
    deadlines = DeadlineShape(many=True)
    open_ask = AskShape(allow_null=True)
    decline_reason = serializers.CharField(allow_blank=True)
    suggested = DepartmentRef(allow_null=True)
    revisit_at = serializers.DateTimeField(allow_null=True)
    supervised_since = serializers.DateTimeField(allow_null=True)
    supervised_note = serializers.CharField(allow_blank=True)
    who_goes = serializers.CharField(allow_blank=True)
    eta = serializers.DateTimeField(allow_null=True)
    returns = serializers.IntegerField()
    feedback = FeedbackShape(many=True)
    children = ChildShape(many=True)
    as_of = AsOf(required=False)
    allowed_actions = AllowedActionShape(many=True)


class TargetShape(Shape):
    """Whom an instruction is addressed to."""

    department = DepartmentRef()
    role = serializers.ChoiceField(("lead", "support"))
    post = serializers.CharField()


class ApprovalShape(Shape):
    """One person's yes."""

    person = PersonRef()
    at = serializers.DateTimeField()
    remark = serializers.CharField(allow_blank=True)


class VersionRefShape(Shape):
    """A version, in short."""

    n = serializers.IntegerField()
    state = serializers.CharField()
    change_note = serializers.CharField(allow_blank=True)
    issued_at = serializers.DateTimeField(allow_null=True)
    is_cancel = serializers.BooleanField()


class ContentShape(Shape):
    """What an instruction says."""

    headline = serializers.CharField()
    headline_zh = serializers.CharField(allow_blank=True)
    headline_en = serializers.CharField(allow_blank=True)
    text = serializers.CharField(allow_blank=True)
    type = serializers.CharField(allow_blank=True, required=False)
    verb = serializers.CharField(allow_blank=True)
    what = serializers.CharField(allow_blank=True)
    place = serializers.CharField(allow_blank=True)
    latitude = serializers.FloatField(allow_null=True)
    longitude = serializers.FloatField(allow_null=True)
    quantity = serializers.FloatField(allow_null=True)
    unit = serializers.CharField(allow_blank=True)
    objects_named = serializers.ListField(required=False)
    starts_at = serializers.DateTimeField(allow_null=True)
    due_at = serializers.DateTimeField(allow_null=True)
    due_in = serializers.IntegerField(allow_null=True, required=False, help_text="Seconds from issue.")
    urgency = serializers.ChoiceField(("immediate", "urgent", "routine"))
    evidence = serializers.ListField(child=serializers.CharField())
    read_back = serializers.BooleanField()
    recheck = serializers.BooleanField()
    progress_every = serializers.IntegerField(allow_null=True)
    targets = TargetShape(many=True)


class VersionShape(ContentShape):
    """One version, whole."""

    n = serializers.IntegerField()
    state = serializers.CharField()
    change_note = serializers.CharField(allow_blank=True)
    issued_at = serializers.DateTimeField(allow_null=True)
    is_cancel = serializers.BooleanField()


class InstructionRowShape(Shape):
    """An instruction in a list."""

    id = serializers.IntegerField()
    version = serializers.IntegerField()
    number = serializers.IntegerField()
    state = serializers.CharField()
    basis = serializers.CharField()
    urgency = serializers.CharField()
    headline = serializers.CharField()
    incident = IncidentRefShape()
    issuer = DepartmentRef()
    current = serializers.IntegerField(help_text="Number of the version in force.")
    due_at = serializers.DateTimeField(allow_null=True)
    percent = serializers.IntegerField()
    issued_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    allowed_actions = AllowedActionShape(many=True)


class InstructionShape(ContentShape):
    """An instruction, whole."""

    id = serializers.IntegerField()
    version = serializers.IntegerField()
    number = serializers.IntegerField()
    state = serializers.ChoiceField(("draft", "in_approval", "approved", "issued", "closed", "cancelled", "superseded"))
    basis = serializers.ChoiceField(("command", "line", "lateral"))
    incident = IncidentRefShape()
    issuer = DepartmentRef()
    issuer_post = serializers.CharField(allow_blank=True)
    drafter = PersonRef(allow_null=True)
    current = serializers.IntegerField(help_text="Number of the version in force.")
    change_note = serializers.CharField(allow_blank=True)
    issued_first = serializers.BooleanField()
    issued_first_reason = serializers.CharField(allow_blank=True)
    confirmed_at = serializers.DateTimeField(allow_null=True)
    confirm_refused = serializers.CharField(allow_blank=True)
    cancel_reason = serializers.CharField(allow_blank=True)
    percent = serializers.IntegerField()
    ball = serializers.JSONField()
    created_at = serializers.DateTimeField()
    issued_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    voice_code = serializers.CharField(required=False, help_text="To issuer and command only.")
    approvals = ApprovalShape(many=True)
    approvals_needed = serializers.IntegerField(allow_null=True)
    deadlines = DeadlineShape(many=True)
    versions = VersionRefShape(many=True)
    children = ChildShape(many=True)
    assignments = AssignmentShape(many=True)
    as_of = AsOf(required=False)
    allowed_actions = AllowedActionShape(many=True)


class TransitionShape(Shape):
    """One move on the record."""

    at = serializers.DateTimeField()
    effective_at = serializers.DateTimeField()
    subject_type = serializers.CharField()
    subject_id = serializers.IntegerField()
    department = DepartmentRef(allow_null=True)
    move = serializers.CharField()
    before = serializers.CharField(allow_blank=True)
    after = serializers.CharField()
    cause = serializers.CharField()
    reason = serializers.CharField(allow_blank=True)


class LedgerShape(Shape):
    """A stretch of time and the party it is charged to."""

    party = serializers.JSONField(help_text="`platform` or a department.")
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    seconds = serializers.FloatField()


class ConflictShape(Shape):
    """Something that stands against this instruction."""

    key = serializers.CharField()
    rule = serializers.CharField()
    text = serializers.CharField()
    other = ChildShape(required=False)
    signed_by = serializers.JSONField(required=False)


class BurdenShape(Shape):
    """How much a department already has to do."""

    department = DepartmentRef()
    role = serializers.CharField(required=False)
    open_assignments = serializers.IntegerField()
    asks_last_hour = serializers.IntegerField()
    on_duty = serializers.ListField(child=serializers.JSONField())
    empty_shift = serializers.BooleanField()
    usual_seconds = serializers.FloatField(allow_null=True)


class RungShape(Shape):
    """Who hears when, if nothing happens."""

    department = DepartmentRef(allow_null=True, required=False)
    kind = serializers.CharField(required=False)
    at = serializers.DateTimeField(allow_null=True, required=False)
    seconds = serializers.FloatField(required=False)
    step = serializers.CharField()
    people = serializers.ListField(child=serializers.JSONField(), required=False)
