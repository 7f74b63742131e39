"""Who else could do it? The issuer's duty is told which department the responsibilities name."""

from coordination.deadlines.steps.context import Context, StepResult


def run(ctx: Context) -> StepResult:
    """Propose another owner to the issuer; nobody to propose leaves the step empty."""
    found = ctx.roster.leads(ctx.parties)
    if not found:
        return StepResult((), ctx.parties.issuer)
    owner = found[0].department
    args = {"proposed": owner.pk, "proposed_zh": owner.name_zh, "proposed_en": owner.name_en}
    return StepResult(ctx.roster.on_duty(ctx.parties.issuer), ctx.parties.issuer, args)
