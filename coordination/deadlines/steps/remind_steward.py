"""Who keeps the data? The data stewards of the department that keeps it."""

from coordination.deadlines.steps.context import Context, StepResult


def run(ctx: Context) -> StepResult:
    """Remind the data stewards."""
    return StepResult(ctx.roster.holders(ctx.line, "data_steward"), ctx.line)
