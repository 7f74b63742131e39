"""Who answers for the department when its duty does not? Its head."""

from coordination.deadlines.steps.context import Context, StepResult


def run(ctx: Context) -> StepResult:
    """Tell the head."""
    return StepResult(ctx.roster.heads(ctx.line), ctx.line)
