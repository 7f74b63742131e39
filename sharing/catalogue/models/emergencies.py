"""Who broke the glass, on what, why, for how long, and how was it judged?"""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class BreakGlass(models.Model):
    """A named person opened one dataset or one incident for themself, for an hour, without being granted it.

    ``department`` and ``post``: for which they acted; ``owner``: the department whose data it was; ``above``: the one
    above that, which judges too once a review is late. ``object_name``: code or number, as it was named. ``kind_of``:
    what makes two alike: the dataset, or the type of the incident. ``ends``: when it ends by itself, ``ended_at``: when
    it was ended before. ``proof``: how the person proved themself. The row is shown by PostgreSQL itself only to whom
    `sharing.access.fence` names.
    """

    class Outcome(models.TextChoices):
        JUSTIFIED = "justified", _("Justified")
        UNJUSTIFIED = "unjustified", _("Not justified")
        PLAN = "plan", _("The plan must change")

    person = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    post = models.CharField(max_length=20)
    department = models.ForeignKey("accounts.Department", on_delete=models.PROTECT, related_name="+")
    owner = models.ForeignKey("accounts.Department", on_delete=models.PROTECT, related_name="+")
    above = models.ForeignKey("accounts.Department", null=True, on_delete=models.PROTECT, related_name="+")
    object_type = models.CharField(max_length=60)
    object_id = models.BigIntegerField()
    object_name = models.CharField(max_length=80)
    kind_of = models.CharField(max_length=120)
    classification = models.SmallIntegerField(default=3)
    reason = models.TextField()
    proof = models.CharField(max_length=10)
    grant_ids = models.JSONField(default=list)
    started_at = models.DateTimeField()
    ends = models.DateTimeField()
    renewed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey("accounts.Person", null=True, on_delete=models.PROTECT, related_name="+")
    ended_why = models.CharField(max_length=200, blank=True)
    review_due = models.DateTimeField()
    escalated_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=12, choices=Outcome, blank=True)
    reviewed_at = models.DateTimeField(null=True)
    reviewed_by = models.ForeignKey("accounts.Person", null=True, on_delete=models.PROTECT, related_name="+")
    review = models.TextField(blank=True)
    version = models.IntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(ends__gt=F("started_at")), name="glass_forward"),
            models.CheckConstraint(
                condition=Q(outcome="", reviewed_at=None, reviewed_by=None) | Q(
                    outcome__in=["justified", "unjustified", "plan"], reviewed_at__isnull=False,
                    reviewed_by__isnull=False,
                ),
                name="glass_reviewed_by_somebody",
            ),
            models.CheckConstraint(condition=Q(reviewed_by=None) | ~Q(reviewed_by=F("person")), name="glass_not_own"),
        ]
        indexes = [
            models.Index(fields=["department", "-id"], name="glass_department"),
            models.Index(fields=["owner", "-id"], name="glass_owner"),
            models.Index(fields=["person", "-id"], name="glass_person"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.object_type}:{self.object_id}"

    def over_at(self) -> datetime:
        """When it was over, or will be."""
        return min(self.ended_at, self.ends) if self.ended_at else self.ends

    def running(self, at: datetime) -> bool:
        """Whether it is open at a moment."""
        return at < self.over_at()


class RuleProposal(models.Model):
    """Glass is broken again and again for the same: should it not be a rule?

    ``uses`` within ``since``–``last``; settled by the owner's people with a reason, never by itself.
    """

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        TAKEN_UP = "taken_up", _("Made a rule")
        DISMISSED = "dismissed", _("Dismissed")

    department = models.ForeignKey("accounts.Department", on_delete=models.PROTECT, related_name="+")
    owner = models.ForeignKey("accounts.Department", on_delete=models.PROTECT, related_name="+")
    kind_of = models.CharField(max_length=120)
    dataset = models.ForeignKey("catalogue.Dataset", null=True, on_delete=models.CASCADE, related_name="+")
    uses = models.IntegerField()
    since = models.DateTimeField()
    last = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey("accounts.Person", null=True, on_delete=models.PROTECT, related_name="+")
    why = models.CharField(max_length=300, blank=True)
    version = models.IntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["department", "owner", "kind_of"], condition=Q(state="open"), name="proposal_one_open"
            ),
        ]
        indexes = [models.Index(fields=["owner", "-id"], name="proposal_owner")]

    def __str__(self) -> str:
        return f"{self.department_id} {self.kind_of} {self.uses}"
