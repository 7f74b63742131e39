"""Which fields do the forms of break-glass take?"""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from sharing.access.forms import ActForm, long_text
from sharing.catalogue.models import BreakGlass, RuleProposal


class ProofForm(ActForm):
    """An act that takes a fresh proof: a code, or the password where there is no second factor."""

    code = forms.CharField(
        label=_("Code of your second factor, now"), max_length=40, required=False,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
        help_text=_("A current code, or a recovery code."),
    )
    password = forms.CharField(
        label=_("Your password, again"), max_length=1000, required=False, strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    credential = forms.CharField(widget=forms.HiddenInput, required=False, max_length=20_000)

    def ask(self, by: str) -> ProofForm:
        """Show what proves this person, and nothing else."""
        self.fields.pop("password" if by == "code" else "code")
        return self


class BreakForm(ProofForm):
    """What is to be opened, and why."""

    dataset_id = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=1, max_value=2**63 - 1)
    incident = forms.CharField(
        label=_("Number of the incident"), max_length=20, required=False, help_text=_("As it was told to you.")
    )
    owner_id = forms.TypedChoiceField(
        label=_("Or: department whose data it is"), coerce=int, empty_value=None, required=False
    )
    dataset_code = forms.CharField(
        label=_("… and code of the dataset"), max_length=60, required=False,
        help_text=_("For what you cannot find in the catalogue."),
    )
    reason = long_text(
        label=_("Why is it needed now?"), max_length=1000, min_length=10,
        help_text=_("Those whose data it is read this at once, and judge by it."),
    )
    field_order = ("command_id", "dataset_id", "incident", "owner_id", "dataset_code", "reason", "code", "password")

    def narrow(self) -> BreakForm:
        """Ask no more what is to be opened: it was chosen."""
        for name in ("incident", "owner_id", "dataset_code"):
            self.fields.pop(name)
        return self


class EndForm(ActForm):
    """End it before its time."""

    why = forms.CharField(label=_("Why (others read it)"), max_length=200, required=False)


class ReviewForm(ActForm):
    """How it is judged."""

    outcome = forms.ChoiceField(label=_("Judgement"), choices=BreakGlass.Outcome.choices)
    words = long_text(label=_("In words"), max_length=1000)


class SettleForm(ActForm):
    """What becomes of a proposal."""

    to = forms.ChoiceField(
        label=_("What becomes of it"),
        choices=[
            (RuleProposal.State.TAKEN_UP, _("A rule was made")), (RuleProposal.State.DISMISSED, _("No rule is wanted"))
        ],
    )
    why = forms.CharField(label=_("Why"), max_length=300)

    def payload(self) -> dict[str, Any]:
        """As it stands."""
        return super().payload()
