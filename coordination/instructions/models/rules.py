"""Which rules decide how many approvals an order needs and which orders contradict each other?"""

from __future__ import annotations

from django.db import models


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
