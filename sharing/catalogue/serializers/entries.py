"""What do codes, entries of the catalogue and legal bases look like from outside, and what may be sent of them?"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from sharing.access.rest import Id, Shape, Text, Whole, Yes
from sharing.access.rest.refs import DepartmentRef


class Day(serializers.DateField):
    """A day of the years 1900 to 2099, as ``2026-05-01`` and in no other form."""

    def to_internal_value(self, value: Any) -> date:
        """Return the day."""
        if not isinstance(value, str) or not re.fullmatch(r"(19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}", value):
            raise serializers.ValidationError(_("A day of the years 1900 to 2099."), code="date")
        return super().to_internal_value(value)


class TableShape(Shape):
    """A code table."""

    table = serializers.CharField()


class CodeShape(Shape):
    """One entry of a code table."""

    code = serializers.CharField()
    parent = serializers.CharField(allow_blank=True)
    name_zh = serializers.CharField()
    name_en = serializers.CharField()
    data = serializers.JSONField()
    active = serializers.BooleanField()


class CodeFilters(Shape):
    """Which codes."""

    all = Yes(required=False, help_text="Also those no longer in use.")


SHARING = ("unconditional", "conditional", "none")
STATES = ("draft", "published", "retired")


class LegalBasisShape(Shape):
    """A legal basis."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    instrument_zh = serializers.CharField()
    instrument_en = serializers.CharField(allow_blank=True)
    article = serializers.CharField(allow_blank=True)
    url = serializers.CharField(allow_blank=True)
    in_force_from = serializers.DateField()
    in_force_to = serializers.DateField(allow_null=True)


class DatasetRowShape(Shape):
    """An entry of the catalogue in a list."""

    id = serializers.IntegerField()
    version = serializers.IntegerField()
    code = serializers.CharField()
    title = serializers.CharField()
    title_zh = serializers.CharField(allow_blank=True)
    title_en = serializers.CharField(allow_blank=True)
    description = serializers.CharField(allow_blank=True)
    department = DepartmentRef(help_text="Whose data stewards keep it.")
    area = serializers.CharField(allow_blank=True, help_text="Division code.")
    theme = serializers.CharField(allow_blank=True, help_text="Code of data_theme.")
    theme_name = serializers.CharField(allow_blank=True)
    frequency = serializers.CharField(help_text="Code of update_frequency: the promise.")
    frequency_name = serializers.CharField()
    sharing = serializers.ChoiceField(SHARING)
    classification = serializers.IntegerField(help_text="1 public, 2 internal, 3 restricted, 4 confidential.")
    personal = serializers.BooleanField()
    emergency_release = serializers.BooleanField()
    state = serializers.ChoiceField(STATES)
    listed_at = serializers.DateTimeField(help_text="When it was published; of a draft, when it was begun.")
    confirmed_at = serializers.DateTimeField(allow_null=True)


class SchemaShape(Shape):
    """One version of a dataset's schema."""

    number = serializers.IntegerField()
    current = serializers.BooleanField()
    added_at = serializers.DateTimeField()
    document = serializers.JSONField(help_text="Table Schema of the Frictionless Data standard.")


class DatasetActionShape(Shape):
    """What may be done now."""

    action = serializers.CharField()


class DatasetShape(DatasetRowShape):
    """An entry of the catalogue."""

    description_zh = serializers.CharField(allow_blank=True)
    description_en = serializers.CharField(allow_blank=True)
    grace = serializers.IntegerField(help_text="Seconds.")
    conditions_zh = serializers.CharField(allow_blank=True)
    conditions_en = serializers.CharField(allow_blank=True)
    contact = serializers.CharField(allow_blank=True)
    legal_basis = LegalBasisShape(allow_null=True)
    confirm_by = serializers.DateTimeField(allow_null=True)
    schema = SchemaShape(allow_null=True)
    allowed_actions = DatasetActionShape(many=True)


class DatasetFilters(Shape):
    """Which entries."""

    q = Text(required=False, max_length=100, help_text="Words in code, title, description, department or fields.")
    state = serializers.ChoiceField(STATES, required=False, default="published")
    sort = serializers.ChoiceField(("newest", "title"), required=False, default="newest")
    department = Id(required=False)
    sharing = serializers.ChoiceField(SHARING, required=False)
    classification = Whole(min_value=1, max_value=4, required=False)
    theme = Text(required=False, max_length=40)
    area = Text(required=False, max_length=12)
    frequency = Text(required=False, max_length=40)
    personal = Yes(required=False)


class _Described(Shape):
    title_zh = Text(max_length=120, required=False, allow_blank=True)
    title_en = Text(max_length=160, required=False, allow_blank=True)
    description_zh = Text(max_length=4000, required=False, allow_blank=True)
    description_en = Text(max_length=4000, required=False, allow_blank=True)
    area = Text(max_length=12, required=False, allow_blank=True, help_text="Division code.")
    theme = Text(max_length=40, required=False, allow_blank=True, help_text="Code of data_theme.")
    grace = Whole(required=False, help_text="Seconds.")
    sharing = serializers.ChoiceField(SHARING, required=False)
    classification = Whole(min_value=1, max_value=4, required=False)
    legal_basis = Id(required=False, allow_null=True, source="legal_basis_id")
    conditions_zh = Text(max_length=2000, required=False, allow_blank=True)
    conditions_en = Text(max_length=2000, required=False, allow_blank=True)
    personal = Yes(required=False)
    emergency_release = Yes(required=False)
    contact = Text(max_length=200, required=False, allow_blank=True)


class DraftDatasetBody(_Described):
    """An entry of my own department to begin."""

    code = Text(max_length=60, help_text="Small Latin letters, digits and . _ -; unique in the department.")
    frequency = Text(max_length=40, help_text="Code of update_frequency.")


class ChangeDatasetBody(_Described):
    """What an entry says from now on; what is not sent stays."""

    frequency = Text(max_length=40, required=False, help_text="Code of update_frequency.")


class SchemaBody(Shape):
    """The next schema of a dataset."""

    schema = serializers.JSONField(help_text="Table Schema of the Frictionless Data standard.")


class LegalBasisBody(Shape):
    """One article of one instrument."""

    instrument_zh = Text(max_length=200)
    instrument_en = Text(max_length=200, required=False, allow_blank=True)
    article = Text(max_length=80, required=False, allow_blank=True)
    url = Text(max_length=500, required=False, allow_blank=True)
    in_force_from = Day()
    in_force_to = Day(required=False, allow_null=True)


class ExportFilters(Shape):
    """Which entries leave."""

    department = Id(required=False, source="department_id")


class ImportedShape(Shape):
    """What became of the entries of a document: their ids."""

    drafted = serializers.ListField(child=serializers.IntegerField())
    changed = serializers.ListField(child=serializers.IntegerField())
    same = serializers.ListField(child=serializers.IntegerField())


DcatBody = type(
    "DcatBody",
    (Shape,),
    {
        "__module__": __name__,
        "__doc__": "A DCAT 3 document in JSON-LD, as the export writes it. No context is fetched.",
        "@context": serializers.JSONField(),
        "@graph": serializers.JSONField(),
    },
)
