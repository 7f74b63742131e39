"""Which fields do administration and duty pages take?"""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts import queries as accounts
from sharing.access.forms import ActForm, FiniteFloat, local_time, long_text

POSTS = [
    ("duty_officer", _("Duty officer")),
    ("commander", _("Commander")),
    ("head", _("Head")),
    ("approver", _("Approver")),
    ("data_steward", _("Data steward")),
    ("auditor", _("Auditor")),
    ("observer", _("Observer")),
    ("administrator", _("Administrator")),
]


class AppointForm(ActForm):
    """A person takes a post."""

    username = forms.CharField(label=_("User name"), max_length=60)
    post = forms.ChoiceField(label=_("Post"), choices=POSTS)

    def clean_username(self) -> str:
        """The person must exist."""
        self.person = accounts.person_by_username(self.cleaned_data["username"])
        if self.person is None:
            raise forms.ValidationError(_("Nobody has this user name."))
        return str(self.cleaned_data["username"])

    def payload(self) -> dict[str, Any]:
        """`person_id` instead of the user name."""
        data = super().payload()
        data.pop("username")
        return {**data, "person_id": self.person.pk}


class EndForm(ActForm):
    """A person leaves a post."""

    membership_id = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**31 - 1)


class ProposalForm(ActForm):
    """An act on a proposed post."""

    proposal_id = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**31 - 1)


class PersonForm(ActForm):
    """An act on a person."""

    person_id = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**31 - 1)


class PairForm(ActForm):
    """A screen becomes a wall."""

    code = forms.CharField(label=_("Code on the screen"), max_length=12)
    name = forms.CharField(label=_("Name of the wall"), max_length=80)
    incident_id = forms.TypedChoiceField(
        label=_("Shows"),
        coerce=int,
        required=False,
        empty_value=None,
        help_text=_("Empty: the city overview."),
    )
    language = forms.ChoiceField(label=_("Language"), choices=[("zh-hans", "中文"), ("en", "English")])
    theme = forms.ChoiceField(label=_("Theme"), choices=[("dark", _("Dark")), ("light", _("Light"))])
    seat_distance_m = FiniteFloat(label=_("Farthest seat, metres"), min_value=0.5, max_value=60, initial=5)
    screen_width_m = FiniteFloat(label=_("Width of the screen, metres"), min_value=0.2, max_value=40, initial=2.4)


class RevokeDisplayForm(ActForm):
    """A wall loses its token."""

    display_id = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**31 - 1)


class ClientForm(ActForm):
    """Another system of the department."""

    name = forms.CharField(label=_("Name of the system"), max_length=80)


class RevokeClientForm(ActForm):
    """A system's access ends."""

    client_id = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**31 - 1)


class ShiftForm(ActForm):
    """One turn of duty."""

    starts = local_time(label=_("From"))
    ends = local_time(label=_("Until"))
    person_id = forms.TypedChoiceField(label=_("On duty"), coerce=int, required=False, empty_value=None)
    deputy_id = forms.TypedChoiceField(label=_("Deputy"), coerce=int, required=False, empty_value=None)


class AssignShiftForm(ActForm):
    """Who has a shift that is planned."""

    shift_id = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**31 - 1)
    person_id = forms.TypedChoiceField(label=_("On duty"), coerce=int, required=False, empty_value=None)
    deputy_id = forms.TypedChoiceField(label=_("Deputy"), coerce=int, required=False, empty_value=None)

    def payload(self) -> dict[str, Any]:
        """Both people, empty ones too: nobody is an answer."""
        data = super().payload()
        return {**data, "person_id": data.get("person_id"), "deputy_id": data.get("deputy_id")}


class AbsentForm(ActForm):
    """The person cannot be reached, or can again."""

    shift_id = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**31 - 1)
    absent = forms.TypedChoiceField(
        widget=forms.HiddenInput, coerce=lambda v: v == "1", choices=[("1", "1"), ("0", "0")]
    )


class NoteForm(ActForm):
    """What the next one must know."""

    shift_id = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**31 - 1)
    note = long_text(rows=3, label=_("Hand-over note"), max_length=4000, required=False)

    def payload(self) -> dict[str, Any]:
        """The note may be empty."""
        data = super().payload()
        return {**data, "note": data.get("note", "")}
