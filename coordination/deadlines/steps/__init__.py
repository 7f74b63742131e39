"""Which steps may a ladder name? One file each; its name is the step's name."""

from __future__ import annotations

from collections.abc import Callable

from coordination.deadlines.steps import (
    auditor,
    board,
    data_authority,
    department_above,
    head,
    next_on_duty,
    propose_owner,
    remind_duty,
    remind_steward,
    supervise,
)
from coordination.deadlines.steps.context import Context as Context
from coordination.deadlines.steps.context import StepResult as StepResult

_FILES = (remind_duty, next_on_duty, head, department_above, supervise, propose_owner, board, remind_steward,
          data_authority, auditor)  # fmt: skip

STEPS: dict[str, Callable[[Context], StepResult]] = {file.__name__.rpartition(".")[2]: file.run for file in _FILES}


class UnknownStepError(LookupError):
    """A ladder names a step for which there is no file."""


def run(name: str, ctx: Context) -> StepResult:
    """Run a step by name; UnknownStepError where there is none."""
    try:
        step = STEPS[name]
    except KeyError:
        raise UnknownStepError(name) from None
    return step(ctx)
