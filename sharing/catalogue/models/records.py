"""Which records of a dataset are there, and by which transfer did they come?"""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from sharing.access.guarded import GuardedManager, Opened
from sharing.catalogue.models.entries import Dataset, SchemaVersion


class Transfer(models.Model):
    """One delivery of records (数据报送), numbered for each dataset; ``mode``: all of them, or those that it names.

    ``digest``: SHA-256 of what was delivered, in the form in which it is kept. ``added``, ``changed``, ``ended`` and
    ``same`` count records.
    """

    class Mode(models.TextChoices):
        WHOLE = "whole", _("Whole")
        PART = "part", _("Part")

    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="transfers")
    number = models.IntegerField()
    schema = models.ForeignKey(SchemaVersion, on_delete=models.PROTECT, related_name="+")
    mode = models.CharField(max_length=8, choices=Mode)
    at = models.DateTimeField()
    actor_key = models.CharField(max_length=40)
    digest = models.CharField(max_length=64)
    added = models.IntegerField(default=0)
    changed = models.IntegerField(default=0)
    ended = models.IntegerField(default=0)
    same = models.IntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dataset", "number"], name="transfer_number_once")]

    def __str__(self) -> str:
        return f"{self.dataset_id} transfer {self.number}"


class Record(Opened):
    """One record of a dataset as it was from one transfer to another: ``since`` and ``until`` (exclusive) number them.

    ``until`` is empty while it is current. ``data``: its fields in the form that `sharing.catalogue.record_values`
    gives them. Read through ``sharing.access`` alone.
    """

    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="+", db_index=False)
    key = models.CharField(max_length=400)
    data = models.JSONField()
    since = models.IntegerField()
    until = models.IntegerField(null=True)

    guard_data: ClassVar[str] = "data"

    objects = GuardedManager()
    everything = models.Manager()

    class Meta:
        base_manager_name = "everything"
        default_manager_name = "everything"
        constraints = [
            models.UniqueConstraint(fields=["dataset", "key"], condition=Q(until=None), name="record_once"),
            models.CheckConstraint(condition=Q(until=None) | Q(until__gt=models.F("since")), name="record_forward"),
        ]
        indexes = [
            models.Index(fields=["dataset", "id"], condition=Q(until=None), name="record_current"),
            GinIndex(fields=["data"], opclasses=["jsonb_path_ops"], condition=Q(until=None), name="record_values"),
            models.Index(fields=["dataset", "id"], name="record_ever"),
            models.Index(fields=["dataset", "key"], name="record_states"),
        ]

    def __str__(self) -> str:
        return f"{self.dataset_id} {self.since}"
