"""Who may decide on data in the end? Heads and data stewards of whoever leads the duty that the subject names."""

from coordination.deadlines.steps.context import Context, StepResult, together


def run(ctx: Context) -> StepResult:
    """Tell the data authority; nobody leads that duty: an empty step."""
    found = ctx.roster.leads(ctx.parties)
    if not found:
        return StepResult((), ctx.line)
    department_id = found[0].department_id
    stewards = ctx.roster.holders(department_id, "data_steward")
    return StepResult(together(ctx.roster.heads(department_id), stewards), department_id)
