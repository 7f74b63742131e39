"""How large is the matrix: how many cells has it, how many kinds of actor, how many states of an object?"""

from __future__ import annotations

from tests.permissions import lent, lent_after
from tests.permissions import operations as ops

CELLS, ACTORS, STATES = 10_000, 14, 7


def test_the_matrix_is_as_large_as_was_asked_for() -> None:
    """Every operation and every socket, for every kind of actor, in every relation; all of it with every row there."""
    every, cells = ops.operations() + ops.sockets(), list(ops.cells())
    assert len(set(cells)) == len(cells)
    assert len(every) * len(cells) >= CELLS
    assert {ops.key_of(one) for one in every} <= set(ops.table())
    actors = {kind for _relation, kind, _principal in cells}
    assert actors == {*ops.STRANGERS, *ops.KINDS}
    assert len(actors) >= ACTORS
    assert len({relation for relation, _kind, _principal in cells} - {"strangers"}) >= STATES


def test_the_states_of_what_is_lent_are_those_that_a_grant_can_be_in() -> None:
    """Of data: those of the grant, and those of what the grant stands on."""
    assert set(lent.STATES.values()) == {
        "own", "shared", "masked", "lapsed", "revoked", "not yet valid", "above ceiling", "foreign"
    }
    assert {"retired", "hidden parent", "exercise", "broken glass", "agreement ended"} <= set(lent_after.STATES)
    assert len({*lent.STATES.values(), *lent_after.STATES}) >= 2 * STATES
    assert ("WS", "live/ws", "dataset") in {ops.key_of(one) for one in ops.sockets()}
