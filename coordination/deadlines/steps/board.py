"""Who keeps hearing of it until it is settled? The command centre, on its board."""

from coordination.deadlines.steps.context import Context, StepResult, together


def run(ctx: Context) -> StepResult:
    """Put it before the command centre again."""
    command = ctx.roster.command(ctx.parties, ctx.line)
    people = together(*(ctx.roster.on_duty(pk) for pk in command))
    return StepResult(people, command[0] if command else None)
