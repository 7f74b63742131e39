"""What differs between two versions of an instruction, word by word?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import Any

from django.utils import timezone
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from coordination.instructions.forms.content import object_name
from coordination.instructions.views.choices import Choices
from coordination.instructions.views.shown import EVIDENCE_NAMES, URGENCY_NAMES

WORDS = re.compile(r"[A-Za-z0-9]+|\s+|.", re.DOTALL)  # Latin words, blanks, single Chinese characters
SENTENCES = re.compile(r"[^。！？；.!?;\n]*[。！？；.!?;\n]|[^。！？；.!?;\n]+")
MOST_ALIKE = 40_000
"""Pairs of equal pieces that are weighed: the time goes with their number, and the worst texts take hours."""
FIELDS = (
    ("headline_zh", gettext_lazy("Headline, Chinese")),
    ("headline_en", gettext_lazy("Headline, English")),
    ("text", gettext_lazy("What shall be done")),
    ("verb", gettext_lazy("Act")),
    ("what", gettext_lazy("Object")),
    ("place", gettext_lazy("Where")),
    ("position", gettext_lazy("Position (WGS-84)")),
    ("amount", gettext_lazy("How much")),
    ("objects_named", gettext_lazy("Objects")),
    ("starts_at", gettext_lazy("Not before")),
    ("due_at", gettext_lazy("By when")),
    ("due_in", gettext_lazy("Minutes from issue")),
    ("type", gettext_lazy("Type")),
    ("urgency", gettext_lazy("Urgency")),
    ("evidence", gettext_lazy("Evidence wanted")),
    ("read_back", gettext_lazy("Read-back")),
    ("targets", gettext_lazy("To")),
)


def compare(older: Mapping[str, Any], newer: Mapping[str, Any], choices: Choices) -> list[dict[str, Any]]:
    """One row per field that either version fills: name, both texts with marks, and whether they differ."""
    rows = []
    for name, label in FIELDS:
        before, after = _text(older, name, choices), _text(newer, name, choices)
        if before or after:
            left, right = marked(before, after)
            rows.append({"label": label, "before": left, "after": right, "differs": before != after})
    return rows


def _addressee(short: str, role: str) -> str:
    named = _(role)  # not inside the braces: from Python 3.12 on what is read there is taken for a text
    return f"{short} ({named})"


def _text(version: Mapping[str, Any], name: str, choices: Choices) -> str:
    if name == "position":
        return f"{version['latitude']:.5f}, {version['longitude']:.5f}" if version["latitude"] is not None else ""
    if name == "amount":
        number = version["quantity"]
        return f"{float(number):g} {choices.name('unit', version['unit'])}" if number is not None else ""
    if name == "targets":
        return ", ".join(_addressee(row["department"]["short"], row["role"]) for row in version["targets"])
    value = version[name]
    if name == "verb":
        return choices.name("verb", value)
    if name == "type":
        return choices.name("incident_type", value)
    if name == "objects_named":
        return ", ".join(f"{object_name(row['kind'])} {row['code']}" for row in value)
    if name == "due_in":
        return f"{value / 60:g}" if value else ""
    if name in ("starts_at", "due_at"):
        return f"{timezone.localtime(value):%Y-%m-%d %H:%M}" if value else ""
    if name == "urgency":
        return str(URGENCY_NAMES.get(value, value))
    if name == "evidence":
        return ", ".join(str(EVIDENCE_NAMES.get(code, code)) for code in value)
    if name == "read_back":
        return _("wanted") if value else ""
    return str(value or "")


def marked(before: str, after: str) -> tuple[SafeString, SafeString]:
    """Both texts, what went marked `<del>` on the left, what came marked `<ins>` on the right."""
    old, new = _pieces(before, after)
    left, right = [], []
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        gone, come = escape("".join(old[a:b])), escape("".join(new[c:d]))
        left.append(gone if kind == "equal" or not gone else f"<del>{gone}</del>")
        right.append(come if kind == "equal" or not come else f"<ins>{come}</ins>")
    return mark_safe("".join(left)), mark_safe("".join(right))  # noqa: S308 - every piece is escaped above


def _pieces(before: str, after: str) -> tuple[list[str], list[str]]:
    """Both texts by words; by sentences, or whole, where too many words are alike."""
    for pattern in (WORDS, SENTENCES):
        old, new = pattern.findall(before), pattern.findall(after)
        there = Counter(new)
        if sum(times * there[piece] for piece, times in Counter(old).items()) <= MOST_ALIKE:
            return old, new
    return [before], [after]
