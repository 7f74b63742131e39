"""Does this order contradict another one that stands?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext

from coordination.events.text import localized
from coordination.instructions.models import ConflictRule, InstructionVersion
from sharing import access

_WHY = "the conflict check sees every order of the incident, shows only what it contradicts"
_ALWAYS = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Finding:
    """One contradiction. ``key`` is what an approver signs. ``rule``: code, or ``due_before_prerequisite``."""

    key: str
    rule: str
    name: str
    instruction_id: int
    number: int
    object: str
    headline: str = ""
    state: str = ""

    def shown(self) -> dict[str, Any]:
        """As a plain dict."""
        return {
            "key": self.key, "rule": self.rule, "name": self.name, "instruction": self.instruction_id,
            "number": self.number, "object": self.object,
        }


def findings(version: InstructionVersion) -> list[Finding]:
    """Contradictions with orders in force or on their way on the same incident; two queries, none without objects."""
    named = {(row["kind"], row["code"]) for row in version.objects_named}
    if not named and version.instruction.linked_id is None:
        return []
    rules = list(ConflictRule.objects.filter(verb=version.verb)) + list(
        ConflictRule.objects.filter(against=version.verb)
    )
    others = (
        access.unscoped(InstructionVersion, reason=_WHY)
        .filter(instruction__incident_id=version.instruction.incident_id, instruction__state__in=["issued", "approved"])
        .exclude(instruction_id=version.instruction_id)
        .exclude(instruction_id=version.instruction.supersedes_id or 0)
        .filter(state__in=["issued", "approved"])
        .select_related("instruction")
        .order_by("instruction_id", "n")
    )
    latest = {other.instruction_id: other for other in others if other.n >= other.instruction.current}
    found: dict[str, Finding] = {}
    for other in latest.values():
        for finding in _against(version, other, rules, named):
            found.setdefault(finding.key, finding)
        if other.instruction_id == version.instruction.linked_id and _before(version, other):
            late = _finding("due_before_prerequisite", _name_before(), other, "")
            found.setdefault(late.key, late)
    return list(found.values())


def _against(
    version: InstructionVersion, other: InstructionVersion, rules: list[ConflictRule], named: set[tuple[str, str]]
) -> list[Finding]:
    theirs = {(row["kind"], row["code"]) for row in other.objects_named}
    if not _overlap(version, other):
        return []
    return [
        _finding(rule.code, localized(rule.name_zh, rule.name_en), other, f"{kind}:{code}")
        for rule in rules
        for kind, code in sorted(named & theirs)
        if rule.object_kind == kind
        and (
            (rule.verb, rule.against) == (version.verb, other.verb)
            or (rule.against, rule.verb) == (version.verb, other.verb)
        )
    ]


def _finding(rule: str, name: str, other: InstructionVersion, named: str) -> Finding:
    key = f"{rule}:{other.instruction_id}:{other.n}:{named}"
    return Finding(key, rule, name, other.instruction_id, other.instruction.number, named, other.headline,
                   other.instruction.state)


def _name_before() -> str:
    return gettext("Due before the order it builds on")


def _window(version: InstructionVersion) -> tuple[datetime, datetime]:
    return version.starts_at or version.created_at, version.due_at or _ALWAYS


def _overlap(a: InstructionVersion, b: InstructionVersion) -> bool:
    (a_from, a_to), (b_from, b_to) = _window(a), _window(b)
    return a_from < b_to and b_from < a_to


def _before(version: InstructionVersion, prerequisite: InstructionVersion) -> bool:
    return version.due_at is not None and prerequisite.due_at is not None and version.due_at < prerequisite.due_at
