"""Do departments ask, answer, sign off and end over REST, and is each refusal said where it belongs?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from coordination.events import clock
from tests.api.conftest import city, speak, world
from tests.catalogue.test_api import Speak, published

pytestmark = pytest.mark.django_db
__all__ = ["city", "speak", "world"]


def conditional(speak: Speak) -> dict[str, Any]:
    steward = speak("fire/data_steward")
    basis = steward.post("/legal-bases", {"instrument_zh": "消防法", "in_force_from": "2020-01-01"}).json()["id"]
    more = {"sharing": "conditional", "legal_basis": basis, "conditions_en": "For rescue."}
    return published(steward, **more) | {"basis": basis}


def test_from_asking_to_the_end_of_the_agreement(speak: Speak) -> None:
    row = conditional(speak)
    asker, steward = speak("water/duty_officer"), speak("fire/data_steward")
    until = (clock.now() + timedelta(days=20)).isoformat()
    body = {"dataset_id": row["id"], "fields": ["id", "beds"], "purpose": "Rescue", "valid_to": until}
    made = asker.post("/share-requests", body)
    assert made.status_code == 201 and made.json()["state"] == "submitted", made.content
    path = f"/share-requests/{made.json()['id']}"
    assert [one["id"] for one in steward.get("/share-requests").json()["items"]] == [made.json()["id"]]
    assert asker.get("/share-requests").json()["items"] == []
    assert len(asker.get("/share-requests?side=asked").json()["items"]) == 1
    shown = steward.get(path)
    assert {one["action"] for one in shown.json()["allowed_actions"]} == {"screen", "grant", "refuse"}
    assert steward.post(f"{path}/grant", {}).status_code == 428
    wide = steward.post(f"{path}/grant", {"fields": ["id", "phone"]}, if_match=shown["ETag"])
    assert wide.status_code == 422 and wide.json()["errors"][0]["pointer"] == "/fields/phone"
    done = steward.post(f"{path}/grant", {"fields": ["id"]}, if_match=shown["ETag"])
    assert done.status_code == 200 and done.json()["state"] == "partly_granted"
    agreed = f"/agreements/{done.json()['agreement_id']}"
    assert asker.get(agreed).json()["intact"] is True
    assert asker.get(f"{agreed}/odrl").json()["@type"] == "Agreement"
    assert asker.get(f"/datasets/{row['id']}/records").status_code == 200
    assert speak("water/client").get(agreed).status_code == 404
    assert steward.post(f"{agreed}/end", {"why": ""}).status_code in (400, 422)
    assert steward.post(f"{agreed}/end", {"why": "Over"}).json()["state"] == "ended"
    assert asker.get(f"/datasets/{row['id']}/records").status_code == 403


def test_a_standing_offer_and_a_refusal(speak: Speak) -> None:
    row = conditional(speak)
    asker, steward = speak("water/duty_officer"), speak("fire/data_steward")
    offer = f"/datasets/{row['id']}/offer"
    assert asker.get(offer).status_code == 404
    assert asker.post(offer, {"fields": ["id"], "longest_days": 5}).status_code == 403
    assert steward.post(offer, {"fields": ["id"], "longest_days": 5}).json()["longest_days"] == 5
    body = {"dataset_id": row["id"], "fields": ["id"], "purpose": "Rescue",
            "valid_to": (clock.now() + timedelta(days=3)).isoformat()}  # fmt: skip
    assert asker.post("/share-requests", body).json()["state"] == "granted"
    assert steward.post(f"{offer}/end", {}).status_code in (200, 204)
    waits = asker.post("/share-requests", body)
    path = f"/share-requests/{waits.json()['id']}"
    tag = steward.get(path)["ETag"]
    assert steward.post(f"{path}/refuse", {"answer": "No"}, if_match=tag).status_code in (400, 422)
    refused = steward.post(f"{path}/refuse", {"answer": "No", "legal_basis_id": row["basis"]}, if_match=tag)
    assert refused.status_code == 200 and refused.json()["legal_basis"]["id"] == row["basis"]
