"""Does the table name every operation there is, and no other?

``MUSTER_RECORD=api/ python -m pytest tests/permissions/test_table.py`` writes the rows of routes that begin so
(``pages``: all but the API's, ``all``: every row, ``missing``: the rows and columns that are not there) anew from
what the code answers now; read the difference before you commit it.
"""

from __future__ import annotations

import os

from tests.permissions import judging, listening
from tests.permissions import operations as ops
from tests.permissions.world import World


def test_the_table_has_a_row_for_each_operation_and_no_other(world: World) -> None:
    every = ops.operations() + ops.sockets()
    if os.environ.get("MUSTER_RECORD"):
        _record(every, world, os.environ["MUSTER_RECORD"])
    wanted = {ops.key_of(one) for one in every}
    rows = ops.table()
    assert wanted - set(rows) == set(), "operations without a row"
    assert set(rows) - wanted == set(), "rows without an operation"


def _record(every: list[ops.Operation], world: World, wanted: str) -> None:
    rows, known = [], ops.table()
    for one in every:
        row = known.get(ops.key_of(one), {})
        if wanted == "all" or one.route.startswith(wanted) or (wanted == "pages" and not one.api):
            row = {}
        cells = [cell for cell in ops.cells() if cell[0] not in row and cell[0] not in ops.HIDDEN[1:]]
        if cells and one.method == "WS":
            row |= ops.row_of(one, listening.try_all(one, world, cells))
        elif cells:
            answers = judging.tried(one, world, cells)
            row |= ops.row_of(one, {cell: answer.said for cell, answer in answers.items()})
        rows.append(row)
    ops.write(rows)
