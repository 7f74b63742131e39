"""What does a person fill in to write an instruction: to whom, what, where, how much, by when?"""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from coordination.events.refused import Refused
from sharing.access.forms import ActForm, FiniteFloat, dress, local_time, long_text

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
    ("bridge", _("Bridge")),
    ("unit", _("Unit of a plant")),
    ("vehicle", _("Vehicle")),
    ("power", _("Power line")),
    ("water", _("Water main")),
    ("gas", _("Gas main")),
]
LATIN, CHINESE = 40, 22


def object_name(kind: str) -> str:
    """The word for a kind of object; the code itself where nobody named it."""
    return str(dict(OBJECTS).get(kind, kind))


POSTS = [("duty_officer", _("Duty officer")), ("commander", _("Commander")), ("head", _("Head"))]
ROWS, MOST_ROWS = 3, 50
"""Rows for objects: as many as are named and one more, at least three."""


class ContentForm(ActForm):
    """One version of an instruction. A draft may be incomplete; what sending needs is checked when it is sent."""

    lead = forms.TypedChoiceField(label=_("Lead"), coerce=int, empty_value=None, required=False)
    support = forms.TypedMultipleChoiceField(
        label=_("Support"), coerce=int, required=False, widget=forms.CheckboxSelectMultiple
    )
    headline_zh = forms.CharField(label=_("Headline, Chinese"), max_length=CHINESE, required=False)
    headline_en = forms.CharField(label=_("Headline, English"), max_length=LATIN, required=False)
    text = long_text(rows=5, label=_("What shall be done"), max_length=8000, required=False)
    verb = forms.ChoiceField(label=_("Act"), required=False)
    what = forms.CharField(label=_("Object"), max_length=300, required=False)
    type = forms.ChoiceField(label=_("Type, if not the incident's"), required=False)
    place = forms.CharField(label=_("Where"), max_length=200, required=False)
    latitude = FiniteFloat(label=_("Latitude (WGS-84)"), min_value=-90, max_value=90, required=False)
    longitude = FiniteFloat(label=_("Longitude (WGS-84)"), min_value=-180, max_value=180, required=False)
    quantity = forms.DecimalField(label=_("How much"), max_digits=15, decimal_places=3, min_value=0, required=False)
    unit = forms.ChoiceField(label=_("Unit"), required=False)
    starts_at = local_time(label=_("Not before"), required=False)
    due_at = local_time(label=_("By when"), required=False)
    due_in = forms.IntegerField(
        label=_("or within (minutes from issue)"), min_value=1, max_value=366 * 24 * 60, required=False
    )
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

    linked_id = forms.TypedChoiceField(label=_("Follows"), coerce=int, empty_value=None, required=False)
    supersedes_id = forms.TypedChoiceField(label=_("Replaces"), coerce=int, empty_value=None, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Add rows for objects and posts; show how long the headlines may be."""
        super().__init__(*args, **kwargs)
        self._add_objects()
        self._add_posts()
        for name, most in (("headline_zh", CHINESE), ("headline_en", LATIN)):
            if name in self.fields:
                field = self.fields[name]
                field.max_headline = most  # type: ignore[attr-defined]
                field.widget.attrs.update({"data-count": f"{self[name].id_for_label}-count", "data-most": str(most)})

    def _add_objects(self) -> None:
        """Rows for what is named: those posted, or those that stand there and one more."""
        named = self.initial.get("objects_named") or []
        posted = sum(1 for name in self.data if name.startswith("object_kind_"))
        kinds = [*OBJECTS, *((row["kind"], row["kind"]) for row in named if row["kind"] not in dict(OBJECTS))]
        self.object_rows_count = min(MOST_ROWS, max(ROWS, posted, len(named) + 1))
        for n in range(1, self.object_rows_count + 1):
            row = named[n - 1] if n <= len(named) else {"kind": "", "code": ""}
            kind = forms.ChoiceField(label=_("Kind of object"), choices=kinds, required=False, initial=row["kind"])
            code = forms.CharField(label=_("Its number or name"), max_length=80, required=False, initial=row["code"])
            for name, field in ((f"object_kind_{n}", kind), (f"object_code_{n}", code)):
                dress(field)
                self.fields[name] = field

    def take(self, refused: Refused) -> None:
        """Put what the rules say of recipients and objects at the fields that hold them."""
        places = {"targets": "lead", "objects_named": "object_code_1"}
        for error in refused.errors:
            first, _slash, rest = str(error.get("pointer", "")).strip("/").partition("/")
            if first in places:
                error["pointer"] = f"/{places[first]}/{rest}"  # type: ignore[index]
        super().take(refused)

    def object_rows(self) -> list[tuple[Any, Any]]:
        """The bound fields of each row of objects."""
        return [(self[f"object_kind_{n}"], self[f"object_code_{n}"]) for n in range(1, self.object_rows_count + 1)]

    def _add_posts(self) -> None:
        """To which post of each department: offered for those that are chosen, the duty officer where none is."""
        if "lead" not in self.fields:
            return
        posts = self.initial.get("posts") or {}
        names = dict(self.fields["lead"].choices)  # type: ignore[attr-defined]
        chosen = {self.initial.get("lead"), *(self.initial.get("support") or ()), *(self.initial.get("near") or ())}
        typed = [name.removeprefix("post_") for name in self.data if name.startswith("post_") and len(name) < 15]
        posted = {int(pk) for pk in typed if pk.isdecimal()}
        self.post_ids = [pk for pk in names if pk in chosen | posted]
        for pk in self.post_ids:
            field = forms.ChoiceField(
                label=names[pk], choices=POSTS, required=False, initial=posts.get(pk, "duty_officer")
            )
            dress(field)
            self.fields[f"post_{pk}"] = field

    def post_rows(self) -> list[Any]:
        """The bound fields that choose a post."""
        return [self[f"post_{pk}"] for pk in getattr(self, "post_ids", ())]

    def clean(self) -> dict[str, Any]:
        """One department stands once; both coordinates or none; one headline at least."""
        data = super().clean() or {}
        if data.get("lead") and data["lead"] in (data.get("support") or []):
            self.add_error("support", _("The lead cannot also support."))
        for n in range(1, self.object_rows_count + 1):
            if bool(data.get(f"object_kind_{n}")) != bool(data.get(f"object_code_{n}")):
                missing = f"object_code_{n}" if data.get(f"object_kind_{n}") else f"object_kind_{n}"
                if missing not in self.errors:
                    self.add_error(missing, _("An object needs a kind and a number or name."))
        if data.get("due_at") and data.get("due_in"):
            self.add_error("due_in", _("Give a time or a number of minutes, not both."))
        if data.get("starts_at") and data.get("due_at") and data["starts_at"] >= data["due_at"]:
            self.add_error("starts_at", _("This lies after the time by when it shall be done."))
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
        pairs = [
            (data.pop(f"object_kind_{n}", ""), data.pop(f"object_code_{n}", ""))
            for n in range(1, self.object_rows_count + 1)
        ]
        data["objects_named"] = [{"kind": kind, "code": code} for kind, code in pairs if code]
        if "due_in" not in self.changed_data:
            data.pop("due_in", None)  # shown in whole minutes, kept to the second
        elif data.get("due_in") is not None:
            data["due_in"] *= 60
        for name in ("linked_id", "supersedes_id"):
            if data.get(name) is None:
                data.pop(name, None)
        posts = {pk: data.pop(f"post_{pk}", "") for pk in getattr(self, "post_ids", ())}
        lead, support = data.pop("lead", None), data.pop("support", None) or []
        rows = [(lead, "lead")] if lead else []
        data["targets"] = [
            {"department": pk, "role": role, "post": posts.get(pk) or "duty_officer"}
            for pk, role in [*rows, *((one, "support") for one in support)]
        ]
        return data


class AmendForm(ContentForm):
    """The next version of an issued instruction: its recipients stay, what changed is said."""

    change_note = forms.CharField(label=_("What changes, and why"), max_length=300)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Leave the recipients out: they are changed by their own acts."""
        super().__init__(*args, **kwargs)
        for name in ("lead", "support", "linked_id", "supersedes_id", *(f"post_{pk}" for pk in self.post_ids)):
            del self.fields[name]
        self.post_ids = []

    def payload(self) -> dict[str, Any]:
        """The content fields without `targets`."""
        data = super().payload()
        data.pop("targets")
        return data
