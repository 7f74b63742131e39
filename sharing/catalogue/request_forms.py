"""Which fields do the forms take with which data is asked for, given, answered, signed for and offered?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from sharing.access import fields as masks
from sharing.access.fields import FULL
from sharing.access.forms import ActForm, long_text
from sharing.catalogue.models import ShareRequest

ASKED, NOTHING = "asked", "nothing"
OPERATORS = [
    ("", "–"), ("eq", _("is")), ("lt", _("less than")), ("lte", _("at most")), ("gt", _("more than")),
    ("gte", _("at least")),
]
MASKS: dict[str, dict[str, Any]] = {
    "partial": {"mask": "partial", "start": 3, "end": 2}, "generalise": {"mask": "generalise"},
    "pseudonym": {"mask": "pseudonym"}, "constant": {"mask": "constant"}, "null": {"mask": "null"},
}
MASK_NAMES = {
    "partial": _("Only its first three and last two characters"), "generalise": _("Coarsened"),
    "pseudonym": _("A pseudonym"), "constant": _("Stars only"), "null": _("Empty"),
}


def day_field(**kwargs: Any) -> forms.DateField:
    """A day, as the browser's own picker sends it."""
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(widget=widget, input_formats=["%Y-%m-%d"], **kwargs)


def end_of(day: date | None) -> datetime | None:
    """The end of a local day."""
    if day is None or not 1970 <= day.year < 2100:
        return None
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(settings.TIME_ZONE))


def last_day(moment: datetime | None) -> date | None:
    """The last local day of a period that ends at a moment."""
    if moment is None:
        return None
    return (moment.astimezone(ZoneInfo(settings.TIME_ZONE)) - timedelta(microseconds=1)).date()


class RowsForm(ActForm):
    """Fields by which records can be narrowed with one comparison."""

    row_field = forms.ChoiceField(label=_("Only records whose"), required=False)
    row_op = forms.ChoiceField(label=_("Comparison"), choices=OPERATORS, required=False)
    row_value = forms.CharField(label=_("Value"), max_length=200, required=False)
    types: Mapping[str, str] = {}

    def tree(self) -> dict[str, Any] | None:
        """The comparison as a row filter; None where none was chosen."""
        name, op = self.cleaned_data.get("row_field"), self.cleaned_data.get("row_op")
        if not name or not op:
            return None
        text, kind = self.cleaned_data.get("row_value", ""), self.types.get(name, "string")
        value: Any = text
        if kind in ("integer", "number"):
            try:
                value = float(text) if "." in text else int(text)
            except ValueError:
                value = text
        elif kind == "boolean":
            value = {"true": True, "false": False}.get(text.lower(), text)
        return {"field": name, "op": op, "value": value}

    def take(self, refused: Any) -> None:
        """Errors of the filter go to its value, where it is typed."""
        for error in refused.errors:
            if str(error.get("pointer", "")).startswith("/filter"):
                error["pointer"] = "/row_value"
        super().take(refused)


class AskForm(RowsForm):
    """A request for data."""

    fields_wanted = forms.MultipleChoiceField(label=_("Fields"), widget=forms.CheckboxSelectMultiple)
    purpose = forms.CharField(label=_("What for"), max_length=200)
    until = day_field(
        label=_("Until"), required=False, help_text=_("The last day. At most one year; it can be renewed.")
    )
    incident_id = forms.TypedChoiceField(
        label=_("For an incident"), coerce=int, required=False, empty_value=None,
        help_text=_("For an open incident the answer is due within hours, by its response level."),
    )
    holder = forms.ChoiceField(label=_("For whom"), choices=ShareRequest.Holder.choices)
    post = forms.ChoiceField(
        label=_("Which post"), required=False, help_text=_("Only where one post is to hold the data.")
    )
    field_order = ("command_id", "fields_wanted", "purpose", "until", "incident_id", "holder", "post")

    def payload(self) -> dict[str, Any]:
        """Arguments of the action."""
        data = self.cleaned_data
        return {
            "command_id": data["command_id"], "fields": data["fields_wanted"], "purpose": data["purpose"],
            "valid_to": end_of(data["until"]), "incident_id": data["incident_id"], "holder": data["holder"],
            "post": data["post"] if data["holder"] == ShareRequest.Holder.POST else "", "rows": self.tree(),
        }

    def take(self, refused: Any) -> None:
        """Errors at the fields by which this form asks."""
        for error in refused.errors:
            pointer = str(error.get("pointer", ""))
            if pointer == "/valid_to":
                error["pointer"] = "/until"
            elif pointer.startswith("/fields"):
                error["pointer"] = "/fields_wanted"
        super().take(refused)


class GiveForm(AskForm):
    """Data given unasked."""

    department_id = forms.TypedChoiceField(label=_("To which department"), coerce=int)
    field_order = ("command_id", "department_id", *AskForm.field_order[1:])

    def payload(self) -> dict[str, Any]:
        """Arguments of the action."""
        return super().payload() | {"department_id": self.cleaned_data["department_id"]}


class OfferForm(RowsForm):
    """A standing offer."""

    fields_wanted = forms.MultipleChoiceField(label=_("Fields"), widget=forms.CheckboxSelectMultiple)
    longest_days = forms.IntegerField(label=_("Longest period, days"), min_value=1, max_value=366, initial=30)
    only_in_open_incident = forms.BooleanField(label=_("Only for an open incident"), required=False)
    field_order = ("command_id", "fields_wanted", "longest_days", "only_in_open_incident")

    def payload(self) -> dict[str, Any]:
        """Arguments of the action."""
        data = self.cleaned_data
        return {
            "command_id": data["command_id"], "fields": data["fields_wanted"], "longest_days": data["longest_days"],
            "only_in_open_incident": data["only_in_open_incident"], "rows": self.tree(),
        }


class GrantForm(RowsForm):
    """The answer yes: as asked, unless a field is left out or masked, or the period is shortened."""

    until = day_field(label=_("Until"), required=False)
    answer = long_text(rows=2, label=_("Words to them"), max_length=1000, required=False)
    field_order = ("command_id", "if_version", "until", "row_field", "row_op", "row_value", "answer")

    def __init__(
        self, *args: Any, asked: Mapping[str, Any] | None = None, types: Mapping[str, str] | None = None,
        names: Mapping[str, str] | None = None, until: datetime | None = None, **kwargs: Any,
    ) -> None:
        """One choice for each field that was asked for."""
        self.asked, self.until, self.given = dict(asked or {}), until, []
        self.types = types or {}
        for name, rule in self.asked.items():
            key = f"field-{name}"
            self.base_fields = self.base_fields | {
                key: forms.ChoiceField(
                    label=(names or {}).get(name) or name, choices=_ways(rule, self.types.get(name, "string")),
                    required=False,
                )
            }
            self.given.append((key, name))
        super().__init__(*args, **kwargs)
        self.order_fields(["command_id", "if_version", *(key for key, _name in self.given), "until"])

    @property
    def ways(self) -> list[Any]:
        """The choices of the fields, as bound fields."""
        return [self[key] for key, _name in self.given]

    def payload(self) -> dict[str, Any]:
        """Arguments of the action: only what differs from what was asked."""
        data = self.cleaned_data
        chosen = {name: data.get(key) or ASKED for key, name in self.given}
        less = {
            name: self.asked[name] if way == ASKED else MASKS[way] for name, way in chosen.items() if way != NOTHING
        }
        day = data["until"]
        shorter = day is not None and day != last_day(self.until)
        return {
            "command_id": data["command_id"], "if_version": data["if_version"], "answer": data["answer"],
            "rows": self.tree(), "fields": None if less == self.asked else less,
            "valid_to": end_of(day) if shorter else None,
        }

    def take(self, refused: Any) -> None:
        """Errors at the fields by which this form answers."""
        for error in refused.errors:
            if str(error.get("pointer", "")) == "/valid_to":
                error["pointer"] = "/until"
        super().take(refused)


def _ways(rule: Any, kind: str) -> Sequence[tuple[str, Any]]:
    """As asked; less open; not at all."""
    found: list[tuple[str, Any]] = [(ASKED, _("As asked"))]
    for name, mask in MASKS.items():
        if rule != FULL and name not in ("constant", "null"):
            continue
        try:
            masks.checked({"x": mask}, {"x": kind})
        except masks.BadFields:
            continue
        found.append((name, MASK_NAMES[name]))
    return [*found, (NOTHING, _("Not at all"))]


class RefuseForm(ActForm):
    """The answer no."""

    answer = long_text(label=_("Reason"), max_length=1000)
    legal_basis_id = forms.TypedChoiceField(
        label=_("Legal basis"), coerce=int, help_text=_("A refusal without one is not possible.")
    )


class SignForm(ActForm):
    """A signature under what the page showed."""

    digest = forms.CharField(widget=forms.HiddenInput, max_length=64)


class EndForm(ActForm):
    """Why an agreement ends."""

    why = long_text(rows=2, label=_("Reason"), max_length=300)


class RenewForm(ActForm):
    """Until when an agreement is to go on."""

    until = day_field(label=_("Until"), help_text=_("The last day."))

    def payload(self) -> dict[str, Any]:
        """Arguments of the action."""
        return {"command_id": self.cleaned_data["command_id"], "valid_to": end_of(self.cleaned_data["until"])}

    def take(self, refused: Any) -> None:
        """Errors at the field by which this form asks."""
        for error in refused.errors:
            if str(error.get("pointer", "")) == "/valid_to":
                error["pointer"] = "/until"
        super().take(refused)
