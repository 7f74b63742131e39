"""Who is called when the duty post does not answer? The deputy, else the person of the next shift."""

from coordination.deadlines.steps.context import Context, StepResult


def run(ctx: Context) -> StepResult:
    """Call the next on duty."""
    return StepResult(ctx.roster.next_on_duty(ctx.line), ctx.line)
