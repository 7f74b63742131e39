"""Which fields does each form of the catalogue take?"""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from coordination.events.refused import Refused
from sharing.access.forms import ActForm, FiniteFloat, long_text
from sharing.access.rest.reading import MAX_BYTES, decode
from sharing.catalogue.models import Dataset
from sharing.catalogue.queries import CLASSES


class PlainForm(ActForm):
    """A move that needs no words."""


class RevokeForm(ActForm):
    """Why a grant is taken back."""

    why = forms.CharField(
        label=_("Why it is taken back"), max_length=200, help_text=_("Whoever held it reads this.")
    )
    all_of_holder = forms.BooleanField(
        label=_("With it all that the same holder has of this dataset"), required=False
    )

    def payload(self) -> dict[str, Any]:
        """Reason and reach."""
        return {name: self.cleaned_data[name] for name in ("command_id", "why", "all_of_holder")}


class DescribeForm(ActForm):
    """What an entry says."""

    title_zh = forms.CharField(label=_("Title in Chinese"), max_length=120, required=False)
    title_en = forms.CharField(label=_("Title in English"), max_length=160, required=False)
    description_zh = long_text(label=_("Description in Chinese"), max_length=4000, required=False)
    description_en = long_text(label=_("Description in English"), max_length=4000, required=False)
    theme = forms.ChoiceField(label=_("Theme"), required=False)
    area = forms.CharField(
        label=_("Area (division code)"), max_length=12, required=False, help_text=_("Empty: not limited to an area.")
    )
    frequency = forms.ChoiceField(label=_("Brought up to date"))
    grace = FiniteFloat(
        label=_("Grace, minutes"), min_value=0, max_value=527040, required=False,
        help_text=_("So long after it was due an update still counts as late, not as missing."),
    )
    contact = forms.CharField(
        label=_("Contact"), max_length=200, required=False, help_text=_("Whom others ask about this data.")
    )
    sharing = forms.ChoiceField(label=_("Sharing"), choices=Dataset.Sharing.choices)
    classification = forms.TypedChoiceField(
        label=_("Classification"), coerce=int, choices=list(CLASSES.items()), initial=2,
        help_text=_("Classes 3 and 4 are never shared unconditionally."),
    )
    legal_basis = forms.TypedChoiceField(
        label=_("Legal basis"), coerce=int, required=False, empty_value=None,
        help_text=_("Restricted sharing must name it."),
    )
    conditions_zh = long_text(label=_("Conditions in Chinese"), max_length=2000, required=False)
    conditions_en = long_text(label=_("Conditions in English"), max_length=2000, required=False)
    personal = forms.BooleanField(label=_("It holds personal data"), required=False)
    emergency_release = forms.BooleanField(label=_("May be opened in an emergency"), required=False)

    def payload(self) -> dict[str, Any]:
        """Every field, empty ones too: what was emptied is meant to be empty."""
        data = dict(self.cleaned_data)
        data["legal_basis_id"] = data.pop("legal_basis")
        data["grace"] = round((data["grace"] or 0) * 60)
        if data.get("if_version") is None:
            data.pop("if_version", None)
        return data


class DraftForm(DescribeForm):
    """A new entry."""

    code = forms.CharField(
        label=_("Dataset code"), max_length=60,
        help_text=_("Small Latin letters, digits and . _ - only; it stays for good."),
    )
    field_order = ("command_id", "if_version", "code")


class SchemaForm(ActForm):
    """The next schema, from a file or written here."""

    file = forms.FileField(label=_("Table Schema file (JSON)"), required=False)
    schema = long_text(rows=14, label=_("Or the schema itself"), max_length=MAX_BYTES, required=False)

    def clean(self) -> dict[str, Any]:
        """Read the document; the text of a file is shown again if something is wrong with it."""
        data = super().clean()
        file = data.get("file")
        text = file.read(MAX_BYTES + 1) if file else str(data.get("schema") or "").encode()
        if not text.strip():
            nothing = forms.ValidationError(_("Choose a file or write the schema here."), code="required")
            self.add_error("schema", nothing)
            return data
        try:
            data["document"] = decode(text)
        except Refused as no:
            self.add_error("file" if file else "schema", str(no.message))
            return data
        if file:
            again: Any = self.data
            again = again.copy()
            again["schema"] = json.dumps(data["document"], ensure_ascii=False, indent=2)
            self.data = again
        return data

    def payload(self) -> dict[str, Any]:
        """The document."""
        data = {"command_id": self.cleaned_data["command_id"], "schema": self.cleaned_data["document"]}
        version = self.cleaned_data.get("if_version")
        return data | ({"if_version": version} if version is not None else {})

    def take(self, refused: Refused) -> None:
        """Each error with its place inside of the document."""
        for error in refused.errors:
            inside = str(error["pointer"]).removeprefix("/schema")
            self.add_error("schema", f"{inside}: {error['detail']}" if inside else str(error["detail"]))
        if not refused.errors:
            self.add_error(None, str(refused.message))


class LegalBasisForm(ActForm):
    """One article of one instrument."""

    instrument_zh = forms.CharField(label=_("Instrument in Chinese"), max_length=200)
    instrument_en = forms.CharField(label=_("Instrument in English"), max_length=200, required=False)
    article = forms.CharField(label=_("Article"), max_length=80, required=False)
    url = forms.CharField(label=_("Address of its text"), max_length=500, required=False)
    in_force_from = forms.DateField(
        label=_("In force from"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
    )
    in_force_to = forms.DateField(
        label=_("In force until"), required=False, help_text=_("The first day on which it no longer holds."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), input_formats=["%Y-%m-%d"],
    )
