"""Who takes the matter under supervision (督办)? The incident command, by its people on duty."""

from coordination.deadlines.steps.context import Context, StepResult, together


def run(ctx: Context) -> StepResult:
    """Ask the incident command to supervise."""
    command = ctx.roster.command(ctx.parties, ctx.line)
    people = together(*(ctx.roster.on_duty(pk) for pk in command))
    return StepResult(people, command[0] if command else None)
