"""Do the pages and addresses of grants show each side its own, take a grant back, and leave no copy behind?"""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import actions as accounts
from accounts.models import Person
from coordination.events import reads
from coordination.events.actor import SYSTEM
from coordination.events.models import Event, ReadEntry
from coordination.notify import on_event
from coordination.notify.models import Notice
from sharing.access.rest import versions
from sharing.catalogue import actions
from tests.catalogue.ground import Ground, held
from tests.catalogue.requesting import add
from tests.catalogue.test_pages import enter, plain_static
from tests.catalogue.test_sharing import given_to, revoke
from tests.screens.forms import as_shown, form

pytestmark = pytest.mark.django_db
__all__ = ["enter", "plain_static"]


def test_a_steward_finds_who_has_it_who_read_and_takes_it_back(ground: Ground, enter: Any) -> None:
    steward, fire = enter("health/data_steward"), enter("fire/duty_officer")
    row = ground.published()
    pk = given_to(ground, row, valid_from=ground.now, purpose="winter plan")
    reads.note(ground.actor("fire", "duty_officer"), "records_list", "records", [1, 2], purpose="flood", grants=[pk])
    entry = steward.get(f"/data/{row.pk}/").content.decode()
    assert "1 holder" in entry
    assert f"/data/sharing/?side=given&amp;dataset={row.pk}" in entry
    listed = steward.get(f"/data/sharing/?side=given&dataset={row.pk}").content.decode()
    assert "winter plan" in listed
    assert "read 1 time" in listed
    home = f"/data/sharing/{pk}/"
    shown = steward.get(home)
    assert "flood" in shown.content.decode()
    assert "Duty officer" in shown.content.decode()
    assert shown["Cache-Control"] == "no-store"
    bare = steward.post(f"{home}revoke/", form(why=" "))
    assert bare.status_code == 422
    assert 'id="id_why_error"' in bare.content.decode()
    done = steward.post(f"{home}revoke/", as_shown(steward, home, f"{home}revoke/", why="it has ended"))
    assert (done.status_code, done["Location"]) == (303, home)
    assert "it has ended" in fire.get(home).content.decode()
    again = steward.post(f"{home}revoke/", form(why="x"))
    assert again.status_code == 409
    assert "over already" in again.content.decode()


def test_who_holds_sees_it_open_and_may_not_take_it_back(ground: Ground, enter: Any) -> None:
    fire, water = enter("fire/duty_officer"), enter("water/data_steward")
    row = ground.published()
    pk = given_to(ground, row, valid_from=ground.now)
    entry = fire.get(f"/data/{row.pk}/").content.decode()
    assert "The records are open to you" in entry
    assert f'data-live="dataset:{row.pk}"' in entry
    assert "Who has this" not in entry
    assert "Who has read by it" not in fire.get(f"/data/sharing/{pk}/").content.decode()
    assert fire.post(f"/data/sharing/{pk}/revoke/", form(why="x")).status_code == 403
    assert "The records are open to you" not in water.get(f"/data/{row.pk}/").content.decode()
    assert water.get(f"/data/sharing/{pk}/").status_code == 404
    part = fire.get(f"/data/{row.pk}/part/open/")
    assert (f"/data/sharing/{pk}/" in part.content.decode(), part["Cache-Control"]) == (True, "no-store")
    revoke(ground, pk)
    assert "not open to you" in fire.get(f"/data/{row.pk}/part/open/").content.decode()


def test_what_is_empty_says_so_and_an_address_that_means_nothing_leads_nowhere(ground: Ground, enter: Any) -> None:
    steward = enter("health/data_steward")
    assert "shared no records" in steward.get("/data/sharing/").content.decode()
    assert "No department has opened" in steward.get("/data/sharing/?side=received").content.decode()
    assert "Nothing matches" in steward.get("/data/sharing/?state=revoked").content.decode()
    for wrong in ("side=both", "state=open", "source=owner", "dataset=x", "dataset=-1", "dataset=" + "9" * 30):
        assert steward.get(f"/data/sharing/?{wrong}").status_code == 404, wrong
    assert steward.get("/data/sharing/?after=nonsense").status_code == 400
    assert steward.get("/data/1/part/nothing/").status_code == 404


def test_the_list_goes_out_as_csv_without_formulas(ground: Ground, enter: Any) -> None:
    steward = enter("health/data_steward")
    row = ground.published(title_en="=HYPERLINK(1)")
    for purpose in ("=1+1", "+1", "-1", "@x", "\tx", "plain, with a comma"):
        given_to(ground, row, valid_from=ground.now, purpose=purpose)
    answer = steward.get("/data/sharing/export/?side=given")
    kept = ReadEntry.objects.get()
    assert (kept.operation, kept.object_type, kept.count) == ("sharing-export", "grants", 6)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Cache-Control"] == "no-store"
    lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(lines) == 7
    assert {line[6] for line in lines[1:]} == {"'=1+1", "'+1", "'-1", "'@x", "'\tx", "plain, with a comma"}
    assert {line[1] for line in lines[1:]} == {"'=HYPERLINK(1)"}
    assert enter("health/duty_officer").get("/data/sharing/export/").status_code == 403


def test_a_longer_list_asks_no_more(ground: Ground, enter: Any) -> None:
    steward, row = enter("health/data_steward"), ground.published()
    costs = []
    for more in (2, 20):
        for n in range(more):
            given_to(ground, row, valid_from=ground.now, purpose=str(n))
        with CaptureQueriesContext(connection) as asked:
            assert steward.get("/data/sharing/").status_code == 200
        costs.append(len(asked))
    assert costs[0] == costs[1]


def test_the_duty_post_of_the_holder_is_told_by_number_alone(ground: Ground) -> None:
    row = ground.published(title_en="Hidden title")
    pk = given_to(ground, row)
    revoke(ground, pk, why="hidden reason")
    on_event.handle(list(Event.objects.filter(type="grant.revoked")))
    told = Notice.objects.all()
    assert {one.text_key for one in told} <= {"grant.revoked"}
    for one in told:
        assert (one.object_type, one.object_id, one.args) == ("access.grant", pk, {"number": str(pk)})


def test_an_answer_is_confirmed_only_by_the_grants_it_came_by() -> None:
    assert versions.tag(1, b"same", [1, 2]) == versions.tag(1, b"same", [2, 1])
    assert len({versions.tag(1, b"same", epoch) for epoch in ([], [1], [1, 2], [12])}) == 4


def test_who_was_given_something_may_ask_for_it_again(ground: Ground, enter: Any) -> None:
    fire, steward = enter("fire/duty_officer"), enter("health/data_steward")
    row = ground.published()
    pk = given_to(ground, row, valid_from=ground.now)
    revoke(ground, pk)
    page = fire.get(f"/data/sharing/{pk}/").content.decode()
    assert f'href="/data/{row.pk}/request/"' in page and "Ask for it again" in page
    assert fire.get(f"/data/{row.pk}/request/").status_code == 200
    assert "Ask for it again" not in steward.get(f"/data/sharing/{pk}/").content.decode()
    actions.retire(actor=ground.actor("health"), now=ground.now, dataset_id=row.pk)
    assert "Ask for it again" not in fire.get(f"/data/sharing/{pk}/").content.decode()


def test_the_head_takes_back_by_the_page_where_there_is_no_steward(ground: Ground, enter: Any) -> None:
    chief = add(ground, "health", "head")
    ground.people["health/head"] = Person.objects.get(pk=chief.id)
    client, row = enter("health/head"), ground.published()
    pk = given_to(ground, row, valid_from=ground.now)
    home = f"/data/sharing/{pk}/"
    assert f"{home}revoke/" not in client.get(home).content.decode(), "its steward does that"
    accounts.end_membership(actor=SYSTEM, now=ground.now, membership_id=held(ground, "health").pk)
    done = client.post(f"{home}revoke/", as_shown(client, home, f"{home}revoke/", why="it has ended"))
    assert (done.status_code, done["Location"]) == (303, home)


def test_what_break_glass_opened_is_not_taken_back_where_that_is_refused(ground: Ground, enter: Any) -> None:
    steward, row = enter("health/data_steward"), ground.published()
    pk = given_to(ground, row, valid_from=ground.now, source="break_glass")
    assert f"/data/sharing/{pk}/revoke/" not in steward.get(f"/data/sharing/{pk}/").content.decode()
