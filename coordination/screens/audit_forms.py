"""What may be typed into the search of the log, and what does it ask for?"""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.apps import apps
from django.utils.translation import gettext_lazy as _

from accounts import queries as accounts
from coordination.events.searching import Asked
from coordination.events.writing import is_storable
from coordination.screens.audit_words import ACTS
from coordination.screens.templatetags.ops import POST_NAMES
from sharing.access.forms import local_time

BIG = 2**63 - 1
NOBODY = ("person", 0)
_ACTOR = re.compile(r"(person|client|display):([1-9][0-9]{0,17})")
_OBJECT = re.compile(r"([a-z][a-z_-]{1,39}):([1-9][0-9]{0,17})")
_CODE = re.compile(r"[a-z][a-z0-9_.-]{1,78}")


def plain(value: str, most: int) -> str:
    """The text, if it can be looked for at all."""
    if len(value) > most or not is_storable(value):
        raise forms.ValidationError(_("The text contains a character that is not allowed."), code="character")
    return value


def actor_of(text: str) -> tuple[str, int]:
    """``person:12``, ``client:3`` or a user name; a name that nobody has finds nothing."""
    named = _ACTOR.fullmatch(text)
    if named:
        return named[1], int(named[2])
    found = accounts.person_by_username(plain(text, 60))
    return ("person", found.pk) if found is not None else NOBODY


def objects_of(text: str) -> tuple[tuple[str, ...], int]:
    """``incident:5``: the names under which events and reads know this kind, and the number."""
    named = _OBJECT.fullmatch(text)
    if not named:
        raise forms.ValidationError(_("Write kind and number: incident:5"), code="object")
    noun, pk = named[1], int(named[2])
    labels = [model._meta.label_lower for model in apps.get_models() if model._meta.model_name == noun.replace("_", "")]
    return (*labels, noun, f"{noun}s"), pk


class SearchForm(forms.Form):
    """Who · what · object · when · grant."""

    who = forms.CharField(label=_("Who"), required=False, max_length=60, help_text=_("User name, or client:3"))
    act = forms.CharField(
        label=_("What was done"), required=False, max_length=80, help_text=_("Choose, or write incident.closed")
    )
    thing = forms.CharField(
        label=_("Object"), required=False, max_length=60, help_text=_("Kind and number: incident:5")
    )
    begin = local_time(label=_("From"), required=False)
    end = local_time(label=_("Until"), required=False)
    source = forms.ChoiceField(
        label=_("Kind"), required=False, choices=[("", _("Acts and reads")), ("event", _("Acts")), ("read", _("Reads"))]
    )
    department = forms.TypedChoiceField(label=_("Department"), required=False, coerce=int, empty_value=None)
    post = forms.ChoiceField(label=_("Post"), required=False, choices=[("", _("All")), *POST_NAMES.items()])
    grant = forms.IntegerField(label=_("Grant used"), required=False, min_value=1, max_value=BIG)
    request = forms.CharField(label=_("Request"), required=False, max_length=64)

    def __init__(self, *args: Any, places: Any = (), **kwargs: Any) -> None:
        """``places``: departments whose log may be read."""
        super().__init__(*args, **kwargs)
        self.fields["department"].choices = [("", _("All")), *((place.pk, place.short) for place in places)]  # type: ignore[attr-defined]
        for field in self.fields.values():
            select = isinstance(field.widget, forms.Select)
            field.widget.attrs["class"] = "form-select" if select else "form-control"
        self.fields["act"].widget.attrs["list"] = "audit-acts"

    def clean_act(self) -> str:
        """A code, or the words by which the page shows one."""
        text = plain(self.cleaned_data["act"], 80)
        if not text or _CODE.fullmatch(text):
            return text
        found = next((code for code, words in ACTS.items() if str(words) == text), None)
        if found is None:
            raise forms.ValidationError(_("There is no such kind of act. Choose one of the list."), code="act")
        return found

    def clean(self) -> dict[str, Any]:
        """Add ``asked``."""
        given = super().clean() or {}
        parts: dict[str, Any] = {}
        for name, reading in (("who", actor_of), ("thing", objects_of)):
            try:
                parts[name] = reading(given[name]) if given.get(name) else None
            except forms.ValidationError as error:
                self.add_error(name, error)
        if given.get("begin") and given.get("end") and given["begin"] >= given["end"]:
            self.add_error("end", _("The end must come after the beginning."))
        if not self.errors:
            objects, pk = parts["thing"] or ((), None)
            given["asked"] = Asked(
                source=given["source"] or None, actor=parts["who"], department=given["department"], post=given["post"],
                act=given["act"], objects=objects, object_id=pk,
                grants=(given["grant"],) if given.get("grant") else None,
                request_id=plain(given["request"], 64), begin=given["begin"], end=given["end"],
            )  # fmt: skip
        return given
