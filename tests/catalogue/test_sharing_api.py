"""Do both sides read grants over REST, and does no answer that was kept outlive the one that is taken back?"""

from __future__ import annotations

import pytest

from coordination.events import clock
from sharing import access
from sharing.access.actions.opening import Holder, Terms
from tests.api.conftest import city, speak, world
from tests.catalogue.test_api import Speak, published
from tests.permissions.world import World

pytestmark = pytest.mark.django_db
__all__ = ["city", "speak", "world"]


def test_both_sides_over_rest(speak: Speak, world: World) -> None:
    steward, other = speak("fire/data_steward"), speak("water/client")
    row = published(steward)
    terms = Terms(
        fields={"id": "full"}, max_class=2, source="agreement", valid_from=clock.now(), purpose="winter plan"
    )
    water = Holder("department", str(world.departments["water"].pk))
    pk = access.open_dataset(dataset_id=row["id"], holders=[water], terms=terms)[0].pk
    records = other.get(f"/datasets/{row['id']}/records")
    assert (records.status_code, records["Cache-Control"]) == (200, "private, no-store")
    (mine,) = other.get("/grants?side=received").json()["items"]
    assert (mine["id"], mine["state"], mine["times"]) == (pk, "in_force", None)
    assert other.get("/grants").status_code == 403
    assert other.get(f"/grants/{pk}/receipts").status_code == 403
    (given,) = steward.get(f"/grants?dataset_id={row['id']}").json()["items"]
    assert given["allowed_actions"] == [{"action": "revoke"}]
    assert steward.get("/grants?state=revoked").json()["items"] == []
    assert steward.get("/grants?state=open").status_code == 400
    assert steward.get(f"/grants/{pk}/receipts").json()["items"] == []
    assert other.post(f"/grants/{pk}/revoke", {"why": "x"}).status_code == 403
    assert steward.post(f"/grants/{pk}/revoke", {}).status_code == 400
    done = steward.post(f"/grants/{pk}/revoke", {"why": "over"})
    assert (done.status_code, done.json()["state"], done.json()["revoked_why"]) == (200, "revoked", "over")
    assert steward.post(f"/grants/{pk}/revoke", {"why": "over"}).status_code == 409
    after = other.get(f"/datasets/{row['id']}/records", if_none_match=records["ETag"])
    assert after.status_code == 403
