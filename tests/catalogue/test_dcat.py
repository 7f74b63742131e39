"""Does the catalogue survive a journey as a DCAT document, and is a foreign or hostile one refused as a whole?"""

from __future__ import annotations

import copy
import json
import socket
from datetime import timedelta
from typing import Any

import pytest

from coordination.events.actor import SYSTEM
from coordination.events.refused import Forbidden, Invalid
from sharing.catalogue import actions, queries
from sharing.catalogue.models import Dataset, LegalBasis, SchemaVersion
from tests.catalogue.ground import SCHEMA, T0, Ground

pytestmark = pytest.mark.django_db
LATER = T0 + timedelta(days=40)


def export(ground: Ground, by: str = "health", **more: Any) -> dict[str, Any]:
    found = queries.export(actor=ground.actor(by), now=LATER, **more)
    return json.loads(json.dumps(found))


def take(ground: Ground, document: Any, by: str = "health") -> dict[str, list[int]]:
    return actions.import_catalogue(actor=ground.actor(by), now=LATER, document=document)


def rich(ground: Ground) -> None:
    basis = ground.basis(
        instrument_en="Law on Infectious Diseases", url="https://law.example/38",
        in_force_to=LATER.date().replace(year=2040),
    )
    row = ground.published(
        "blood", theme="medical", area="990101000000", frequency="hourly", grace=1800, sharing="conditional",
        classification=3, legal_basis_id=basis.pk, conditions_zh="仅用于救援", conditions_en="For rescue only",
        personal=True, emergency_release=True, description_zh="说明\n第二行", description_en="Words",
    )  # fmt: skip
    wider = SCHEMA | {"fields": [*SCHEMA["fields"], {"name": "ward", "title_en": "Ward", "type": "string"}]}
    actions.add_schema(actor=ground.actor("health"), now=T0, dataset_id=row.pk, schema=wider)
    old = ground.published("old", title_zh="")
    actions.retire(actor=ground.actor("health"), now=T0, dataset_id=old.pk)
    ground.draft("begun", title_en="")


def test_a_round_trip_loses_nothing(ground: Ground) -> None:
    rich(ground)
    before = export(ground)
    assert len(before["@graph"]) == 3
    Dataset.objects.all().delete()
    LegalBasis.objects.all().delete()
    done = take(ground, before)
    assert len(done["drafted"]) == 3 and not done["changed"]
    after = export(ground)
    for one, other in zip(before["@graph"], after["@graph"], strict=True):
        if one["adms:status"]["@id"].endswith("draft"):  # when a draft was begun is its own matter
            one.pop("dct:issued"), other.pop("dct:issued")
        assert other == one
    assert SchemaVersion.objects.count() == 3


def test_what_is_there_already_is_left_alone_and_what_differs_is_changed(ground: Ground) -> None:
    rich(ground)
    document = export(ground)
    document["@graph"] = [one for one in document["@graph"] if not one["adms:status"]["@id"].endswith("retired")]
    assert take(ground, document)["same"] == list(
        Dataset.objects.exclude(state="retired").order_by("code").values_list("pk", flat=True)
    )
    blood = next(one for one in document["@graph"] if one["dct:identifier"] == "blood")
    blood["dct:description"] = [{"@language": "en", "@value": "Other words"}]
    done = take(ground, document)
    assert len(done["changed"]) == 1
    row = Dataset.objects.get(code="blood")
    assert row.description_en == "Other words" and row.description_zh == ""


def test_nothing_confidential_leaves_and_no_draft_of_others(ground: Ground) -> None:
    rich(ground)
    ground.confidential()
    assert {one["dct:identifier"] for one in export(ground)["@graph"]} == {"begun", "blood", "old"}
    assert {one["dct:identifier"] for one in export(ground, "fire")["@graph"]} == {"blood", "old"}
    assert export(ground, department_id=ground.departments["fire"].pk)["@graph"] == []


def test_only_stewards_import_and_only_what_is_theirs(ground: Ground) -> None:
    rich(ground)
    document = export(ground)
    with pytest.raises(Invalid) as no:
        take(ground, document, "fire")
    assert {one["code"] for one in no.value.errors} == {"not_yours"}
    with pytest.raises(Forbidden):
        actions.import_catalogue(actor=ground.actor("health", "duty_officer"), now=T0, document=document)
    Dataset.objects.all().delete()
    assert len(actions.import_catalogue(actor=SYSTEM, now=LATER, document=document)["drafted"]) == 3


def test_an_import_cannot_be_dated_into_the_future(ground: Ground) -> None:
    rich(ground)
    document = export(ground)
    for one in document["@graph"]:
        one["dct:issued"] = "2099-01-01T00:00:00+00:00"
        one["muster:confirmedAt"] = "2099-01-01T00:00:00+00:00"
    Dataset.objects.all().delete()
    take(ground, document)
    assert max(Dataset.objects.values_list("listed_at", flat=True)) <= LATER
    assert Dataset.objects.get(code="blood").confirmed_at == LATER


WRONG: tuple[tuple[str, Any, str], ...] = (
    ("@context", "https://evil.example/context.jsonld", "/@context"),
    ("@context", ["https://evil.example/context.jsonld", {}], "/@context"),
    ("@context", {"dct": "https://evil.example/terms/"}, "/@context/dct"),
    ("@context", {"@import": "https://evil.example/c"}, "/@context/@import"),
    ("@graph", {}, "/@graph"),
    ("@graph", [], "/@graph"),
    ("@graph", [{"@type": "dcat:Catalog"}], "/@graph/0/@type"),
    ("@graph", [3], "/@graph/0"),
    ("@included", [], "/@included"),
)
OF_ONE: tuple[tuple[str, Any, str], ...] = (
    ("dcat:keyword", ["x"], "/@graph/1/dcat:keyword"),
    ("dct:title", "bare text", "/@graph/1/dct:title"),
    ("dct:title", [{"@language": "fr", "@value": "Sang"}], "/@graph/1/dct:title"),
    ("dct:title", [], "/@graph/1/dct:title"),
    ("dct:identifier", {"a": 1}, "/@graph/1/dct:identifier"),
    ("dct:identifier", "begun", "/@graph/1/dct:identifier"),
    ("dct:publisher", "health", "/@graph/1/dct:publisher"),
    ("dct:accrualPeriodicity", {"@id": "http://other.example/DAILY"}, "/@graph/1/dct:accrualPeriodicity"),
    ("dct:accrualPeriodicity", {"@id": 7}, "/@graph/1/dct:accrualPeriodicity"),
    ("dct:accessRights", {"@id": "http://other.example/OPEN"}, "/@graph/1/dct:accessRights"),
    ("dcat:theme", [{"@id": "http://other.example/x"}], "/@graph/1/dcat:theme"),
    ("dcat:theme", [{"@id": "urn:muster:data-theme:x"}], "/@graph/1/dcat:theme"),
    ("muster:classification", "3", "/@graph/1/muster:classification"),
    ("muster:classification", 1e400, "/@graph/1/muster:classification"),
    ("muster:personal", "no", "/@graph/1/muster:personal"),
    ("muster:confirmedAt", "yesterday", "/@graph/1/muster:confirmedAt"),
    ("dcatap:applicableLegislation", {"@type": "x"}, "/@graph/1/dcatap:applicableLegislation/instrument_zh"),
    ("dct:conformsTo", ["https://evil.example/schema"], "/@graph/1/dct:conformsTo/0"),
    (
        "dct:conformsTo", [{"muster:tableSchema": {"@type": "@json", "@value": {"fields": [{"name": "a b"}]}}}],
        "/@graph/1/dct:conformsTo/fields/0/name",
    ),
    ("adms:status", {"@id": "urn:muster:dataset-state:gone"}, "/@graph/1/adms:status"),
)


def refused(ground: Ground, document: Any, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The places at which a document is refused, without a call to anywhere."""

    def no_line(*_args: Any, **_kwargs: Any) -> Any:
        raise AssertionError("a document made us call somewhere")

    monkeypatch.setattr(socket.socket, "connect", no_line)
    monkeypatch.setattr(socket, "getaddrinfo", no_line)
    with pytest.raises(Invalid) as no:
        take(ground, document)
    return {one["pointer"] for one in no.value.errors}


def nothing() -> bool:
    """Whether nothing was half imported."""
    return not Dataset.objects.exists() and not LegalBasis.objects.exists()


@pytest.mark.parametrize(("name", "value", "at"), WRONG)
def test_a_foreign_document_is_refused_at_its_place(
    ground: Ground, name: str, value: Any, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rich(ground)
    document = export(ground)
    Dataset.objects.all().delete()
    LegalBasis.objects.all().delete()
    assert at in refused(ground, {**document, name: value}, monkeypatch)
    assert nothing()


@pytest.mark.parametrize(("name", "value", "at"), OF_ONE)
def test_one_wrong_entry_stops_all(
    ground: Ground, name: str, value: Any, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rich(ground)
    document = copy.deepcopy(export(ground))
    assert document["@graph"][1]["dct:identifier"] == "blood"
    document["@graph"][1][name] = value
    Dataset.objects.all().delete()
    LegalBasis.objects.all().delete()
    assert at in refused(ground, document, monkeypatch)
    assert nothing()
