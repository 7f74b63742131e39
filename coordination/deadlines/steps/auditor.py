"""Who hears of what nobody judges? The auditors of the department and of the one above it; else the command centre."""

from coordination.deadlines.steps.context import Context, StepResult, together


def run(ctx: Context) -> StepResult:
    """Tell the auditors."""
    above = ctx.roster.above(ctx.parties, ctx.line)
    people = together(ctx.roster.holders(ctx.line, "auditor"), ctx.roster.holders(above, "auditor"))
    if people:
        return StepResult(people, ctx.line)
    command = ctx.roster.command(ctx.parties, ctx.line)
    return StepResult(together(*(ctx.roster.on_duty(pk) for pk in command)), command[0] if command else None)
