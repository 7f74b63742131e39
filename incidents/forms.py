"""Which fields does each act on an incident or a report take?"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from incidents.models import Incident, Participation
from sharing.access.forms import ActForm, FiniteFloat, local_time, long_text

REASON = 300
LEVELS = [("", "–"), ("1", "I"), ("2", "II"), ("3", "III"), ("4", "IV")]
COLOURS = [("", "–"), *[(value, label) for value, label in Incident.WarningLevel.choices if value]]


class PlainForm(ActForm):
    """An act that needs no words."""


class WhyForm(ActForm):
    """A move with a reason that may be given."""

    why = forms.CharField(label=_("Why"), max_length=REASON, required=False)


class MustWhyForm(ActForm):
    """A move that needs its reason."""

    why = forms.CharField(label=_("Why"), max_length=REASON)


class ScaleForm(ActForm):
    """One of the three scales, from now on."""

    scale = forms.ChoiceField(
        label=_("Scale"),
        choices=[("response_level", _("Response level")), ("grade", _("Grade")), ("warning_level", _("Warning level"))],
    )
    level = forms.ChoiceField(label=_("Level (grade and response level)"), choices=LEVELS, required=False)
    colour = forms.ChoiceField(label=_("Colour (warning level)"), choices=COLOURS, required=False)
    why = forms.CharField(label=_("Why"), max_length=REASON)

    def payload(self) -> dict[str, Any]:
        """`scale`, `value` (None = none) and `why`."""
        data = super().payload()
        colour, level = data.pop("colour", ""), data.pop("level", "")
        if data.get("scale") == "warning_level":
            return {**data, "value": colour}
        return {**data, "value": int(level) if level else None}


class AreaField(forms.CharField):
    """An area as people write one down: a corner a line, latitude and longitude; a blank line before another area.

    GeoJSON that was copied from elsewhere is taken as it is. The value is GeoJSON, or None.
    """

    def to_python(self, value: Any) -> Any:
        """Read corners or GeoJSON; whether its border crosses itself is judged by the action."""
        text = (super().to_python(value) or "").strip()
        if not text:
            return None
        if text.startswith("{"):
            try:
                found = json.loads(text)
            except (ValueError, RecursionError):
                found = None
            if not isinstance(found, dict):
                raise forms.ValidationError(_("This is no GeoJSON."), code="invalid")
            return found
        areas = [self._ring(block) for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n"))]
        return {"type": "MultiPolygon", "coordinates": [[ring] for ring in areas]}

    def _ring(self, block: str) -> list[list[float]]:
        ring = []
        for line in block.splitlines():
            numbers = re.split(r"[\s,，;]+", line.strip(" ,，;\t"))
            try:
                latitude, longitude = (float(number) for number in numbers)
            except ValueError:
                raise forms.ValidationError(
                    _("Write a corner as latitude and longitude, such as 30.7421, 121.3312. Not understood: %(line)s"),
                    params={"line": line[:60]}, code="invalid",
                ) from None  # fmt: skip
            if not (math.isfinite(latitude) and abs(latitude) <= 90 and abs(longitude) <= 180):
                raise forms.ValidationError(
                    _("Latitude lies between -90 and 90, longitude between -180 and 180: %(line)s"),
                    params={"line": line[:60]}, code="invalid",
                )  # fmt: skip
            ring.append([longitude, latitude])
        return ring

    def prepare_value(self, value: Any) -> Any:
        """Corners again, where the area has no holes; else GeoJSON."""
        if not isinstance(value, dict):
            return value
        polygons = value.get("coordinates", [])
        if value.get("type") != "MultiPolygon" or any(len(polygon) != 1 for polygon in polygons):
            return json.dumps(value)
        rings = [polygon[0] for polygon in polygons]
        rings = [ring[:-1] if len(ring) > 1 and ring[0] == ring[-1] else ring for ring in rings]
        return "\n\n".join("\n".join(f"{point[1]}, {point[0]}" for point in ring) for ring in rings)


def area_field() -> AreaField:
    """The field as the forms have it."""
    return AreaField(
        label=_("Area: its corners, one a line"), required=False, max_length=60_000,
        widget=forms.Textarea(attrs={"rows": 4, "placeholder": "30.7421, 121.3312"}),
        help_text=_("Latitude, longitude (WGS-84), at least three corners. GeoJSON can be pasted too."),
    )  # fmt: skip


class DepartmentForm(ActForm):
    """An act that names a department."""

    department_id = forms.TypedChoiceField(label=_("Department"), coerce=int)


class InviteForm(DepartmentForm):
    """A department joins."""

    role = forms.ChoiceField(label=_("Role"), choices=Participation.Role.choices, initial="support")
    why = forms.CharField(label=_("Why"), max_length=REASON, required=False)


class TransferForm(DepartmentForm):
    """Command passes on."""

    person_id = forms.TypedChoiceField(
        label=_("Person"), coerce=int, required=False, empty_value=None,
        help_text=_("Empty: the commander on duty there."),
    )
    why = forms.CharField(label=_("Why"), max_length=REASON)


class ShareForm(DepartmentForm):
    """A department that does not take part may see it."""

    reach = forms.TypedChoiceField(
        label=_("What they see"), coerce=int, initial=1,
        choices=[(1, _("Headline and situation reports")), (2, _("Also who takes part")), (3, _("All of it"))],
    )
    valid_to = local_time(label=_("Until"), required=False)
    why = forms.CharField(label=_("Why"), max_length=200, required=False)


class UnshareForm(DepartmentForm):
    """End what was shared by hand."""

    why = forms.CharField(label=_("Why"), max_length=200, required=False)


class ObjectiveForm(ActForm):
    """One aim."""

    text = forms.CharField(label=_("Aim"), max_length=300)


class ReachForm(ActForm):
    """An aim has been reached."""

    objective_id = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**31 - 1)


class EndConditionForm(ActForm):
    """When it is over."""

    text = long_text(label=_("Ends when"), max_length=2000)


class LinkForm(ActForm):
    """Another incident has to do with this one."""

    other_id = forms.TypedChoiceField(label=_("Other incident"), coerce=int)
    why = forms.CharField(label=_("Why"), max_length=200, required=False)


class ParentForm(ActForm):
    """This incident is part of another."""

    parent_id = forms.TypedChoiceField(label=_("Part of"), coerce=int, required=False, empty_value=None)
    why = forms.CharField(label=_("Why"), max_length=REASON, required=False)

    def payload(self) -> dict[str, Any]:
        """`parent_id` None too: part of nothing is an answer."""
        data = super().payload()
        return {**data, "parent_id": data.get("parent_id")}


class MergeForm(ActForm):
    """This incident and another are one."""

    into_id = forms.TypedChoiceField(label=_("Merge into"), coerce=int)
    why = forms.CharField(label=_("Why"), max_length=REASON)


class LogForm(ActForm):
    """One line of the log, with files."""

    text = long_text(rows=2, label=_("What happened"), max_length=4000)
    kind = forms.ChoiceField(label=_("Kind"), initial="note")
    headline_zh = forms.CharField(label=_("Headline for walls, Chinese"), max_length=22, required=False)
    headline_en = forms.CharField(label=_("Headline for walls, English"), max_length=40, required=False)


class AttachForm(ActForm):
    """A file on the incident."""

    file = forms.FileField(label=_("File"), help_text=_("Photo, PDF, text, table or document, at most 25 MB."))


class ParticipationForm(ActForm):
    """A department's part changes."""

    state = forms.ChoiceField(widget=forms.HiddenInput, choices=Participation.State.choices)
    department_id = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**31 - 1)
    why = forms.CharField(label=_("Why"), max_length=REASON, required=False)


class PaceForm(ActForm):
    """How fast an exercise or a story runs."""

    pace = forms.TypedChoiceField(
        label=_("Speed"), coerce=float, choices=[("0.5", "½ ×"), ("1", "1 ×"), ("2", "2 ×"), ("4", "4 ×")], initial="1"
    )


class PlaceMixin(forms.Form):
    """Where something is, in words and in WGS-84."""

    place = forms.CharField(label=_("Where"), max_length=200, required=False)
    latitude = FiniteFloat(label=_("Latitude (WGS-84)"), min_value=-90, max_value=90, required=False)
    longitude = FiniteFloat(label=_("Longitude (WGS-84)"), min_value=-180, max_value=180, required=False)


class ReportForm(ActForm, PlaceMixin):
    """Something told to us."""

    text = long_text(label=_("What was reported"), max_length=4000)
    channel = forms.ChoiceField(label=_("How it came in"), initial="hotline")
    type = forms.ChoiceField(label=_("Type, as far as known"), required=False)
    occurred_at = local_time(label=_("When it happened"), required=False)
    reporter_name = forms.CharField(label=_("Who reported it"), max_length=80, required=False)
    reporter_phone = forms.CharField(label=_("Their telephone"), max_length=40, required=False)
    field_order = (
        "text", "channel", "type", "place", "latitude", "longitude", "occurred_at", "reporter_name", "reporter_phone",
    )


class OpenForm(ActForm, PlaceMixin):
    """A report, or several, become an incident."""

    type = forms.ChoiceField(label=_("Type"))
    headline_zh = forms.CharField(label=_("Headline, Chinese"), max_length=22, required=False)
    headline_en = forms.CharField(label=_("Headline, English"), max_length=40, required=False)
    description = long_text(label=_("Situation"), max_length=4000, required=False)
    area = area_field()
    response_level = forms.TypedChoiceField(
        label=_("Response level"), choices=LEVELS, coerce=int, required=False, empty_value=None
    )
    warning_level = forms.ChoiceField(label=_("Warning level"), choices=COLOURS, required=False)
    grade = forms.TypedChoiceField(label=_("Grade"), choices=LEVELS, coerce=int, required=False, empty_value=None)
    lead_department_id = forms.TypedChoiceField(
        label=_("Lead department"), coerce=int, required=False, empty_value=None,
        help_text=_("Empty: our own command centre."),
    )
    field_order = (
        "type", "headline_zh", "headline_en", "place", "latitude", "longitude", "area", "description",
        "response_level", "grade", "warning_level", "lead_department_id",
    )

    def clean(self) -> dict[str, Any]:
        """One headline at least: walls and lists live by it."""
        data = super().clean() or {}
        if not data.get("headline_zh") and not data.get("headline_en"):
            self.add_error("headline_zh", _("Give a headline in at least one language."))
        return data


class DescribeForm(ActForm, PlaceMixin):
    """What an incident is called, what it is and where. What a person leaves as it was shown is left as it stands."""

    type = forms.ChoiceField(label=_("Type"))
    headline_zh = forms.CharField(label=_("Headline, Chinese"), max_length=22, required=False)
    headline_en = forms.CharField(label=_("Headline, English"), max_length=40, required=False)
    description = long_text(label=_("Situation"), max_length=5000, required=False)
    occurred_at = local_time(label=_("When it happened"), required=False)
    area = area_field()
    field_order = (
        "headline_zh", "headline_en", "type", "description", "place", "latitude", "longitude", "area", "occurred_at",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Send along what was shown."""
        super().__init__(*args, **kwargs)
        for field in self.visible_fields():
            field.field.show_hidden_initial = True

    def payload(self) -> dict[str, Any]:
        """The command id and what was changed, emptied fields too."""
        changed = {name: self.cleaned_data[name] for name in self.changed_data if name != "if_version"}
        return {**changed, "command_id": self.cleaned_data["command_id"]}


class VerifyForm(ActForm):
    """The report holds."""

    note = forms.CharField(label=_("How it was verified"), max_length=REASON, required=False)


class JoinForm(ActForm):
    """The report belongs to an incident that is known."""

    incident_id = forms.TypedChoiceField(label=_("Incident"), coerce=int)
