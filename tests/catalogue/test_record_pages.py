"""Do the pages of records show what is open, narrow by addresses that can be shared, and keep that it was read?"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from coordination.events import clock
from coordination.events.actor import SYSTEM
from coordination.events.models import ReadEntry
from sharing import access
from sharing.catalogue import queries
from sharing.catalogue.models import Record
from tests.catalogue.ground import T0, Ground
from tests.catalogue.requesting import add
from tests.catalogue.test_pages import enter, plain_static
from tests.exchange.store import WHOLE, filled, opened, records, store

pytestmark = pytest.mark.django_db
__all__ = ["enter", "plain_static"]


def text(response: Any) -> str:
    return str(response.content.decode())


def test_the_table_narrows_by_an_address_and_sorts_by_a_link(ground: Ground, enter: Any) -> None:
    client = enter("fire/duty_officer")
    row = store(ground)
    filled(ground, row, records(60))
    opened(ground, row)
    home = f"/data/{row.pk}/records/"
    shown = client.get(home)
    assert shown.status_code == 200 and "60 records" in text(shown) and text(shown).count("<tr>") == 51
    assert shown["Cache-Control"] == "no-store"
    found = client.get(home, {"f-tons-min": "14", "sort": "-id"})
    assert "4 records" in text(found)
    assert text(found).index("s00059") < text(found).index("s00056") and "s00055" not in text(found)
    assert 'aria-sort="descending"' in text(found) and 'name="f-tons-min" value="14"' in text(found)
    box = {"f-place-w": "121", "f-place-s": "31", "f-place-e": "121.00015", "f-place-n": "32", "f-full": "true"}
    assert "1 record<" in text(client.get(home, box)) and "s00000" in text(client.get(home, box))
    nothing = client.get(home, {"f-note": "nobody's"})
    assert "No record that is open to you matches." in text(nothing)


def test_more_leads_through_all_of_them_once(ground: Ground, enter: Any) -> None:
    client = enter("fire/duty_officer")
    row = store(ground)
    filled(ground, row, records(60))
    opened(ground, row)
    first = client.get(f"/data/{row.pk}/records/", {"size": "25", "sort": "full"})
    seen, href = text(first), first.context["next"]
    count = seen.count("<tr>") - 1
    while href:
        page = client.get(f"/data/{row.pk}/records/{href}")
        count += text(page).count("<tr>") - 1
        href = page.context["next"]
    assert count == 60
    wrong = client.get(f"/data/{row.pk}/records/{first.context['next']}".replace("sort=full", "sort=tons"))
    assert wrong.status_code == 422 and "start again" in text(wrong)


def test_what_is_masked_has_a_lock_and_what_is_absent_a_name(ground: Ground, enter: Any) -> None:
    client = enter("fire/duty_officer")
    row = store(ground)
    filled(ground, row, records(1))
    opened(ground, row, fields={"id": "full", "note": {"mask": "partial", "start": 2}, "place": {"mask": "generalise"}})
    said = text(client.get(f"/data/{row.pk}/records/"))
    assert "no***" in said and "masked: in part" in said and "note 0" not in said
    assert "2 fields are not open to you" in said and "<li>Tons</li>" in said
    assert 'name="f-tons-min"' not in said and 'name="f-note"' not in said
    drawn = client.get(f"/data/{row.pk}/records/", {"show": "map"}).context["map"]
    assert drawn["points"] == [] and drawn["areas"][0]["geometry"]["coordinates"][0][0] == [121.0, 31.5]


def test_who_holds_nothing_is_told_what_to_do(ground: Ground, enter: Any) -> None:
    client = enter("fire/duty_officer")
    row = store(ground)
    filled(ground, row, records(1))
    said = client.get(f"/data/{row.pk}/records/")
    assert said.status_code == 403 and "These records are not open to you" in text(said) and "s00000" not in text(said)
    secret = ground.confidential()
    assert client.get(f"/data/{secret.pk}/records/").status_code == 404
    pk = Record.everything.get(dataset=row).pk
    assert client.get(f"/data/{row.pk}/records/{pk}/").status_code == 403


def test_a_purpose_narrows_to_its_grants(ground: Ground, enter: Any) -> None:
    client = enter("fire/duty_officer")
    row = store(ground)
    filled(ground, row, records(8))
    opened(ground, row, purpose="drill", filter={"field": "tons", "op": "lt", "value": 1})
    opened(ground, row, purpose="flood", filter={"field": "tons", "op": "gte", "value": 1})
    home = f"/data/{row.pk}/records/"
    assert [client.get(home, {"purpose": one}).context["counted"]["number"] for one in ("", "drill")] == [8, 4]
    assert '<option value="flood">' in text(client.get(home, {"purpose": "drill"}))
    assert client.get(home, {"purpose": "else"}).status_code == 403


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"f-tons-min": "many"}, 422), ({"f-tons-max": "1e999"}, 422), ({"f-tons-min": "nan"}, 422),
        ({"f-place-w": "1"}, 422), ({"f-place-w": "5", "f-place-s": "1", "f-place-e": "4", "f-place-n": "2"}, 422),
        ({"sort": "nobody"}, 422), ({"size": "7"}, 404), ({"as_of": "x"}, 404), ({"as_of": "9"}, 422),
        ({"after": "junk"}, 400), ({"purpose": "a\tb"}, 422), ({"f-note": "x\x00y"}, 400), ({"f-full": "maybe"}, 200),
        ({"show": "nothing"}, 200),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said(ground: Ground, enter: Any, asked: Any, status: int) -> None:
    client = enter("health/duty_officer")
    row = store(ground)
    filled(ground, row, records(3))
    assert client.get(f"/data/{row.pk}/records/", asked).status_code == status


def test_a_record_has_a_page_with_what_it_said_before(ground: Ground, enter: Any) -> None:
    client = enter("fire/duty_officer")
    row = store(ground)
    filled(ground, row, records(1))
    filled(ground, row, [records(1)[0] | {"tons": 7}])
    opened(ground, row)
    pk = Record.everything.get(dataset=row, until=None).pk
    said = text(client.get(f"/data/{row.pk}/records/{pk}/"))
    assert "Since transfer 2" in said and "From transfer 1 until transfer 2" in said
    old = text(client.get(f"/data/{row.pk}/records/", {"as_of": "1"}))
    assert "As transfer 1 left them" in old and '<td data-title="Tons" class="ops-n">0' in old


def test_reads_of_others_of_persons_and_of_class_3_are_kept_and_no_others(ground: Ground, enter: Any) -> None:
    plain, persons = store(ground), store(ground, "persons", personal=True)
    strict = store(ground, "strict", classification=3, sharing="conditional", legal_basis_id=ground.basis().pk,
                   conditions_en="Ask.")  # fmt: skip
    grants = {}
    for row in (plain, persons, strict):
        filled(ground, row, records(2))
        grants[row.pk] = opened(ground, row)

    def kept(name: str, row: Any) -> list[tuple[int, list[int]]]:
        ReadEntry.objects.all().delete()
        assert enter(name).get(f"/data/{row.pk}/records/").status_code == 200
        return [(one.count, one.grants) for one in ReadEntry.objects.all()]

    assert [len(kept("health/duty_officer", row)) for row in (plain, persons, strict)] == [0, 1, 1]
    for row in (plain, persons, strict):
        assert kept("fire/duty_officer", row) == [(2, [grants[row.pk]])]


def test_a_page_asks_the_same_at_two_sizes(ground: Ground, enter: Any) -> None:
    client = enter("fire/duty_officer")
    row = store(ground)
    opened(ground, row)

    def asked(count: int) -> int:
        filled(ground, row, records(count))
        with CaptureQueriesContext(connection) as found:
            assert client.get(f"/data/{row.pk}/records/").status_code == 200
        return len(found)

    asked(1)
    assert asked(3) == asked(48)


def test_after_revocation_nothing_is_shown(ground: Ground, enter: Any) -> None:
    client = enter("fire/duty_officer")
    row = store(ground)
    filled(ground, row, records(3))
    grant = opened(ground, row)
    api = f"/api/v1/datasets/{row.pk}/records"
    first = client.get(api)
    assert client.get(api, headers={"If-None-Match": first["ETag"]}).status_code == 304
    other = opened(ground, row)
    assert client.get(api)["ETag"] != first["ETag"], "another grant, another tag"
    access.close_dataset(actor=SYSTEM, grant_ids=[other], why="over", now=clock.now())
    assert client.get(api)["ETag"] == first["ETag"]
    access.close_dataset(actor=SYSTEM, grant_ids=[grant], why="over", now=clock.now())
    assert client.get(api, headers={"If-None-Match": first["ETag"]}).status_code == 403
    assert client.get(f"/data/{row.pk}/records/").status_code == 403
    assert client.get(f"/data/{row.pk}/records/download/", {"format": "csv"}).status_code == 403


def test_a_lapsed_grant_shows_nothing(ground: Ground, enter: Any) -> None:
    client = enter("fire/duty_officer")
    row = store(ground)
    filled(ground, row, records(3))
    opened(ground, row, fields=WHOLE, valid_to=clock.now() - timedelta(seconds=1))
    assert client.get(f"/data/{row.pk}/records/").status_code == 403


@pytest.mark.parametrize("address", ["/data/{}/records/?f-tons-min=1000", "/api/v1/datasets/{}/records?where={where}"])
def test_that_no_restricted_record_was_found_is_an_answer_and_kept(ground: Ground, enter: Any, address: str) -> None:
    """Of what is internal it is not: nobody is told anything by that."""
    strict = store(ground, "strict", classification=3, sharing="conditional", legal_basis_id=ground.basis().pk,
                   conditions_en="Ask.")  # fmt: skip
    where = quote(json.dumps({"field": "tons", "op": "gte", "value": 1000}))
    for row, kept in ((strict, [("datasets", [strict.pk])]), (store(ground), [])):
        filled(ground, row, records(2))
        ReadEntry.objects.all().delete()
        answer = enter("health/duty_officer").get(address.format(row.pk, where=where))
        assert answer.status_code == 200
        assert [(one.object_type, one.ids) for one in ReadEntry.objects.all()] == kept


def test_deliveries_are_shown_to_those_of_the_keeper_who_may_view_data(ground: Ground) -> None:
    row = store(ground)
    filled(ground, row, records(2))
    assert len(queries.transfers(actor=ground.actor("health", "duty_officer"), now=T0, dataset_id=row.pk)[0]) == 1
    for post in ("administrator", "auditor"):
        with pytest.raises(queries.NoGrant):
            queries.transfers(actor=add(ground, "health", post), now=T0, dataset_id=row.pk)
