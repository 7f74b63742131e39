"""Which fields has the form of a delivery?"""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from sharing.access.forms import ActForm


class DeliverForm(ActForm):
    """A file of records."""

    file = forms.FileField(
        label=_("File (CSV, XLSX or JSON)"), allow_empty_file=True,
        help_text=_("At most 10,000 records and 10 MB. The first line names the fields, as names or titles."),
    )
    mode = forms.ChoiceField(
        label=_("What it holds"),
        choices=[
            ("whole", _("All records: what is not in the file ends")),
            ("part", _("Some records: only those it names are replaced")),
        ],
    )
