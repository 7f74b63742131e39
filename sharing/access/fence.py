"""For whom does the database show rows that it guards itself?

Second fence only (row-level security): ``sharing.access`` and the queries decide; but a question that forgot to ask,
or a statement that somebody slipped in, finds nothing. The tables' policies (their migrations) compare a row with
what is set here for the transaction; where nothing is set, they show no row at all, to their owner neither.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from coordination.events.actor import Actor

_SET = """
SELECT set_config('muster.person', %s, true), set_config('muster.department', %s, true),
       set_config('muster.platform', %s, true)
"""


@contextmanager
def fenced(actor: Actor) -> Iterator[None]:
    """A transaction (or a part of one) in which guarded rows are shown to the actor, or to the platform itself.

    What was set before is set again afterwards: one actor's rows are not left open to whatever follows.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('muster.person', true), current_setting('muster.department', true),"
            " current_setting('muster.platform', true)"
        )
        before = [value or "" for value in cursor.fetchone()]
        cursor.execute(_SET, _of(actor))
        yield
        cursor.execute(_SET, before)


def _of(actor: Actor) -> list[str]:
    if actor.kind == "system":
        return ["", "", "on"]
    if not actor.is_person or actor.department_id is None:
        return ["", "", ""]
    return [str(actor.id or ""), str(actor.department_id), ""]
