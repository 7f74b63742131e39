"""Who is reminded first (催办)? The people on duty in the department whose move it is."""

from coordination.deadlines.steps.context import Context, StepResult


def run(ctx: Context) -> StepResult:
    """Remind the duty post."""
    return StepResult(ctx.roster.on_duty(ctx.line), ctx.line)
