"""With which form does a data steward say what opens by itself in incidents?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from coordination.events.refused import Refused
from coordination.events.text import localized
from sharing.access.forms import ActForm, FiniteFloat, dress, local_time

HIDDEN, FULL = "hidden", "full"
RULES: dict[str, Any] = {
    "full": "full",
    "generalise": {"mask": "generalise"},
    "partial": {"mask": "partial", "end": 2},
    "pseudonym": {"mask": "pseudonym"},
    "constant": {"mask": "constant"},
    "null": {"mask": "null"},
}
"""What can be chosen here; other masks by the API."""
LABELS = {
    "full": _("whole"), "generalise": _("coarsened"), "partial": _("the last two characters"),
    "pseudonym": _("pseudonym"), "constant": _("a constant"), "null": _("left out"),
}
OPS = [("eq", "="), ("lt", "<"), ("lte", "≤"), ("gt", ">"), ("gte", "≥")]
PREFIX = "show_"
PLAIN = ("command_id", "role", "type", "lowest_level", "valid_to")


class RuleForm(ActForm):
    """What opens, in which incidents, to whom; one choice for each field of the schema."""

    role = forms.ChoiceField(
        label=_("For departments that"),
        choices=[("lead", _("lead")), ("support", _("support")), ("informed", _("are informed"))], initial="support",
    )
    type = forms.ChoiceField(label=_("In incidents of"), required=False, help_text=_("And of every type below it."))
    lowest_level = forms.TypedChoiceField(
        label=_("From response level"), coerce=int, initial=4,
        choices=[(4, _("any")), (3, _("III up")), (2, _("II up")), (1, _("I only"))],
    )
    grace = FiniteFloat(
        label=_("Kept afterwards, hours"), min_value=0, max_value=720, required=False,
        help_text=_("Empty: 24 hours after leaving or closing, none when the level falls. Class 3: never."),
    )
    valid_to = local_time(label=_("Until"), required=False, help_text=_("Empty: until you end it."))
    filter_field = forms.ChoiceField(label=_("Only records where"), required=False)
    filter_op = forms.ChoiceField(label=_("is"), choices=OPS, required=False)
    filter_value = forms.CharField(label=_("this value"), max_length=200, required=False)

    def __init__(self, *args: Any, schema: Sequence[Mapping[str, Any]] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.types = {one["name"]: one.get("type", "string") for one in schema}
        filterable = [(one["name"], named(one)) for one in schema if one.get("filterable")]
        self.fields["filter_field"].choices = [("", "–"), *filterable]  # type: ignore[attr-defined]
        if not filterable:
            for name in ("filter_field", "filter_op", "filter_value"):
                del self.fields[name]
        for one in schema:
            kinds = [kind for kind in RULES if _fits(kind, self.types[one["name"]])]
            usual = one["mask"] if one.get("mask") in kinds else "null" if one.get("mask") else FULL
            field = forms.ChoiceField(
                label=named(one), required=False, initial=usual,
                choices=[(HIDDEN, _("not shown")), *((kind, LABELS[kind]) for kind in kinds)],
            )  # fmt: skip
            dress(field)
            self.fields[PREFIX + one["name"]] = field

    def payload(self) -> dict[str, Any]:
        """Keyword arguments for the action."""
        given = super().payload()
        data = {name: given[name] for name in PLAIN if name in given}
        shown = {name.removeprefix(PREFIX): kind for name, kind in given.items() if name.startswith(PREFIX)}
        data["shown"] = {name: RULES[kind] for name, kind in shown.items() if kind != HIDDEN}
        if "grace" in given:
            data["grace"] = round(given["grace"] * 3600)
        if "filter_field" in given:
            value = _value(given.get("filter_value", ""), self.types[given["filter_field"]])
            data["filter"] = {"field": given["filter_field"], "op": given.get("filter_op", "eq"), "value": value}
        return data

    def take(self, refused: Refused) -> None:
        """Each error at its field: those of the shown fields and of the filter stand deeper in what was sent."""
        for error in refused.errors:
            first, _slash, rest = str(error["pointer"]).strip("/").partition("/")
            name = PREFIX + rest if first == "shown" else "filter_value" if first == "filter" else first
            text = str(error.get("detail") or refused.message)
            self.add_error(name if name in self.fields else None, text)
        if not refused.errors:
            self.add_error(None, str(refused.message))


def named(field: Mapping[str, Any]) -> str:
    """A field of a schema as people call it."""
    return localized(field.get("title_zh", ""), field.get("title_en", "")) or str(field["name"])


def _fits(kind: str, type_of_field: str) -> bool:
    if kind == "generalise":
        return type_of_field in ("geopoint", "datetime", "date")
    return kind != "partial" or type_of_field == "string"


def _value(text: str, kind: str) -> Any:
    """What was typed, as a value of the type; what is none stays text, and is refused as such."""
    if kind == "boolean":
        return {"true": True, "false": False}.get(text.lower(), text)
    if kind in ("integer", "number"):
        try:
            return int(text) if kind == "integer" else float(text)
        except ValueError:
            return text
    return text
