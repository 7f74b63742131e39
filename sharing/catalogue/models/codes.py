"""Which code tables do all departments share?"""

from __future__ import annotations

from django.db import models

from coordination.events.text import localized


class Code(models.Model):
    """One entry of one code table (M7), such as ``incident_type`` / ``accident.chemical.explosion``.

    Tables used so far: incident_type, decline_reason, outcome_grade, hold_reason, unit, verb, duty,
    log_kind, warning_level, report_channel, data_theme, update_frequency.
    """

    table = models.CharField(max_length=40)
    code = models.CharField(max_length=80)
    parent = models.CharField(max_length=80, blank=True)
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=120)
    data = models.JSONField(default=dict, blank=True)
    sort = models.IntegerField(default=0)
    active = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["table", "code"], name="code_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """Name in the reader's language."""
        return localized(self.name_zh, self.name_en)
