"""What does a person fill in to write an instruction: to whom, what, where, how much, by when?"""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from sharing.access.forms import ActForm, FiniteFloat, local_time, long_text

URGENCIES = [("immediate", _("Immediate")), ("urgent", _("Urgent")), ("routine", _("Routine"))]
EVIDENCE = [("text", _("Text")), ("photo", _("Photo")), ("figures", _("Figures")), ("place", _("Place"))]
PROGRESS = [
    ("", _("as the response level sets")),
    (900, _("every 15 min")),
    (1800, _("every 30 min")),
    (3600, _("every hour")),
    (7200, _("every 2 h")),
]
OBJECTS = [
    ("", "–"),
    ("road", _("Road")),
    ("team", _("Team")),
    ("facility", _("Facility")),
    ("area", _("Area")),
    ("supply", _("Supply")),
]
LATIN, CHINESE = 40, 22


class ContentForm(ActForm):
    """One version of an instruction. A draft may be incomplete; what sending needs is checked when it is sent."""

    lead = forms.TypedChoiceField(label=_("Lead"), coerce=int, empty_value=None, required=False)
    support = forms.TypedMultipleChoiceField(
        label=_("Support"), coerce=int, required=False, widget=forms.CheckboxSelectMultiple
    )
    headline_zh = forms.CharField(label=_("Headline, Chinese"), max_length=CHINESE, required=False)
    headline_en = forms.CharField(label=_("Headline, English"), max_length=LATIN, required=False)
    text = long_text(rows=5, label=_("What shall be done"), max_length=4000, required=False)
    verb = forms.ChoiceField(label=_("Act"), required=False)
    what = forms.CharField(label=_("Object"), max_length=300, required=False)
    object_kind = forms.ChoiceField(label=_("Kind of object"), choices=OBJECTS, required=False)
    object_code = forms.CharField(
        label=_("Its number or name"),
        max_length=80,
        required=False,
        help_text=_("Named like this, it is compared with other orders and read back."),
    )
    place = forms.CharField(label=_("Where"), max_length=200, required=False)
    latitude = FiniteFloat(label=_("Latitude (WGS-84)"), min_value=-90, max_value=90, required=False)
    longitude = FiniteFloat(label=_("Longitude (WGS-84)"), min_value=-180, max_value=180, required=False)
    quantity = forms.DecimalField(label=_("How much"), max_digits=16, decimal_places=3, required=False)
    unit = forms.ChoiceField(label=_("Unit"), required=False)
    due_at = local_time(label=_("By when"), required=False)
    urgency = forms.ChoiceField(label=_("Urgency"), choices=URGENCIES, widget=forms.RadioSelect, initial="urgent")
    evidence = forms.MultipleChoiceField(
        label=_("Evidence wanted"), choices=EVIDENCE, required=False, widget=forms.CheckboxSelectMultiple
    )
    progress_every = forms.TypedChoiceField(
        label=_("Progress wanted"), coerce=int, empty_value=None, choices=PROGRESS, required=False
    )
    read_back = forms.BooleanField(
        label=_("Read-back wanted: they type place, object, quantity and time again"), required=False
    )
    recheck = forms.BooleanField(label=_("Command checks on the spot before it closes"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Show how long the headlines may be."""
        super().__init__(*args, **kwargs)
        for name, most in (("headline_zh", CHINESE), ("headline_en", LATIN)):
            if name in self.fields:
                field = self.fields[name]
                field.max_headline = most  # type: ignore[attr-defined]
                field.widget.attrs.update({"data-count": f"{self[name].id_for_label}-count", "data-most": str(most)})

    def clean(self) -> dict[str, Any]:
        """One department stands once; both coordinates or none; one headline at least."""
        data = super().clean() or {}
        if data.get("lead") and data["lead"] in (data.get("support") or []):
            self.add_error("support", _("The lead cannot also support."))
        if bool(data.get("object_kind")) != bool(data.get("object_code")):
            self.add_error("object_code", _("An object needs a kind and a number or name."))
        if (data.get("latitude") is None) != (data.get("longitude") is None):
            self.add_error("longitude", _("Give both coordinates or none."))
        if "headline_zh" in self.fields and not (data.get("headline_zh") or data.get("headline_en")):
            self.add_error("headline_zh", _("Give a headline in one language at least."))
        return data

    def payload(self) -> dict[str, Any]:
        """The content fields, with `targets` from lead and support; empty ones stay, to be emptied."""
        data = dict(self.cleaned_data)
        if data.get("if_version") is None:
            data.pop("if_version", None)
        kind, code = data.pop("object_kind", ""), data.pop("object_code", "")
        if {"object_kind", "object_code"} & set(self.changed_data):
            data["objects_named"] = [{"kind": kind, "code": code}] if code else []
        lead, support = data.pop("lead", None), data.pop("support", None) or []
        targets = [{"department": lead, "role": "lead"}] if lead else []
        data["targets"] = targets + [{"department": one, "role": "support"} for one in support]
        return data


class AmendForm(ContentForm):
    """The next version of an issued instruction: its recipients stay, what changed is said."""

    change_note = forms.CharField(label=_("What changes, and why"), max_length=300)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Leave the recipients out: they are changed by their own acts."""
        super().__init__(*args, **kwargs)
        for name in ("lead", "support"):
            del self.fields[name]

    def payload(self) -> dict[str, Any]:
        """The content fields without `targets`."""
        data = super().payload()
        data.pop("targets")
        return data
