"""Does breaking the glass by page need a fresh proof, warn on every page, and leave its mark on each read?"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Person
from coordination.events import clock
from coordination.events.actor import SYSTEM
from coordination.events.models import ReadEntry, Refusal
from sharing import access
from sharing.access.fence import fenced
from sharing.access.models import Grant, VisIncident
from sharing.catalogue.actions import breaking
from sharing.catalogue.models import BreakGlass
from tests.access import city
from tests.accounts.test_signing import totp
from tests.catalogue.ground import Ground
from tests.catalogue.test_break_glass import WHY, broken, filled, proof, reader
from tests.catalogue.test_pages import enter, plain_static  # noqa: F401
from tests.catalogue.test_records import deliver
from tests.screens.forms import form

pytestmark = pytest.mark.django_db
PASSWORD, SECRET = "a good password of mine", "JBSWY3DPEHPK3PXP"
NEW, API = "/data/break-glass/new/", "/api/v1/break-glass"


@pytest.fixture(autouse=True)
def factor_not_needed(settings: Any) -> None:
    settings.MUSTER_REQUIRE_MFA = False


@pytest.fixture
def client(ground: Ground, enter: Any) -> Client:  # noqa: F811
    person = ground.people["fire/duty_officer"]
    person.set_password(PASSWORD)
    person.save()
    found: Client = enter("fire/duty_officer")
    return found


def count() -> int:
    with fenced(SYSTEM):
        return BreakGlass.objects.count()


def post(client: Client, path: str, body: dict[str, Any]) -> Any:
    return client.post(path, body, content_type="application/json", headers={"idempotency-key": str(uuid.uuid4())})


def test_by_page_from_the_entry_to_the_banner_to_its_end(ground: Ground, client: Client) -> None:
    row = filled(ground)
    assert f"{NEW}?dataset={row.pk}" in client.get(f"/data/{row.pk}/").content.decode()
    shown = client.get(f"{NEW}?dataset={row.pk}").content.decode()
    assert 'name="password"' in shown and 'name="code"' not in shown and "told at once" in shown
    typed = form(dataset_id=str(row.pk), reason=WHY)
    again = client.post(NEW, typed)
    assert again.status_code == 401 and WHY.split(";")[0] in again.content.decode()
    wrong = client.post(NEW, typed | {"password": "not mine"})
    assert wrong.status_code == 401 and count() == 0
    assert set(Refusal.objects.filter(operation="glass.start").values_list("code", flat=True)) == {
        "proof_needed", "wrong_credentials",
    }  # fmt: skip
    done = client.post(NEW, typed | {"password": PASSWORD})
    assert done.status_code == 303 and count() == 1
    for path in ("/desk/", "/data/", "/notices/", done["Location"]):
        page = client.get(path, follow=True).content.decode()
        assert "ops-glass" in page and row.title_en in page and "End now" in page, path
    ended = client.post(f"{done['Location']}act/end/", form())
    assert ended.status_code == 303
    assert "ops-glass" not in client.get("/data/").content.decode()
    steward = Client(headers={"accept-language": "en"})
    assert steward.get(done["Location"]).status_code == 302


def test_with_a_second_factor_only_that_proves(ground: Ground, client: Client) -> None:
    row = filled(ground)
    person = ground.people["fire/duty_officer"]
    Authenticator.objects.create(user=person, type="totp", data={"secret": SECRET})
    body = {"dataset_id": row.pk, "reason": WHY}
    assert post(client, API, body | {"password": PASSWORD}).json()["code"] == "proof_needed"
    assert post(client, API, body | {"code": "000000"}).json()["code"] == "wrong_credentials"
    code = totp(SECRET)
    made = post(client, API, body | {"code": code})
    assert made.status_code == 201 and made.json()["proof"] == "code"
    spent = post(client, f"{API}/{made.json()['id']}/renew", {"code": code})
    assert spent.status_code == 401  # a code proves one act


def test_where_everybody_needs_a_second_factor_a_password_is_none(
    ground: Ground, client: Client, settings: Any
) -> None:
    settings.MUSTER_REQUIRE_MFA = True
    answer = post(client, API, {"dataset_id": filled(ground).pk, "reason": WHY, "password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (403, "factor_missing")
    assert client.get(NEW).status_code == 403


def test_every_read_of_records_under_it_carries_its_grant(ground: Ground, client: Client) -> None:
    row = filled(ground, classification=2)
    path = f"/api/v1/datasets/{row.pk}/records"
    assert client.get(path).status_code == 403
    glass = broken(ground, row, now=clock.now())
    answer = client.get(path)
    assert len(answer.json()["items"]) == 2
    noted = ReadEntry.objects.get(object_type="records")
    assert (noted.grants, noted.purpose, noted.count) == (glass.grant_ids, "break_glass", 2)
    client.get(path, headers={"purpose": "evacuation"})
    assert ReadEntry.objects.filter(object_type="records", purpose="evacuation").get().grants == glass.grant_ids
    shown = client.get(f"/data/{row.pk}/records/").content.decode()
    assert "do not leave as a file" in shown and "records/download/" not in shown


def test_what_is_hidden_is_opened_by_name_and_seen_while_it_lasts(ground: Ground, client: Client) -> None:
    row = ground.confidential("bunker", emergency_release=True)
    deliver(ground, row, [{"id": "one", "beds": 4, "phone": "1"}])
    assert client.get(f"/data/{row.pk}/").status_code == 404
    home = ground.departments["health"].pk
    body = {"owner_id": home, "dataset_code": "bunker", "reason": WHY, "password": PASSWORD}
    made = post(client, API, body)
    assert made.status_code == 201, made.content
    assert client.get(f"/data/{row.pk}/").status_code == 200
    assert client.get(f"/api/v1/datasets/{row.pk}/records").json()["items"][0]["data"]["phone"] == "1"
    colleague = ground.actor("fire")
    from sharing.catalogue import queries

    assert queries.glasses(actor=colleague, now=clock.now())[0][0]["title"] == "Confidential"
    assert post(client, f"{API}/{made.json()['id']}/end", {}).json()["state"] == "review"
    assert client.get(f"/data/{row.pk}/").status_code == 404
    assert client.get(f"/data/break-glass/{made.json()['id']}/").status_code == 200


def test_hidden_and_absent_are_answered_alike(ground: Ground, client: Client) -> None:
    secret, home = ground.confidential("secret"), ground.departments["health"].pk
    said = set()
    for target in (
        {"dataset_id": secret.pk}, {"dataset_id": 9_999_999}, {"owner_id": home, "dataset_code": "secret"},
        {"owner_id": home, "dataset_code": "none"}, {"incident": "X-1"},
    ):  # fmt: skip
        answer = post(client, API, target | {"reason": WHY, "password": PASSWORD})
        body = answer.json()
        body.pop("request_id", None)
        said.add((answer.status_code, str(body)))
    assert len(said) == 1 and next(iter(said))[0] == 404
    assert Refusal.objects.filter(operation="break_glass_start", code="not_found").count() == 5


def test_numbers_are_not_guessed(ground: Ground, client: Client) -> None:
    answers = [
        post(client, API, {"incident": f"X-{n}", "reason": WHY, "password": PASSWORD}).status_code for n in range(12)
    ]
    assert answers[:5] == [404] * 5 and answers[-1] == 429


def test_an_incident_is_looked_at_and_no_more(ground: Ground, client: Client) -> None:
    incident = city.incident(ground.departments["health"], clock.now())
    room = f"/incidents/{incident.pk}/"
    assert client.get(room).status_code == 404
    made = post(client, API, {"incident": incident.number, "reason": WHY, "password": PASSWORD})
    assert made.status_code == 201, made.content
    grant = Grant.objects.get(source="break_glass")
    assert (grant.actions, grant.object_id, grant.policy.reach, grant.policy.max_class) == (["view"], incident.pk, 3, 3)
    assert access.drift(clock.now()) == (0, 0)
    assert client.get(room).status_code == 200
    assert client.get(f"/api/v1/incidents/{incident.pk}").status_code == 200
    marked = ReadEntry.objects.filter(object_type="break_glass")
    assert marked.count() >= 2 and all(one.grants == [grant.pk] for one in marked)
    who = reader(ground)
    for act in ("log", "attach", "take_part", "share", "command", "close"):
        assert not access.may(who, act, incident), act
    drafted = post(client, f"/api/v1/incidents/{incident.pk}/instructions", {"headline_en": "Go", "headline_zh": "去"})
    assert drafted.status_code in (403, 404, 405, 422), drafted.content
    glass_id = made.json()["id"]
    until = VisIncident.objects.get(grant=grant).valid_to
    breaking.renew(actor=who, now=clock.now(), proof=proof(who), glass_id=glass_id)
    assert VisIncident.objects.get(grant=grant).valid_to == until + timedelta(hours=1)
    assert access.drift(clock.now()) == (0, 0)
    post(client, f"{API}/{glass_id}/end", {})
    assert client.get(room).status_code == 404
    assert access.drift(clock.now()) == (0, 0)


def test_who_breaks_no_glass_pays_nothing_for_the_banner(ground: Ground, client: Client) -> None:
    row = filled(ground)
    client.get("/data/break-glass/")
    with CaptureQueriesContext(connection) as without:
        client.get("/data/legal-bases/")
    assert not any("catalogue_breakglass" in one["sql"] for one in without.captured_queries)
    broken(ground, row, now=clock.now())
    with CaptureQueriesContext(connection) as under:
        client.get("/data/legal-bases/")
    asked = [one for one in under.captured_queries if "catalogue_breakglass" in one["sql"]]
    assert len(asked) == 1 and len(under) > len(without)


def test_lists_cost_the_same_however_long(ground: Ground, client: Client) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as found:
            assert client.get("/data/break-glass/").status_code == 200
        return len(found)

    client.get("/data/break-glass/")
    row = filled(ground)
    now = clock.now() - timedelta(days=30)
    broken(ground, row, now=now)
    first = cost()
    for hours in range(2, 40, 2):
        broken(ground, row, now=now + timedelta(hours=hours))
    assert cost() == first
    page = client.get("/api/v1/break-glass?limit=7").json()
    assert len(page["items"]) == 7
    rest = client.get(f"/api/v1/break-glass?limit=200&cursor={page['next']}").json()
    assert len(rest["items"]) == 13 and rest["next"] is None
    assert not {one["id"] for one in page["items"]} & {one["id"] for one in rest["items"]}
    for bad in ("state=everything", "state=", "limit=x", "cursor=x", "who=me"):
        assert client.get(f"/api/v1/break-glass?{bad}").status_code == 400, bad
    assert client.get("/data/break-glass/?state=everything").status_code == 404


def test_a_steward_judges_and_settles_by_page(ground: Ground, enter: Any) -> None:  # noqa: F811
    row = filled(ground)
    glass = None
    for days in (3, 2, 1):
        glass = broken(ground, row, now=clock.now() - timedelta(days=days))
    assert glass is not None
    client = enter("health/data_steward")
    listed = client.get("/data/break-glass/?state=review").content.decode()
    assert f"BG-{glass.pk}" in listed and "Should it be a rule?" in listed
    home = f"/data/break-glass/{glass.pk}/"
    assert client.post(f"{home}act/review/", form(outcome="justified")).status_code == 422
    assert client.post(f"{home}act/review/", form(outcome="justified", words="It had to be.")).status_code == 303
    assert "It had to be." in client.get(home).content.decode()
    assert "may be" not in client.post(f"{home}act/nothing/", form()).content.decode()
    from sharing.catalogue import queries

    (proposed,) = queries.proposals(actor=ground.actor("health"), now=clock.now())
    path = f"/data/break-glass/proposals/{proposed['id']}/settle/"
    assert client.post(path, form(to="taken_up", why="A grant was given.")).status_code == 303
    assert queries.proposals(actor=ground.actor("health"), now=clock.now()) == []
    assert Person.objects.filter(pk=glass.person_id).exists()
