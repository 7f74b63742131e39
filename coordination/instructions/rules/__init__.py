"""How do the rules of approval and of contradiction become rows?

``default.yaml`` beside this file holds what Muster ships: ``approvals`` (how many persons must approve, by type
prefix, response level, basis and urgency; empty = any) and ``conflicts`` (two verbs that must not stand together on
one kind of object in one window).
"""

from __future__ import annotations

from typing import Any

from coordination.instructions.models import ApprovalRule, ConflictRule, Instruction, Urgency


class BadRulesError(ValueError):
    """A document that is not of the form above; the message names the place."""


def load(document: Any) -> tuple[int, int]:
    """Take a parsed document's rules; return how many approval and conflict rules it holds."""
    if not isinstance(document, dict) or set(document) - {"approvals", "conflicts"}:
        raise BadRulesError("approvals and conflicts are expected")
    approvals, conflicts = document.get("approvals") or [], document.get("conflicts") or []
    for number, entry in enumerate(approvals, 1):
        _approval(f"approval rule {number}", entry)
    for number, entry in enumerate(conflicts, 1):
        _conflict(f"conflict rule {number}", entry)
    return len(approvals), len(conflicts)


def _approval(place: str, entry: Any) -> None:
    if not isinstance(entry, dict) or set(entry) - {"type", "response_level", "basis", "urgency", "approvals"}:
        raise BadRulesError(f"{place}: unknown entries")
    needed, level = entry.get("approvals"), entry.get("response_level")
    if needed not in (0, 1, 2) or level not in (None, 1, 2, 3, 4):
        raise BadRulesError(f"{place}: approvals are 0 to 2, response levels 1 to 4")
    basis, urgency = str(entry.get("basis", "")), str(entry.get("urgency", ""))
    if basis not in ("", *Instruction.Basis.values) or urgency not in ("", *Urgency.values):
        raise BadRulesError(f"{place}: unknown basis or urgency")
    key = {"type": str(entry.get("type", "")), "response_level": level, "basis": basis, "urgency": urgency}
    ApprovalRule.objects.update_or_create(**key, defaults={"approvals": needed})


def _conflict(place: str, entry: Any) -> None:
    needed = {"code", "verb", "against", "object_kind", "zh", "en"}
    if not isinstance(entry, dict) or set(entry) != needed:
        raise BadRulesError(f"{place}: {', '.join(sorted(needed))} are needed")
    values = {name: str(entry[name]) for name in ("verb", "against", "object_kind")}
    ConflictRule.objects.update_or_create(
        code=str(entry["code"]), defaults={**values, "name_zh": str(entry["zh"]), "name_en": str(entry["en"])}
    )
