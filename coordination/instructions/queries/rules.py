"""How many approvals does an order need, and on what basis does its issuer give it?"""

from __future__ import annotations

from collections.abc import Iterable

from accounts.models import Department
from coordination.instructions.models import ApprovalRule, Instruction, InstructionVersion
from coordination.instructions.queries import cases
from incidents.models import Incident, Participation

WITHOUT_RULE = 1


def approvals_needed(instruction: Instruction, version: InstructionVersion) -> int:
    """Persons who must approve: the most specific `ApprovalRule`; a lateral request at least one."""
    rules = [
        rule
        for rule in ApprovalRule.objects.all()
        if _fits(rule, instruction, version)
    ]
    best = max(rules, key=_weight, default=None)
    needed = WITHOUT_RULE if best is None else best.approvals
    return max(needed, 1) if instruction.basis == Instruction.Basis.LATERAL else needed


def _fits(rule: ApprovalRule, instruction: Instruction, version: InstructionVersion) -> bool:
    typed = not rule.type or version.type == rule.type or version.type.startswith(rule.type + ".")
    return (
        typed
        and rule.response_level in (None, instruction.incident.response_level)
        and rule.basis in ("", instruction.basis)
        and rule.urgency in ("", version.urgency)
    )


def _weight(rule: ApprovalRule) -> tuple[int, int, int]:
    named = (bool(rule.type), rule.response_level is not None, bool(rule.basis), bool(rule.urgency))
    return (sum(named), len(rule.type), rule.pk)


def basis_of(
    issuer: Department, incident: Incident, addressed: Iterable[Department], known: cases.Centres
) -> str:
    """command: the issuer commands the incident; line: it stands above all it addresses; else lateral."""
    if issuer.pk in cases.command_ids(incident, known):
        return Instruction.Basis.COMMAND
    rows = list(addressed)
    if rows and all(row.pk == issuer.pk or issuer.pk in row.ancestor_ids for row in rows):
        return Instruction.Basis.LINE
    return Instruction.Basis.LATERAL


def not_on_incident(incident_id: int, department_ids: Iterable[int]) -> set[int]:
    """Which of these departments take no part in the incident (stood down counts as no part)."""
    wanted = set(department_ids)
    there = Participation.everything.filter(incident_id=incident_id, department_id__in=wanted, left_at=None)
    return wanted - set(there.exclude(state="stood_down").values_list("department_id", flat=True))
