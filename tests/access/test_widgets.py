"""Are fields written out to the letter as Django writes them, and is what people typed escaped?"""

from __future__ import annotations

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates
from django.test import override_settings
from django.utils.translation import gettext_lazy

from sharing.access.widgets import List, Widgets

NASTY = "\"><script>alert('x & y')</script>"


class Everything(forms.Form):
    """One of each kind of field that pages show."""

    name = forms.CharField(widget=forms.TextInput(attrs={"class": "a b", "placeholder": NASTY, "x": False}))
    amount = forms.IntegerField(min_value=1, initial=1234567)
    share = forms.FloatField(initial=0.5, required=False)
    mail = forms.EmailField(required=False)
    where = forms.URLField(required=False, assume_scheme="https")
    token = forms.CharField(widget=forms.HiddenInput, initial=NASTY)
    secret = forms.CharField(widget=forms.PasswordInput)
    text = forms.CharField(widget=forms.Textarea, initial=f"first\nsecond {NASTY}", required=False)
    one = forms.ChoiceField(choices=[("", "–"), (1, NASTY), ("2", gettext_lazy("Department"))], initial=1)
    grouped = forms.ChoiceField(choices=[("one", "One"), ("M & m", [(3, "Three"), (True, "Yes")])], required=False)
    many = forms.MultipleChoiceField(choices=[(n, f"No. {n}") for n in range(3)], initial=[0, 2])
    several = forms.MultipleChoiceField(choices=[("a", "A"), ("b", "B")], widget=forms.CheckboxSelectMultiple)
    agreed = forms.BooleanField(required=False, initial=True)
    at = forms.DateTimeField(required=False, widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": 60}))
    file = forms.FileField(required=False)
    none = forms.NullBooleanField(required=False)


FILLED = {
    "name": NASTY, "amount": "no number", "text": "", "one": "2", "grouped": "3", "many": ["1"], "several": ["b"],
    "token": "t", "share": "1,5", "at": "soon",
}  # fmt: skip


def drawn(field: forms.BoundField) -> list[str]:
    """The lines of a field; Django leaves empty ones between options."""
    return [line for line in str(field).splitlines() if line]


@pytest.mark.parametrize("data", [None, FILLED, {}])
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_same_letters_as_django(data: dict[str, object] | None, language: str) -> None:
    with override_settings(LANGUAGE_CODE=language):
        ours, theirs = Everything(data, renderer=Widgets()), Everything(data, renderer=DjangoTemplates())
        assert [drawn(ours[name]) for name in ours.fields] == [drawn(theirs[name]) for name in theirs.fields]
        assert "<script>" not in str(ours["name"]) + str(ours["one"]) + str(ours["text"]) + str(ours["token"])


def test_every_page_uses_it() -> None:
    assert isinstance(forms.renderers.get_default_renderer(), Widgets)


@pytest.mark.parametrize("value", [None, "", 1, "2", 3, "nothing of these", True])
def test_a_list_written_at_once_is_the_same_list(value: object) -> None:
    choices = [(None, "–"), (1, NASTY), ("2", gettext_lazy("Department")), ("2", "Again"), (True, "Yes & no")]
    grouped = [("one", "One"), ("M & m", [(3, "Three"), (True, "Yes")])]
    for options in (choices, grouped, []):
        given = {"name": "a\"b", "value": value, "attrs": {"id": "x", "required": True}}
        ours = List(attrs={"class": "c"}, choices=options).render(**given, renderer=Widgets())
        theirs = forms.Select(attrs={"class": "c"}, choices=options).render(**given, renderer=DjangoTemplates())
        assert [line for line in ours.splitlines() if line] == [line for line in theirs.splitlines() if line]
