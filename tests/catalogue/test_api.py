"""Do other systems and stewards read and keep the catalogue over REST, and what are they told when they may not?"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from coordination.events.models import ReadEntry
from sharing.catalogue.models import Dataset
from tests.api.conftest import Speaker, city, speak, world
from tests.catalogue.ground import SCHEMA

pytestmark = pytest.mark.django_db
__all__ = ["city", "speak", "world"]
Speak = Callable[[str], Speaker]
ENTRY = {"code": "hydrants", "title_en": "Hydrants", "title_zh": "消火栓", "frequency": "daily", "contact": "room 3"}


def published(steward: Speaker, **more: Any) -> dict[str, Any]:
    made = steward.post("/datasets", ENTRY | more)
    assert made.status_code == 201, made.content
    pk = made.json()["id"]
    added = steward.post(f"/datasets/{pk}/schemas", {"schema": SCHEMA}, if_match=made["ETag"])
    assert added.status_code == 201, added.content
    tag = steward.get(f"/datasets/{pk}")["ETag"]
    done = steward.post(f"/datasets/{pk}/publish", {}, if_match=tag)
    assert done.status_code == 200, done.content
    return done.json() | {"tag": done["ETag"]}


def test_an_entry_from_draft_to_retirement(speak: Speak) -> None:
    steward, other = speak("fire/data_steward"), speak("water/client")
    row = published(steward)
    shown = other.get(f"/datasets/{row['id']}")
    assert shown.status_code == 200
    assert shown.json()["schema"]["document"] == SCHEMA and shown.json()["allowed_actions"] == []
    assert [one["code"] for one in other.get("/datasets?q=hydr").json()["items"]] == ["hydrants"]
    assert other.get("/datasets?personal=true").json()["items"] == []
    changed = steward.send("PATCH", f"/datasets/{row['id']}", {"title_en": "Wells"}, if_match=row["tag"])
    assert changed.status_code == 200 and changed.json()["title_en"] == "Wells"
    assert [one["number"] for one in other.get(f"/datasets/{row['id']}/schemas").json()["items"]] == [1]
    assert steward.post(f"/datasets/{row['id']}/confirm", {}, if_match=changed["ETag"]).status_code == 409
    assert steward.post(f"/datasets/{row['id']}/retire", {}, if_match=changed["ETag"]).status_code == 200


def test_of_two_stewards_only_one_decides_on_a_version(speak: Speak) -> None:
    steward = speak("fire/data_steward")
    row = published(steward)
    path, tag = f"/datasets/{row['id']}", row["tag"]
    assert steward.send("PATCH", path, {"title_en": "Wells"}).status_code == 428
    assert steward.send("PATCH", path, {"title_en": "Wells"}, if_match=tag).status_code == 200
    late = steward.send("PATCH", path, {"title_en": "Ponds"}, if_match=tag)
    assert late.status_code == 412 and late.json()["code"] == "version_conflict"
    assert steward.post(f"{path}/retire", {}, if_match=tag).status_code == 412
    assert Dataset.objects.get(pk=row["id"]).title_en == "Wells"


def test_faults_stand_at_their_pointers(speak: Speak) -> None:
    steward = speak("fire/data_steward")
    refused = steward.post("/datasets", ENTRY | {"code": "A B", "sharing": "conditional"})
    assert refused.status_code == 422
    assert {one["pointer"] for one in refused.json()["errors"]} == {"/code", "/legal_basis"}
    made = steward.post("/datasets", ENTRY)
    bad = {"fields": [{"name": "a", "title_en": "A"}, {"name": "a", "title_en": "B", "type": "money"}]}
    refused = steward.post(f"/datasets/{made.json()['id']}/schemas", {"schema": bad}, if_match=made["ETag"])
    assert {one["pointer"] for one in refused.json()["errors"]} == {
        "/schema/fields/1/name", "/schema/fields/1/type",
    }
    assert steward.get("/datasets?cursor=nonsense").status_code == 400
    assert steward.get("/datasets?sharing=any").status_code == 400


def test_a_cursor_leads_on_and_not_into_another_order(speak: Speak) -> None:
    steward = speak("fire/data_steward")
    mine = [published(steward, code=f"d{n}") for n in range(3)][0]["department"]["id"]
    first = steward.get(f"/datasets?limit=2&department={mine}").json()
    assert len(first["items"]) == 2
    rest = steward.get(f"/datasets?limit=2&department={mine}&cursor={first['next']}").json()
    assert len(rest["items"]) == 1 and rest["next"] is None
    assert steward.get(f"/datasets?limit=2&sort=title&cursor={first['next']}").status_code in (400, 422)


def test_what_an_entry_of_class_3_says_is_open_and_what_one_of_class_4_says_is_on_record(speak: Speak) -> None:
    steward = speak("fire/data_steward")
    basis = steward.post("/legal-bases", {"instrument_zh": "数据安全法", "in_force_from": "2021-09-01"}).json()["id"]
    terms = {"sharing": "none", "legal_basis": basis}
    three = published(steward, code="three", classification=3, **terms)
    four = published(steward, code="four", classification=4, **terms)
    other = speak("water/duty_officer")
    ReadEntry.objects.all().delete()
    assert other.get(f"/datasets/{three['id']}").status_code == 200
    assert other.get(f"/datasets/{four['id']}").status_code == 404
    assert other.get("/datasets?classification=4").json()["items"] == []
    assert not ReadEntry.objects.exists()
    assert steward.get(f"/datasets/{four['id']}").status_code == 200
    assert ReadEntry.objects.get().ids == [four["id"]]


def test_a_document_goes_out_and_comes_back(speak: Speak) -> None:
    steward = speak("fire/data_steward")
    export = f"/datasets/export?department={published(steward)['department']['id']}"
    answer = steward.get(export)
    assert answer["Content-Type"] == "application/ld+json"
    document = json.loads(answer.content)
    assert [one["dct:identifier"] for one in document["@graph"]] == ["hydrants"]
    Dataset.objects.filter(code="hydrants").delete()
    back = steward.post("/datasets/import", document, content_type="application/ld+json")
    assert back.status_code == 200, back.content
    assert len(back.json()["drafted"]) == 1
    assert json.loads(steward.get(export).content) == document
    wrong = document | {"@context": "https://evil.example/c.jsonld"}
    assert steward.post("/datasets/import", wrong).status_code == 422
    assert speak("fire/client").post("/datasets/import", document).status_code == 403
