"""Which tables say who may see what, since when, until when and why?"""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Scope(models.Model):
    """An interned holder of rights. ``key``: department id, ``<department>/<post>``, person or display id.

    Once ``retired_at`` is set nobody resolves to it any more, however many grants it holds. Its key then ends in
    ``~<id>``: what the same holder is given later hangs on a new row.
    """

    class Kind(models.TextChoices):
        DEPARTMENT = "department"
        SUBTREE = "subtree"
        POST = "post"
        PERSON = "person"
        DISPLAY = "display"
        EVERY_DEPARTMENT = "every_department"
        PUBLIC = "public"

    kind = models.CharField(max_length=20, choices=Kind)
    key = models.CharField(max_length=60, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="scope_once")]

    def __str__(self) -> str:
        return f"{self.kind}:{self.key}"


class Policy(models.Model):
    """What of an object a grant opens: ``reach`` 1 headline and sitreps, 2 also own part and report, 3 all;
    ``max_class`` 1–4. Immutable; interned by content. ``fields`` stays empty: those of datasets are `FieldPolicy`.
    """

    reach = models.SmallIntegerField()
    max_class = models.SmallIntegerField()
    fields = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["reach", "max_class", "fields"], name="policy_once")]

    def __str__(self) -> str:
        return f"reach {self.reach} class {self.max_class}"


class FieldPolicy(models.Model):
    """Which fields of a dataset's records a grant shows, as `sharing.access.fields` says. Immutable; interned.

    ``digest``: SHA-256 of the content, since what names three hundred fields is longer than an index's row may be.
    """

    digest = models.CharField(max_length=64, unique=True)
    fields = models.JSONField()

    def __str__(self) -> str:
        return self.digest[:12]


class ShareRule(models.Model):
    """What taking part in an incident opens of a dataset by itself, to the departments that take part in ``role``.

    It holds for incidents of ``type_path`` and every type below it (empty: of any), or for one incident alone; while
    the response level is ``lowest_level`` or higher (I, 1, is the highest; none declared counts as 4). The dataset is
    kept by ``department_id``. ``policy``: up to which class fields are shown. ``grace``: seconds for which is kept
    what is taken back; empty: none after a fall of the level, 24 h after leaving or closing; never any from class 3 on.
    ``personal``: of persons, so no exercise opens it. ``needs_second``: it opens nothing before somebody else has
    confirmed it. A rule is never changed, only ended: grants copy what it says.
    """

    dataset_id = models.BigIntegerField()
    department_id = models.BigIntegerField()
    incident_id = models.BigIntegerField(null=True)
    type_path = models.CharField(max_length=80, blank=True)
    role = models.CharField(max_length=12)
    lowest_level = models.SmallIntegerField(default=4)
    fields = models.ForeignKey(FieldPolicy, on_delete=models.PROTECT, db_index=False)
    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, db_index=False)
    filter = models.JSONField(default=dict)
    pseudonym_key = models.CharField(max_length=64)
    personal = models.BooleanField(default=False)
    grace = models.IntegerField(null=True)
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True)
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=40)
    needs_second = models.BooleanField(default=False)
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.CharField(max_length=40, blank=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.CharField(max_length=40, blank=True)
    revoked_why = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(role__in=["lead", "support", "informed"]), name="share_rule_role"),
            models.CheckConstraint(condition=Q(lowest_level__gte=1, lowest_level__lte=4), name="share_rule_level"),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gt=models.F("valid_from")), name="share_rule_forward"
            ),
            models.CheckConstraint(
                condition=~Q(confirmed_by=models.F("made_by")) | Q(confirmed_at=None), name="share_rule_four_eyes"
            ),
        ]
        indexes = [
            models.Index(fields=["dataset_id"], name="share_rule_dataset"),
            models.Index(fields=["role"], condition=Q(revoked_at=None), name="share_rule_standing"),
        ]

    def __str__(self) -> str:
        return f"{self.dataset_id} to {self.role} in {self.type_path or 'any'}"


class Grant(models.Model):
    """Why a scope may see an object. Truth; the visibility table is derived in the same transaction.

    ``actions``: ``view``, and ``command`` for the lead and its command centre. ``role``: lead, support, informed,
    or what else it derives from. ``because``: ``department:<id>``, the department whose taking part it rests on.
    Of datasets: ``filter`` says which records (`sharing.access.filters`; empty = all), ``fields`` which fields;
    ``pseudonym_key``: hex, the agreement's. ``rule_id``: the `ShareRule` that wrote it for whoever takes part;
    ``let_go_at``: since when that rule and part no longer carry it, so that it only runs out.
    """

    class Source(models.TextChoices):
        OWNER = "owner"
        PARTICIPATION = "participation"
        ABOVE = "above"
        COMMAND = "command"
        SHARED = "shared"
        PLAN = "plan"
        RULE = "rule"
        UNCONDITIONAL = "unconditional"
        AGREEMENT = "agreement"
        BREAK_GLASS = "break_glass"
        FEDERATION = "federation"

    scope = models.ForeignKey(Scope, on_delete=models.PROTECT, related_name="grants")
    object_type = models.CharField(max_length=60)
    object_id = models.BigIntegerField()
    actions = models.JSONField(default=list)
    policy = models.ForeignKey(Policy, on_delete=models.PROTECT)
    fields = models.ForeignKey(FieldPolicy, null=True, on_delete=models.PROTECT, db_index=False)
    filter = models.JSONField(default=dict, db_default={})
    pseudonym_key = models.CharField(max_length=64, blank=True, db_default="")
    purpose = models.CharField(max_length=200, blank=True)
    incident_id = models.BigIntegerField(null=True)
    source = models.CharField(max_length=16, choices=Source)
    role = models.CharField(max_length=12, blank=True)
    because = models.CharField(max_length=60, blank=True)
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.CharField(max_length=40, blank=True)
    revoked_why = models.CharField(max_length=200, blank=True)
    rule_id = models.BigIntegerField(null=True)
    let_go_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["object_type", "object_id"], name="grant_object"),
            models.Index(fields=["scope"], name="grant_scope"),
            models.Index(
                fields=["incident_id", "rule_id"], condition=Q(rule_id__isnull=False, let_go_at=None),
                name="grant_by_rule",
            ),
            models.Index(fields=["rule_id"], condition=Q(rule_id__isnull=False), name="grant_of_rule"),
        ]

    def __str__(self) -> str:
        return f"{self.scope_id} {self.object_type}:{self.object_id} {self.source}"


class VisIncident(models.Model):
    """Who sees which incident now (``sharing.access`` alone reads and writes it)."""

    pk = models.CompositePrimaryKey("scope", "incident_id", "grant")
    scope = models.ForeignKey(Scope, on_delete=models.CASCADE, db_index=False)
    incident_id = models.BigIntegerField()
    grant = models.ForeignKey(Grant, on_delete=models.CASCADE)
    opened_at = models.DateTimeField()
    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, db_index=False)
    reach = models.SmallIntegerField()
    max_class = models.SmallIntegerField()
    valid_to = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["scope", "-opened_at", "-incident_id"], name="vis_list"),
            models.Index(fields=["incident_id", "scope"], name="vis_find"),
        ]

    def __str__(self) -> str:
        return f"{self.scope_id} sees {self.incident_id}"


class RequestCount(models.Model):
    """How often one caller asked in the current minute (``slot``: minutes since 1970), for the limits of the API."""

    key = models.CharField(max_length=80, primary_key=True)
    slot = models.BigIntegerField()
    n = models.IntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.key} {self.n}"
