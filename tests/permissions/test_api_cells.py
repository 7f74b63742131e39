"""Does every operation of the API answer every kind of actor as the table says, and give nothing away?"""

from __future__ import annotations

import pytest

from tests.permissions import judging
from tests.permissions import operations as ops
from tests.permissions.world import World

ROWS = ops.table()


@pytest.mark.parametrize("operation", [one for one in ops.operations() if one.api], ids=lambda one: one.key)
def test_each_actor_gets_the_listed_answer(operation: ops.Operation, world: World) -> None:
    """S30: each actor gets the listed answer."""
    answers = judging.tried(operation, world, ops.drawn(operation))
    judging.check(operation, world, answers)
    assert judging.differences(ROWS[ops.key_of(operation)], answers) == {}
