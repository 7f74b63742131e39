"""What data is there, and on what terms?"""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from guardian.models import GroupObjectPermissionBase

from coordination.events.text import localized
from coordination.events.words import WordsField, WordsManager
from sharing.access.guarded import Opened


class LegalBasis(models.Model):
    """What a restriction or a share rests on (M11): one article of one instrument, in force from–to (to exclusive).

    ``department``: who entered it; empty where the platform did. Legal bases are public to every department.
    """

    instrument_zh = models.CharField(max_length=200)
    instrument_en = models.CharField(max_length=200, blank=True)
    article = models.CharField(max_length=80, blank=True)
    url = models.CharField(max_length=500, blank=True)
    in_force_from = models.DateField()
    in_force_to = models.DateField(null=True)
    department = models.ForeignKey("accounts.Department", null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["instrument_zh", "article", "in_force_from"], name="legal_basis_once"),
            models.CheckConstraint(
                condition=Q(in_force_to=None) | Q(in_force_to__gt=models.F("in_force_from")), name="legal_basis_forward"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """Instrument in the reader's language, and its article."""
        return f"{localized(self.instrument_zh, self.instrument_en)} {self.article}".strip()

    def in_force(self, day: date) -> bool:
        """Whether it holds on a day."""
        return self.in_force_from <= day and (self.in_force_to is None or day < self.in_force_to)


class Dataset(Opened):
    """An entry of the catalogue: what data a department has, and on what terms others may have it.

    ``code`` is unique within its department (two departments must not learn of each other's hidden codes).
    ``area``: division code; ``theme``: code of ``data_theme``; ``frequency``: code of ``update_frequency``, the
    promise of how often it is brought up to date; ``grace``: seconds after which a late update counts as missing.
    ``listed_at``: when it was drafted, then when it was first published. Classification: 1 public, 2 internal,
    3 restricted, 4 confidential; ``lowered_at``: when it, or a field's, last fell below 3. What the entry says
    is open metadata; `sharing.access` answers for its data.
    """

    guard_dataset: ClassVar[str] = "pk"
    guard_keeper: ClassVar[str] = "department_id"

    class Sharing(models.TextChoices):
        UNCONDITIONAL = "unconditional", _("Unconditional")
        CONDITIONAL = "conditional", _("Conditional")
        NONE = "none", _("Not shared")

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")
        RETIRED = "retired", _("Retired")

    code = models.CharField(max_length=60)
    title_zh = models.CharField(max_length=120, blank=True)
    title_en = models.CharField(max_length=160, blank=True)
    description_zh = models.TextField(blank=True)
    description_en = models.TextField(blank=True)
    department = models.ForeignKey("accounts.Department", on_delete=models.PROTECT, related_name="+")
    area = models.CharField(max_length=12, blank=True)
    theme = models.CharField(max_length=40, blank=True)
    frequency = models.CharField(max_length=40)
    grace = models.IntegerField(default=0)
    sharing = models.CharField(max_length=16, choices=Sharing, default=Sharing.UNCONDITIONAL)
    classification = models.SmallIntegerField(default=2)
    legal_basis = models.ForeignKey(LegalBasis, null=True, on_delete=models.PROTECT, related_name="datasets")
    conditions_zh = models.TextField(blank=True)
    conditions_en = models.TextField(blank=True)
    personal = models.BooleanField(default=False)
    emergency_release = models.BooleanField(default=False)
    confirmed_at = models.DateTimeField(null=True)
    lowered_at = models.DateTimeField(null=True)
    contact = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=12, choices=State, default=State.DRAFT)
    listed_at = models.DateTimeField()
    words = WordsField()
    version = models.IntegerField(default=1)

    objects = WordsManager()

    class Meta:
        permissions = [("steward_dataset", "Decides what the entry says and who may have the data")]
        constraints = [
            models.UniqueConstraint(fields=["department", "code"], name="dataset_code_once"),
            models.CheckConstraint(condition=~Q(title_zh="", title_en=""), name="dataset_titled"),
            models.CheckConstraint(
                condition=Q(sharing__in=["unconditional", "conditional", "none"]), name="dataset_sharing"
            ),
            models.CheckConstraint(condition=Q(state__in=["draft", "published", "retired"]), name="dataset_state"),
            models.CheckConstraint(
                condition=Q(classification__gte=1, classification__lte=4), name="dataset_class_bounds"
            ),
            models.CheckConstraint(
                condition=Q(sharing="unconditional") | Q(legal_basis__isnull=False), name="dataset_legal_basis"
            ),
            models.CheckConstraint(
                condition=Q(classification__lte=2) | ~Q(sharing="unconditional"), name="dataset_class_sharing"
            ),
            models.CheckConstraint(condition=Q(grace__gte=0), name="dataset_grace"),
        ]
        indexes = [
            models.Index(fields=["-listed_at", "-id"], name="dataset_newest"),
            GinIndex(fields=["words"], name="dataset_words"),
        ]

    def __str__(self) -> str:
        return f"{self.department_id}/{self.code}"

    @property
    def title(self) -> str:
        """Title in the reader's language."""
        return localized(self.title_zh, self.title_en)

    @property
    def restricted(self) -> bool:
        """Whether its terms need a legal basis and a confirmation each year."""
        return self.sharing != self.Sharing.UNCONDITIONAL


class DatasetGroupObjectPermission(GroupObjectPermissionBase):
    """django-guardian's direct table: which groups (a post in a department) are stewards of a dataset."""

    content_object = models.ForeignKey(Dataset, on_delete=models.CASCADE)

    class Meta(GroupObjectPermissionBase.Meta):
        pass

    def __str__(self) -> str:
        return f"{self.group_id} {self.content_object_id}"


class SchemaVersion(models.Model):
    """One version of a dataset's Table Schema; never changed once it is there, only followed by the next.

    ``document``: as `sharing.catalogue.table_schema.checked` lets it pass.
    """

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="schemas")
    number = models.IntegerField()
    document = models.JSONField()
    current = models.BooleanField(default=True)
    added_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dataset", "number"], name="schema_number_once"),
            models.UniqueConstraint(fields=["dataset"], condition=Q(current=True), name="schema_one_current"),
            models.CheckConstraint(condition=Q(number__gte=1), name="schema_number"),
        ]

    def __str__(self) -> str:
        return f"{self.dataset_id} schema {self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep a new version; one that is there is never changed (which one is current is set by a query)."""
        if not self._state.adding:
            raise TypeError("a schema is followed by the next version, never changed")
        super().save(*args, **kwargs)
