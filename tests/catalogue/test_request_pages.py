"""Do a user and a steward get from looking for data to reading it in a few steps, without script, errors at fields?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import actions as accounts
from accounts.models import Duty, Person, Responsibility
from coordination.events import clock
from coordination.events.actor import SYSTEM
from sharing.catalogue import actions, queries
from sharing.catalogue.models import Agreement, Dataset, ShareRequest
from tests.catalogue.ground import Ground
from tests.catalogue.page_forms import shown
from tests.catalogue.test_pages import enter, plain_static

pytestmark = pytest.mark.django_db
__all__ = ["enter", "plain_static"]


def conditional(ground: Ground, code: str = "beds", **more: Any) -> Dataset:
    given = {"sharing": "conditional", "legal_basis_id": ground.basis(article=f"c-{code}").pk,
             "conditions_en": "For rescue only."}  # fmt: skip
    return ground.published(code, **(given | more))


def asked(ground: Ground, row: Dataset, **more: Any) -> ShareRequest:
    given: dict[str, Any] = {"fields": ["id", "beds"], "purpose": "Where can casualties go?",
                             "valid_to": ground.now + timedelta(days=30)}  # fmt: skip
    return actions.ask(actor=ground.actor("fire"), now=ground.now, dataset_id=row.pk, **(given | more))


def head(ground: Ground, code: str) -> None:
    person = Person.objects.create(username=f"{code}-head", name_en=f"{code} head")
    accounts.appoint(
        actor=SYSTEM, now=ground.now - timedelta(days=1), department_id=ground.departments[code].pk,
        person_id=person.pk, post="head",
    )
    ground.people[f"{code}/head"] = person


def test_a_user_finds_data_and_asks_for_it_in_four_steps(ground: Ground, enter: Any) -> None:
    client: Client = enter("fire/duty_officer")
    row = conditional(ground)
    listed = client.get("/data/?q=beds").content.decode()  # 1: words and Enter
    assert f'href="/data/{row.pk}/"' in listed
    page = client.get(f"/data/{row.pk}/").content.decode()  # 2: the entry
    assert f'href="/data/{row.pk}/request/"' in page and "not open to you" in page
    asking = client.get(f"/data/{row.pk}/request/")  # 3: Request access
    assert asking.status_code == 200
    sent = shown(client, f"/data/{row.pk}/request/")
    done = client.post(f"/data/{row.pk}/request/", sent | {"purpose": "Casualties"})  # 4: Send
    request = ShareRequest.objects.get()
    assert done.status_code == 303 and done["Location"] == f"/data/requests/{request.pk}/"
    assert request.state == "submitted" and sorted(request.fields) == ["beds", "id"]
    assert "waits for its answer" in client.get(f"/data/{row.pk}/").content.decode()


def test_a_steward_answers_from_the_notice_in_two_steps(ground: Ground, enter: Any) -> None:
    client: Client = enter("health/data_steward")
    request = asked(ground, conditional(ground))
    home = f"/data/requests/{request.pk}/"
    sent = shown(client, home, f"{home}act/grant/")  # 1: the notice's link
    done = client.post(f"/data/requests/{request.pk}/act/grant/", sent)  # 2: Grant
    assert done.status_code == 303
    assert ShareRequest.objects.get().state == "granted"
    agreement = Agreement.objects.get()
    assert agreement.digest in client.get(f"/data/agreements/{agreement.pk}/").content.decode()
    reader: Client = enter("fire/duty_officer")
    assert "The records are open to you." in reader.get(f"/data/{request.dataset_id}/").content.decode()


def test_less_is_granted_by_leaving_out_and_masking(ground: Ground, enter: Any) -> None:
    client: Client = enter("health/data_steward")
    request = asked(ground, conditional(ground))
    act = f"/data/requests/{request.pk}/act/grant/"
    sent = shown(client, f"/data/requests/{request.pk}/", act)
    wrong = client.post(act, sent | {"until": "2099-01-01"})
    assert wrong.status_code == 422 and "longer than was asked" in wrong.content.decode()
    more = {"field-id": "pseudonym", "field-beds": "nothing", "row_field": "beds", "row_op": "lt", "row_value": "9"}
    assert client.post(act, sent | more).status_code == 303
    policy = Agreement.objects.get().policy
    assert policy["fields"] == {"id": {"mask": "pseudonym"}}
    assert policy["rows"] == {"field": "beds", "op": "lt", "value": 9}
    assert ShareRequest.objects.get().state == "partly_granted"


def test_a_refusal_without_reason_and_basis_comes_back_with_both_fields_marked(ground: Ground, enter: Any) -> None:
    client: Client = enter("health/data_steward")
    request = asked(ground, conditional(ground))
    act = f"/data/requests/{request.pk}/act/refuse/"
    sent = shown(client, f"/data/requests/{request.pk}/", act)
    wrong = client.post(act, sent)
    assert wrong.status_code == 422
    assert {"#refuse-answer", "#refuse-legal_basis_id"} <= {f"#{one}" for one in ("refuse-answer",
           "refuse-legal_basis_id") if f'href="#{one}"' in wrong.content.decode()}  # fmt: skip
    basis = queries.legal_bases(actor=ground.actor("health"), now=ground.now)[0]["id"]
    assert client.post(act, sent | {"answer": "No", "legal_basis_id": basis}).status_code == 303


def test_heads_sign_on_the_page_and_either_side_ends(ground: Ground, enter: Any) -> None:
    clock.now()
    client: Client = enter("health/data_steward")
    for code in ("health", "fire"):
        head(ground, code)
    row = conditional(ground, classification=3)
    request = asked(ground, row)
    actions.screen_request(actor=ground.actor("health"), now=ground.now, request_id=request.pk)
    assert "another person must decide" in client.get(f"/data/requests/{request.pk}/").content.decode()
    person = Person.objects.create(username="second")
    accounts.appoint(
        actor=SYSTEM, now=ground.now - timedelta(days=1), department_id=ground.departments["health"].pk,
        person_id=person.pk, post="data_steward",
    )
    ground.people["health/second"] = person
    second: Client = enter("health/second")
    act = f"/data/requests/{request.pk}/act/grant/"
    assert second.post(act, shown(second, f"/data/requests/{request.pk}/", act)).status_code == 303
    agreement = Agreement.objects.get()
    home = f"/data/agreements/{agreement.pk}/"
    for name in ("fire/head", "health/head"):
        signer: Client = enter(name)
        signed = signer.post(f"{home}act/sign/", shown(signer, home, f"{home}act/sign/"))
        assert signed.status_code == 303
    assert ShareRequest.objects.get().grant_ids
    assert "act-end" not in signer.get(home).content.decode()  # the keeper's head is no steward of the data
    ended = client.post(f"{home}act/end/", shown(client, home, f"{home}act/end/") | {"why": "Over"})
    assert ended.status_code == 303 and Agreement.objects.get().ended_why == "Over"


def test_a_standing_offer_is_set_and_ended_by_its_form(ground: Ground, enter: Any) -> None:
    client: Client = enter("health/data_steward")
    row = conditional(ground)
    home = f"/data/{row.pk}/offer/"
    assert client.post(home, shown(client, home) | {"longest_days": "0"}).status_code == 422
    assert client.post(home, shown(client, home)).status_code == 303
    assert queries.offer(actor=ground.actor("fire"), now=ground.now, dataset_id=row.pk)
    assert client.post(home, {"end": "1"}).status_code == 303
    assert queries.offer(actor=ground.actor("fire"), now=ground.now, dataset_id=row.pk) is None


def test_data_is_given_unasked_by_its_form(ground: Ground, enter: Any) -> None:
    client: Client = enter("health/data_steward")
    row = conditional(ground)
    home = f"/data/{row.pk}/give/"
    sent = shown(client, home) | {"department_id": ground.departments["fire"].pk, "purpose": "Rescue"}
    assert client.post(home, sent).status_code == 303
    assert ShareRequest.objects.get().state == "granted" and ShareRequest.objects.get().given
    assert enter("fire/data_steward").get(home).status_code == 403


@pytest.mark.parametrize("path", ["/data/requests/?side=x", "/data/requests/?state=all", "/data/requests/99/"])
def test_addresses_that_lead_nowhere(enter: Any, path: str) -> None:
    assert enter("health/data_steward").get(path).status_code == 404


def test_lists_cost_the_same_at_any_length_and_page(ground: Ground, enter: Any) -> None:
    client: Client = enter("health/data_steward")
    row = conditional(ground)
    counts = []
    for many in (3, 37):
        for _ in range(many):
            asked(ground, row)
        client.get("/data/requests/")
        with CaptureQueriesContext(connection) as seen:
            page = client.get("/data/requests/").content.decode()
        counts.append(len(seen))
    assert counts[0] == counts[1]
    assert page.count("ops-line-title") == 30 and "after=" in page
    for request in ShareRequest.objects.all()[:6]:
        actions.grant_request(actor=ground.actor("health"), now=clock.now(), request_id=request.pk)
    with CaptureQueriesContext(connection) as six:
        client.get("/data/agreements/")
    for request in ShareRequest.objects.filter(state="submitted")[:20]:
        actions.grant_request(actor=ground.actor("health"), now=clock.now(), request_id=request.pk)
    with CaptureQueriesContext(connection) as many_more:
        client.get("/data/agreements/")
    assert len(six) == len(many_more)


def test_the_data_authority_is_not_led_to_what_it_sees_no_more(ground: Ground, enter: Any) -> None:
    request = asked(ground, conditional(ground))
    Duty.objects.get_or_create(code="data_authority", defaults={"name_zh": "数据主管", "name_en": "Data authority"})
    Responsibility.objects.create(department=ground.departments["water"], duty_id="data_authority", role="lead")
    ShareRequest.objects.update(authority_from=clock.now() - timedelta(minutes=1))
    client: Client = enter("water/data_steward")
    home = f"/data/requests/{request.pk}/"
    sent = shown(client, home, f"{home}act/grant/")
    done = client.post(f"{home}act/grant/", sent, follow=True)
    assert (done.status_code, done.redirect_chain) == (200, [("/data/requests/", 303)])
    assert "Granted." in done.content.decode()
