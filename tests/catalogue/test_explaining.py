"""Do the page and the API say why something is seen, and nothing of what is hidden?"""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from coordination.events import clock
from coordination.events.actor import SYSTEM
from coordination.events.models import ReadEntry
from incidents.models import Incident
from sharing import access
from sharing.access.actions.opening import Holder, Terms
from sharing.catalogue import actions
from sharing.catalogue.models import Dataset, Record
from tests.access.city import incident
from tests.catalogue.ground import Ground
from tests.catalogue.test_pages import enter as enter
from tests.catalogue.test_pages import plain_static as plain_static

pytestmark = pytest.mark.django_db
ABSENT = 987654321
REQUEST = "11111111-1111-4111-8111-111111111111"
# what says when and how often this caller asked, not what there is
OWN = ("Date", "RateLimit")


@pytest.fixture
def burning(ground: Ground) -> Incident:
    """A fire that the fire office leads and of which water knows nothing."""
    ground.now = clock.now()
    one = incident(ground.departments["fire"], ground.now)
    access.join(
        actor=SYSTEM, incident_id=one.pk, department_id=ground.departments["fire"].pk, role="lead", response_level=3,
        opened_at=one.opened_at, now=ground.now,
    )
    return one


@pytest.fixture
def beds(ground: Ground) -> Dataset:
    """A dataset of the health office with one record, open to the fire office: its telephone in part."""
    row = ground.published()
    actions.deliver(
        actor=ground.actor("health"), now=ground.now, dataset_id=row.pk,
        records=[{"id": "canary-1", "beds": 3, "phone": "13900001234"}],
    )
    access.open_dataset(
        dataset_id=row.pk, holders=[Holder("department", str(ground.departments["fire"].pk))],
        terms=Terms(
            fields={"id": "full", "phone": {"mask": "partial", "end": 4}}, max_class=3, source="agreement",
            valid_from=ground.now,
        ),
    )
    return row


def said(answer: Any) -> tuple[int, bytes, list[tuple[str, str]]]:
    """What must be equal of two answers, but for the form's token."""
    body = re.sub(rb'name="csrfmiddlewaretoken" value="[^"]+"', b"", answer.content)
    return answer.status_code, body, sorted((k, v) for k, v in answer.headers.items() if k not in OWN)


@pytest.mark.parametrize("path", ["/data/explain/", "/api/v1/explain"])
@pytest.mark.parametrize("who", ["", "person:1", "client:3", "post:1/head"])
def test_hidden_is_absent_to_the_byte(enter: Any, burning: Incident, beds: Dataset, path: str, who: str) -> None:
    client = enter("water/duty_officer")
    record = Record.everything.get()
    for kind, pk in (("incidents.incident", burning.pk), ("catalogue.record", record.pk)):
        there, nowhere = (
            client.get(
                path, {"object": f"{kind}:{one}"} | ({"who": who} if who else {}), headers={"X-Request-ID": REQUEST}
            )
            for one in (pk, ABSENT)
        )
        assert there.status_code == 404
        assert said(there) == said(nowhere)
    assert not ReadEntry.objects.exists()


def test_the_api_says_rule_by_rule_and_field_by_field(enter: Any, beds: Dataset, ground: Ground) -> None:
    pk = Record.everything.get().pk
    answer = enter("fire/duty_officer").get("/api/v1/explain", {"object": f"catalogue.record:{pk}"})
    found = answer.json()
    assert answer.status_code == 200 and found["seen"] is True and found["missing"] == ""
    assert {one["name"]: (one["shown"], one["why"]) for one in found["fields"]} == {
        "id": ("full", ""), "beds": ("absent", "unnamed"), "phone": ("partial", ""),
    }
    assert [one["state"] for one in found["grants"]] == ["in_force"]
    assert b"canary" not in answer.content and b"1390000" not in answer.content


@pytest.mark.parametrize(
    ("query", "status", "pointer"),
    [
        ({}, 400, "/object"), ({"object": "x"}, 422, "/object"), ({"object": "accounts.person:1"}, 422, "/object"),
        ({"object": "incidents.incident:0"}, 422, "/object"),
        ({"object": "incidents.incident:1", "who": "king"}, 422, "/who"),
        ({"object": "incidents.incident:9999999999999999999"}, 422, "/object"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_at_its_field(
    enter: Any, ground: Ground, query: dict[str, str], status: int, pointer: str
) -> None:
    answer = enter("fire/duty_officer").get("/api/v1/explain", query)
    assert answer.status_code == status
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]


def test_the_entry_is_open_to_all_and_why_not_its_data_too(enter: Any, beds: Dataset) -> None:
    client = enter("water/duty_officer")
    page = client.get(f"/data/{beds.pk}/").content.decode()
    link = f"/data/explain/?object=catalogue.dataset:{beds.pk}"
    assert link in page
    answer = client.get(link)
    assert answer.status_code == 200
    assert "its data are not open to water duty_officer" in answer.content.decode()
    assert client.get(link, {"object": f"catalogue.dataset:{beds.pk}", "who": "post:1/head"}).status_code == 403


def test_a_hidden_entry_is_not_known_by_being_asked_about(enter: Any, ground: Ground) -> None:
    secret = ground.confidential()
    client = enter("water/duty_officer")
    assert client.get("/data/explain/", {"object": f"catalogue.dataset:{secret.pk}"}).status_code == 404


def test_a_steward_asks_about_others_and_that_is_kept(enter: Any, beds: Dataset, ground: Ground) -> None:
    client = enter("health/data_steward")
    who = f"post:{ground.departments['fire'].pk}/duty_officer"
    form = {"kind": "catalogue.dataset", "number": str(beds.pk), "who": who}
    answer = client.get("/data/explain/", form)
    page = answer.content.decode()
    assert answer.status_code == 200 and "Data of this are open to Duty officer · fire now." in page
    assert ReadEntry.objects.filter(operation__startswith="explain").count() == 1
    assert 'value="' + who in page, "what was asked stays in the form"
    wrong = client.get("/data/explain/", form | {"who": "<b>"})
    assert wrong.status_code == 422 and 'id="why-who-error"' in wrong.content.decode()
    assert "&lt;b&gt;" in wrong.content.decode()


def test_the_page_without_a_question_and_every_no_leads_there(enter: Any, ground: Ground) -> None:
    client = enter("water/duty_officer")
    assert "How it is decided" in client.get("/data/explain/").content.decode()
    assert 'name="who"' not in client.get("/data/explain/").content.decode()
    assert 'href="/data/explain/"' in client.get("/data/987654321/").content.decode()


def test_it_costs_the_same_however_many_grants_there_are(enter: Any, beds: Dataset, ground: Ground) -> None:
    client: Client = enter("fire/duty_officer")
    path = f"/data/explain/?object=catalogue.dataset:{beds.pk}"

    def asked() -> int:
        with CaptureQueriesContext(connection) as found:
            assert client.get(path).status_code == 200
        return len(found)

    asked()
    few = asked()
    for n in range(20):
        access.open_dataset(
            dataset_id=beds.pk, holders=[Holder("department", str(ground.departments["fire"].pk))],
            terms=Terms(fields={"id": "full"}, max_class=2, source="agreement", valid_from=ground.now, purpose=str(n)),
        )
    assert asked() == few
