"""Does a department keep the whole sight of its own data, whatever those above it are given?"""

from __future__ import annotations

import pytest

from sharing import access
from sharing.access.actions.opening import Holder, Terms
from sharing.catalogue import queries
from tests.catalogue.ground import T0, Ground
from tests.catalogue.requesting import conditional

pytestmark = pytest.mark.django_db


def test_a_masked_grant_to_all_below_somebody_takes_no_question_from_who_keeps_the_data(ground: Ground) -> None:
    row = conditional(ground)
    above = Holder("subtree", str(ground.departments["health"].pk))
    terms = Terms(
        fields={"id": "full", "beds": {"mask": "bucket", "edges": [10]}}, max_class=2, source="unconditional",
        valid_from=T0,
    )  # fmt: skip
    access.open_dataset(dataset_id=row.pk, holders=[above], terms=terms)
    steward = ground.actor("health")
    found = queries.records(
        actor=steward, now=T0, dataset_id=row.pk, where={"field": "beds", "op": "gt", "value": 10}, sort="-beds"
    )
    assert [one["data"]["beds"] for one in found.rows] == [40]
    opened = queries.opened(actor=steward, now=T0, dataset_id=row.pk)
    assert queries.counted(opened) == {"number": 2, "more": False, "few": False}
