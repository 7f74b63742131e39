"""Who is reminded of a request for data? The data stewards of the department that keeps it."""

from coordination.deadlines.steps.context import Context, StepResult


def run(ctx: Context) -> StepResult:
    """Remind the data stewards."""
    return StepResult(ctx.roster.stewards(ctx.line), ctx.line)
