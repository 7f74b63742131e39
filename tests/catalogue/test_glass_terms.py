"""Does broken glass end with itself alone, and last no longer than its keeper lets an emergency open it?"""

from __future__ import annotations

import pytest

from sharing.catalogue import actions
from sharing.catalogue.actions import breaking, revoking
from sharing.catalogue.actions.breaking import CannotRenew
from sharing.catalogue.models import Dataset
from tests.catalogue.ground import T0, Ground
from tests.catalogue.test_break_glass import MINUTE, broken, filled, proof, read, reader

pytestmark = pytest.mark.django_db


def test_its_grant_is_not_taken_back_beside_it(ground: Ground) -> None:
    row = filled(ground)
    glass = broken(ground, row)
    steward = ground.actor("health")
    with pytest.raises(revoking.EndTheGlass):
        actions.revoke_grant(actor=steward, now=T0 + MINUTE, grant_id=glass.grant_ids[0], why="no longer")
    assert read(ground, row, reader(ground), T0 + MINUTE).rows


def test_what_its_keeper_releases_no_more_is_not_renewed(ground: Ground) -> None:
    row, who = filled(ground), reader(ground)
    glass = broken(ground, row)
    Dataset.objects.filter(pk=row.pk).update(emergency_release=False)
    with pytest.raises(CannotRenew):
        breaking.renew(actor=who, now=T0 + MINUTE, proof=proof(who), glass_id=glass.pk)
    assert read(ground, row, who, T0 + MINUTE).rows, "it ends at its time"
