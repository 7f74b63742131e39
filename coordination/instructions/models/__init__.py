"""Which tables hold the closed loop?"""

from coordination.instructions.models.assignment import Assignment
from coordination.instructions.models.instruction import Approval, Instruction, InstructionVersion, Urgency
from coordination.instructions.models.records import (
    Acknowledgement,
    Ask,
    Evaluation,
    Feedback,
    Transition,
    Urge,
)
from coordination.instructions.models.rules import ApprovalRule, ConflictRule

__all__ = [
    "Acknowledgement",
    "Approval",
    "ApprovalRule",
    "Ask",
    "Assignment",
    "ConflictRule",
    "Evaluation",
    "Feedback",
    "Instruction",
    "InstructionVersion",
    "Transition",
    "Urge",
    "Urgency",
]
