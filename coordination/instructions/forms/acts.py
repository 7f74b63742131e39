"""Which fields does each act on an assignment, an ask or an issued instruction take?"""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from coordination.instructions.forms.content import POSTS
from sharing.access.forms import PERCENTS, ActForm, FilesForm, local_time, long_text

REASON = 300


class PlainForm(ActForm):
    """An act that needs no words."""


class VersionForm(ActForm):
    """Receipt of the version that was shown."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=32767)


class AcknowledgeForm(VersionForm):
    """One tap: received, and ours."""


class ReadBackForm(VersionForm):
    """Received, and said again in one's own typing: nothing is filled in beforehand."""

    place = forms.CharField(label=_("Where"), max_length=200)
    object = forms.CharField(label=_("What: its number or name"), max_length=120, required=False)
    quantity = forms.DecimalField(label=_("How much"), max_digits=16, decimal_places=3, required=False)
    unit = forms.ChoiceField(label=_("Unit"), required=False)
    due_at = local_time(label=_("By when"))

    def payload(self) -> dict[str, Any]:
        """`version` and `read_back`."""
        data = super().payload()
        names = ("place", "object", "quantity", "unit", "due_at")
        return {
            **{k: v for k, v in data.items() if k not in names},
            "read_back": {k: data[k] for k in names if k in data},
        }


class AcknowledgeForForm(VersionForm):
    """Somebody acknowledged by telephone or in person."""

    speaker = forms.CharField(label=_("Who spoke"), max_length=80)
    number = forms.CharField(label=_("Telephone number"), max_length=40)
    spoken_at = local_time(label=_("When"))
    voice_code = forms.CharField(
        label=_("The four digits they read out"),
        max_length=4,
        required=False,
        help_text=_("Without the digits it counts as assumed: the deadline goes on."),
    )


class StartForm(ActForm):
    """Work begins."""

    who_goes = forms.CharField(label=_("Who goes"), max_length=200)
    eta = local_time(label=_("There at"), required=False)


class FeedbackForm(FilesForm, VersionForm):
    """How far it is, what was seen, with figures and photos."""

    FIGURE_ROWS = (1, 2, 3)

    final = forms.TypedChoiceField(
        label=_("State"),
        coerce=lambda v: v == "1",
        widget=forms.RadioSelect,
        initial="0",
        choices=[("0", _("In progress")), ("1", _("Done: final feedback"))],
    )
    percent = forms.TypedChoiceField(label=_("How far"), coerce=int, choices=PERCENTS, widget=forms.RadioSelect)
    text = long_text(label=_("What was done, what is seen"), max_length=4000)
    place = forms.CharField(label=_("Where"), max_length=200, required=False)
    early_reason = forms.CharField(
        label=_("Why final now"),
        max_length=REASON,
        required=False,
        help_text=_("Needed where a part of this work is still open below."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Add the rows for figures."""
        super().__init__(*args, **kwargs)
        units = [("", "–"), *(kwargs.get("choices") or {}).get("unit", ())]
        for n in self.FIGURE_ROWS:
            self.fields[f"figure_name_{n}"] = forms.CharField(label=_("Figure"), max_length=80, required=False)
            self.fields[f"figure_value_{n}"] = forms.DecimalField(
                label=_("Value"), max_digits=15, decimal_places=3, min_value=0, required=False
            )
            self.fields[f"figure_unit_{n}"] = forms.ChoiceField(label=_("Unit"), choices=units, required=False)
            for part, kind in (("name", "form-control"), ("value", "form-control"), ("unit", "form-select")):
                self.fields[f"figure_{part}_{n}"].widget.attrs.update(
                    {"class": kind, "placeholder": str(self.fields[f"figure_{part}_{n}"].label)}
                )

    def figure_rows(self) -> list[tuple[Any, Any, Any]]:
        """The bound fields of each row."""
        return [
            (self[f"figure_name_{n}"], self[f"figure_value_{n}"], self[f"figure_unit_{n}"]) for n in self.FIGURE_ROWS
        ]

    def clean(self) -> dict[str, Any]:
        """Fold the figure rows into `figures`; half a row is an error."""
        data = super().clean() or {}
        figures = []
        for n in self.FIGURE_ROWS:
            name, value, unit = (data.pop(f"figure_{part}_{n}", None) for part in ("name", "value", "unit"))
            if name and value is not None:
                figures.append({"name": name, "value": value, "unit": unit or ""})
            elif name or value is not None:
                missing = "value" if name else "name"
                self.add_error(f"figure_{missing}_{n}", _("A figure needs a name and a value."))
        data["figures"] = figures
        return data


class EvaluateForm(ActForm):
    """Good enough, or back with a reason."""

    accepted = forms.TypedChoiceField(
        label=_("Verdict"),
        coerce=lambda v: v == "1",
        widget=forms.RadioSelect,
        initial="1",
        choices=[("1", _("Accept")), ("0", _("Return for rework"))],
    )
    outcome = forms.ChoiceField(label=_("Outcome grade"), required=False)
    timeliness = forms.ChoiceField(
        label=_("Timeliness"),
        required=False,
        help_text=_(
            "Choose another where the department could not help being late, or the clock does not tell it all."
        ),
    )
    remark = long_text(rows=2, label=_("Remark"), max_length=2000, required=False)
    reason = forms.CharField(label=_("Why it goes back"), max_length=REASON, required=False)
    new_due = local_time(label=_("New due time"), required=False)

    def clean(self) -> dict[str, Any]:
        """An acceptance has a grade; a return has a reason and a time."""
        data = super().clean() or {}
        if data.get("accepted") is True and not data.get("outcome"):
            self.add_error("outcome", _("Choose a grade."))
        if data.get("accepted") is False:
            for name, text in (("reason", _("Say what is missing.")), ("new_due", _("Say until when."))):
                if not data.get(name):
                    self.add_error(name, text)
        return data


class RecheckForm(FilesForm):
    """Seen on the spot: holds, or not."""

    passed = forms.TypedChoiceField(
        label=_("On the spot"),
        coerce=lambda v: v == "1",
        widget=forms.RadioSelect,
        choices=[("1", _("Holds")), ("0", _("Does not hold"))],
    )
    place = forms.CharField(label=_("Where"), max_length=200)
    remark = long_text(rows=2, label=_("What was seen"), max_length=2000, required=False)


class DeclineForm(ActForm):
    """Not ours: why, and whose instead."""

    code = forms.ChoiceField(label=_("Reason"), required=False)
    reason = forms.CharField(label=_("In words"), max_length=REASON)
    suggested = forms.TypedChoiceField(label=_("Whose instead"), coerce=int, empty_value=None, required=False)


class WhyForm(ActForm):
    """An act that may carry a reason."""

    reason = forms.CharField(label=_("Reason"), max_length=REASON, required=False)


class ReasonForm(ActForm):
    """An act that needs a reason and nothing else."""

    reason = forms.CharField(label=_("Reason"), max_length=REASON)


class CancelAssignmentForm(ReasonForm):
    """End one department's part; a lead needs a successor."""

    successor = forms.TypedChoiceField(label=_("New lead"), coerce=int, empty_value=None, required=False)


class SuccessorForm(ActForm):
    """To whom the work goes."""

    department = forms.TypedChoiceField(label=_("Department"), coerce=int)
    post = forms.ChoiceField(label=_("Post"), choices=POSTS, initial="duty_officer", required=False)
    reason = forms.CharField(label=_("Reason"), max_length=REASON, required=False)


class ArbitrateForm(ActForm):
    """The ruling: whose it is, and why."""

    owner = forms.TypedChoiceField(label=_("Whose it is"), coerce=int)
    reason = forms.CharField(label=_("Reason"), max_length=REASON)


class AskForm(ActForm):
    """More time, a pause or an answer."""

    kind = forms.ChoiceField(
        label=_("Asked for"),
        widget=forms.RadioSelect,
        choices=[("extension", _("Extension")), ("hold", _("Hold")), ("clarify", _("Clarification"))],
    )
    reason = forms.CharField(label=_("Reason"), max_length=REASON)
    wanted_until = local_time(label=_("Until"), required=False)

    def clean(self) -> dict[str, Any]:
        """Extension and hold name a time."""
        data = super().clean() or {}
        if (
            data.get("kind") in ("extension", "hold")
            and not data.get("wanted_until")
            and "wanted_until" not in self.errors
        ):
            self.add_error("wanted_until", _("Say until when."))
        return data


class GrantForm(ActForm):
    """Yes, until then; or the answer to the question."""

    until = local_time(label=_("Until"), required=False)
    answer = forms.CharField(label=_("Answer"), max_length=REASON, required=False)
    consented = forms.BooleanField(label=_("We are the ones waited for: charge this time to us"), required=False)


class HearForm(ActForm):
    """An appeal is right: whose the work is instead, and why."""

    owner = forms.TypedChoiceField(label=_("Whose it is instead"), coerce=int)
    answer = forms.CharField(label=_("Reason"), max_length=REASON)


class RefuseForm(ActForm):
    """No, and why."""

    answer = forms.CharField(label=_("Why not"), max_length=REASON)


class DelegateForm(ActForm):
    """A part of the work goes to a department below, as an instruction of our own."""

    department = forms.TypedChoiceField(label=_("To"), coerce=int)
    headline_zh = forms.CharField(label=_("Headline, Chinese"), max_length=22, required=False)
    headline_en = forms.CharField(label=_("Headline, English"), max_length=40, required=False)
    text = long_text(label=_("What they shall do"), max_length=4000)
    due_at = local_time(label=_("By when"))

    def payload(self) -> dict[str, Any]:
        """The content of an instruction whose lead is the department chosen."""
        data = super().payload()
        return {**data, "targets": [{"department": data.pop("department"), "role": "lead"}]}


class NoteForm(ActForm):
    """A word to the people urged."""

    note = forms.CharField(label=_("Note"), max_length=REASON, required=False)


class SuperviseForm(ActForm):
    """The command centre watches this closely."""

    note = forms.CharField(label=_("Note"), max_length=REASON)
    progress_every = forms.TypedChoiceField(
        label=_("Progress wanted"),
        coerce=int,
        empty_value=None,
        required=False,
        choices=[("", _("as before")), (900, _("every 15 min")), (1800, _("every 30 min")), (3600, _("every hour"))],
    )


class ConfirmForm(ActForm):
    """An order issued first is confirmed afterwards, or not."""

    yes = forms.TypedChoiceField(
        label=_("Confirm"),
        coerce=lambda v: v == "1",
        widget=forms.RadioSelect,
        choices=[("1", _("Confirmed")), ("0", _("Not confirmed"))],
    )
    reason = forms.CharField(label=_("Reason"), max_length=REASON, required=False)

    def clean(self) -> dict[str, Any]:
        """A no has a reason."""
        data = super().clean() or {}
        if data.get("yes") is False and not data.get("reason"):
            self.add_error("reason", _("Say why."))
        return data


class ApproveForm(ActForm):
    """Yes to this version; each conflict found is signed with a reason."""

    remark = forms.CharField(label=_("Remark"), max_length=REASON, required=False)

    def __init__(self, *args: Any, conflicts: Any = (), **kwargs: Any) -> None:
        """Add one reason for each conflict to sign."""
        super().__init__(*args, **kwargs)
        self.conflict_ids = [str(one["key"]) for one in conflicts]
        for one in conflicts:
            self.fields[f"sign_{one['key']}"] = forms.CharField(
                label=_("Reason for going on in spite of: %(text)s, instruction %(number)s (%(object)s)")
                % {"text": one["text"], "number": one["number"], "object": one["object"]},
                max_length=REASON,
                widget=forms.TextInput(attrs={"class": "form-control"}),
            )

    def payload(self) -> dict[str, Any]:
        """`remark` and `signed_conflicts`."""
        data = super().payload()
        signed = [{"key": key, "reason": data.pop(f"sign_{key}")} for key in self.conflict_ids if f"sign_{key}" in data]
        return {**data, "signed_conflicts": signed}


class AssignForm(ActForm):
    """One more supporting department."""

    department = forms.TypedChoiceField(label=_("Department"), coerce=int)
    post = forms.ChoiceField(label=_("Post"), choices=POSTS, initial="duty_officer", required=False)
    reason = forms.CharField(label=_("Reason"), max_length=REASON, required=False)
