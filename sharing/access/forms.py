"""What do all forms share: command id, version, and fields that a page without scripts can use?"""

from __future__ import annotations

import inspect
import math
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from coordination.events.refused import Refused
from coordination.events.writing import is_storable, trimmed
from sharing.access.widgets import List

_UNFIT = _("The text contains a character that is not allowed.")
_NONE = _("There is none to choose at present")
PERCENTS = [(n, f"{n} %") for n in range(0, 101, 10)]
WIDGET_CLASSES = (
    (forms.CheckboxInput, "form-check-input"),
    (forms.CheckboxSelectMultiple, "form-check-input"),  # a kind of RadioSelect, so it comes first
    (forms.RadioSelect, ""),
    (forms.Select, "form-select"),
    (forms.HiddenInput, ""),
    (forms.Widget, "form-control"),
)


class LocalTime(forms.DateTimeField):
    """Date and time of the years that the API takes too; no week numbers, which nobody here means."""

    def to_python(self, value: Any) -> datetime | None:
        """Return the moment."""
        if isinstance(value, str) and "W" in value.upper():
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        moment = super().to_python(value)
        if moment is not None and not 1970 <= moment.year < 2100:
            raise forms.ValidationError(_("Only the years 1970 to 2099 are taken."), code="date_range")
        return moment


def local_time(**kwargs: Any) -> LocalTime:
    """A moment in local time, as the browser's own picker sends it."""
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    return LocalTime(widget=widget, **kwargs)


def long_text(rows: int = 3, **kwargs: Any) -> forms.CharField:
    """A text of several lines."""
    return forms.CharField(widget=forms.Textarea(attrs={"rows": rows}), **kwargs)


class FiniteFloat(forms.FloatField):
    """A number that is neither infinite nor no number."""

    def clean(self, value: Any) -> Any:
        """Refuse inf and nan, which a browser's number field would have refused."""
        number = super().clean(value)
        if number is not None and not math.isfinite(number):
            raise forms.ValidationError(_("Enter a number."), code="invalid")
        return number


class ManyFilesInput(forms.FileInput):
    """Several files in one field; a phone offers its camera. Pictures are shrunk before they are sent."""

    allow_multiple_selected = True

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        """Name the list where the chosen files are shown."""
        context = super().get_context(name, value, attrs)
        context["widget"]["attrs"]["data-shrink"] = f"{context['widget']['attrs'].get('id', name)}-shown"
        return context


class ManyFiles(forms.FileField):
    """A list of uploaded files; at most ``most``."""

    def __init__(self, *, most: int = 6, **kwargs: Any) -> None:
        """Accept up to ``most`` files."""
        self.most = most
        super().__init__(required=False, widget=ManyFilesInput, **kwargs)

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[Any]]:  # type: ignore[override]
        """Check each file for a name and content; what it holds is judged where it is kept."""
        several = data if isinstance(data, list | tuple) else [data] if data else []
        if len(several) > self.most:
            raise forms.ValidationError(_("At most %(most)s files at once."), params={"most": self.most})
        return [super(ManyFiles, self).clean(one, initial) for one in several]


class ActForm(forms.Form):
    """One act: fields, a command id that repeats with a retry, and the version the person saw."""

    command_id = forms.UUIDField(widget=forms.HiddenInput)
    if_version = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=1, max_value=2**31 - 1)
    error_css_class = "ops-error"

    def __init__(self, *args: Any, choices: dict[str, Sequence[tuple[Any, Any]]] | None = None, **kwargs: Any) -> None:
        """Fill the options named in ``choices`` and dress the fields."""
        super().__init__(*args, **kwargs)
        self.fields["command_id"].initial = uuid.uuid4
        for name, options in (choices or {}).items():
            if name in self.fields:
                one_of = isinstance(self.fields[name].widget, forms.Select)  # a list to open must not be an empty one
                self.fields[name].choices = options or [("", _NONE)] * one_of  # type: ignore[attr-defined]
        for field in self.fields.values():
            dress(field)

    def clean(self) -> dict[str, Any]:
        """Hold each text to the one rule of what may be kept; what nobody can see is empty."""
        for name, value in list(self.cleaned_data.items()):
            if not isinstance(value, str):
                continue
            if not is_storable(value) or "\ufffd" in value:  # what was no UTF-8 comes as this
                self.add_error(name, forms.ValidationError(_UNFIT, code="character"))
            elif not trimmed(value):
                self.cleaned_data[name] = ""
                if value and self.fields[name].required:
                    self.add_error(name, self.fields[name].error_messages["required"])
        return self.cleaned_data

    def payload(self) -> dict[str, Any]:
        """Keyword arguments for the action."""
        return {name: value for name, value in self.cleaned_data.items() if value not in ("", None)}

    def payload_for(self, action: Callable[..., Any]) -> dict[str, Any]:
        """`payload`, with the version only where the action decides on one: any form can be sent with it."""
        data = self.payload()
        if "if_version" not in inspect.signature(action).parameters:
            data.pop("if_version", None)
        return data

    def take(self, refused: Refused) -> None:
        """Put a refusal's errors at the fields they name; what names none goes above the form."""
        for error in refused.errors:
            name = str(error.get("pointer", "")).strip("/").split("/")[0]
            target = name if name in self.fields else None
            self.add_error(target, str(error.get("detail") or refused.message))
        if not refused.errors:
            self.add_error(None, str(refused.message))

    def summary(self) -> list[dict[str, str]]:
        """Every error with the id of its field, for the list above the form."""
        rows: list[dict[str, str]] = []
        for name, errors in self.errors.items():
            bound = self[name] if name in self.fields else None
            place = (bound.id_for_label or bound.auto_id) if bound else ""
            label = str(bound.label) if bound else ""
            rows.extend({"id": place, "label": label, "text": str(text)} for text in errors)
        return rows


class FilesForm(ActForm):
    """An act with files. Those that came in before a refusal are named in `attachments` and need not come again."""

    files = ManyFiles(label=_("Photos and files"))  # type: ignore[assignment] # the metaclass takes it off the class
    attachments = forms.TypedMultipleChoiceField(coerce=int, required=False, widget=forms.MultipleHiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take whatever ids were kept; whether they are the sender's own is judged by the action."""
        super().__init__(*args, **kwargs)
        kept = self.data.getlist("attachments") if hasattr(self.data, "getlist") else []
        self.fields["attachments"].choices = [(pk, pk) for pk in kept if pk.isdecimal() and len(pk) < 19][:20]  # type: ignore[attr-defined]

    def uploads(self) -> list[tuple[uuid.UUID, UploadedFile[Any]]]:
        """The files with a command id each, made from the form's: a repeat keeps each file once."""
        command_id = self.cleaned_data["command_id"]
        return [(uuid.uuid5(command_id, f"file {n}"), file) for n, file in enumerate(self.cleaned_data["files"])]

    def keep(self, attachment_ids: Sequence[int]) -> None:
        """Note files that are in, for the action and for the form shown again."""
        every = [*self.cleaned_data["attachments"], *attachment_ids]
        self.cleaned_data["attachments"] = every
        data: Any = self.data
        data = data.copy()
        data.setlist("attachments", [str(pk) for pk in every])
        self.data = data

    def payload(self) -> dict[str, Any]:
        """Without the files themselves."""
        data = super().payload()
        data.pop("files", None)
        return data


def dress(field: forms.Field) -> None:
    """Give a field's widget the class of its kind, and its limits."""
    if type(field.widget) is forms.Select:  # each form has a copy of its own
        field.widget.__class__ = List
    for kind, name in WIDGET_CLASSES:
        if isinstance(field.widget, kind):
            if name:
                field.widget.attrs.setdefault("class", name)
            return
