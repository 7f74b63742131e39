"""What did the centre of the small city give of its data?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from coordination.events import clock
from sharing import access
from sharing.access.actions.opening import Holder, Terms
from sharing.catalogue import actions


def grants(world: Any, datasets: Sequence[int]) -> list[int]:
    """Open these datasets to the port, and take the second back."""
    port = Holder("department", str(world.departments["port"].pk))
    terms = Terms(
        fields={"number": "full"}, max_class=4, source="agreement", valid_from=clock.now(), purpose="canary-purpose"
    )
    made = [access.open_dataset(dataset_id=pk, holders=[port], terms=terms)[0].pk for pk in datasets]
    steward = world.actor("centre/data_steward")
    actions.revoke_grant(actor=steward, now=clock.now(), grant_id=made[1], why="canary-why")
    return made
