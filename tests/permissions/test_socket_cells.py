"""Does a socket let every kind of actor follow what the table says, and nothing else?"""

from __future__ import annotations

import pytest

from tests.permissions import listening
from tests.permissions import operations as ops
from tests.permissions.world import World

ROWS = ops.table()


@pytest.mark.parametrize("operation", ops.sockets(), ids=lambda one: one.key)
def test_each_actor_may_follow_what_is_listed(operation: ops.Operation, world: World) -> None:
    """S30: each actor may follow what is listed."""
    said = listening.try_all(operation, world, ops.cells())
    row = ROWS[ops.key_of(operation)]
    assert {cell: got for cell, got in said.items() if got != ops.expected(row, *cell)} == {}
