"""Do the forms of pages hold text to the rule that the API holds it to?"""

from __future__ import annotations

import uuid

import pytest

from incidents.forms import LogForm
from sharing.access.forms import ActForm


def filled(**fields: str) -> ActForm:
    return LogForm({"command_id": str(uuid.uuid4()), "kind": "note", **fields}, choices={"kind": [("note", "Note")]})


@pytest.mark.parametrize("sly", ["\u202eabc", "a\u2067b", "a\u202cb"])
def test_a_turner_of_lines_is_named_at_its_field(sly: str) -> None:
    form = filled(text="Seen", headline_en=sly)
    assert not form.is_valid()
    assert list(form.errors) == ["headline_en"]


@pytest.mark.parametrize("sly", ["\u200b", "\u3164\u2800", " \u2060 "])
def test_a_text_nobody_can_see_is_missing(sly: str) -> None:
    assert list(filled(text=sly).errors) == ["text"]
    form = filled(text="Seen", headline_en=sly)
    assert form.is_valid(), form.errors
    assert "headline_en" not in form.payload()
