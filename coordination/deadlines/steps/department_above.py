"""Who hears of it in the department above? Its duty post and its head."""

from coordination.deadlines.steps.context import Context, StepResult, together


def run(ctx: Context) -> StepResult:
    """Tell duty and head of the department above."""
    above = ctx.roster.above(ctx.parties, ctx.line)
    return StepResult(together(ctx.roster.on_duty(above), ctx.roster.heads(above)), above)
