"""How do people, systems and walls come in, and what keeps duties apart?"""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from django.contrib.auth.hashers import check_password
from django.test import Client, RequestFactory
from oauth2_provider.models import get_application_model
from oauth2_provider.views import TokenView

from accounts import actions, queries
from accounts.actions.displays import ALPHABET, NoSuchCode, TooManyWaiting
from accounts.actions.may import NotAdministrator
from accounts.actions.posts import AlreadyHeld, DutiesNotSeparated, NotOnesOwn
from accounts.models import Display, Membership
from coordination.events.actor import SYSTEM
from coordination.events.models import Event
from coordination.events.refused import Conflict, Forbidden, Invalid
from tests.accounts.people import T0, acting, department, person

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def test_nobody_is_two_of_steward_auditor_administrator() -> None:
    """S7: nobody is two of steward auditor administrator."""
    fire, water = department("fire"), department("water")
    who = person("x")

    def appoint(where, post: str, frm=T0, to=None) -> Membership:
        return actions.appoint(
            actor=SYSTEM, now=T0, department_id=where.pk, person_id=who.pk, post=post, valid_from=frm, valid_to=to
        )

    steward = appoint(fire, "data_steward", T0, T0 + 10 * DAY)
    appoint(fire, "head")
    for post in ("auditor", "administrator"):
        for where in (fire, water):
            for frm, to in ((T0, None), (T0 - DAY, T0 + DAY), (T0 + 9 * DAY, None)):
                with pytest.raises(DutiesNotSeparated):
                    appoint(where, post, frm, to)
    appoint(water, "data_steward")
    with pytest.raises(AlreadyHeld):
        appoint(fire, "data_steward")
    actions.end_membership(actor=SYSTEM, now=T0 + DAY, membership_id=steward.pk)
    with pytest.raises(Conflict):
        actions.end_membership(actor=SYSTEM, now=T0 + 2 * DAY, membership_id=steward.pk)
    with pytest.raises(DutiesNotSeparated):
        appoint(fire, "auditor", T0 + 2 * DAY)
    with pytest.raises(Invalid):
        appoint(fire, "king")
    assert set(queries.actor_of_person(who.pk, fire.pk, T0).posts) == {"data_steward", "head"}
    assert set(queries.actor_of_person(who.pk, fire.pk, T0 + DAY).posts) == {"head"}
    assert queries.actor_of_person(who.pk, fire.pk, T0 - DAY) is None


def test_only_administrators_appoint_and_never_themselves() -> None:
    fire = department("fire")
    who, boss = person("x"), person("m", (fire, "administrator"))
    administrator = acting(boss, fire, "administrator")
    actions.appoint(actor=administrator, now=T0, department_id=fire.pk, person_id=who.pk, post="head")
    with pytest.raises(NotOnesOwn):
        actions.appoint(actor=administrator, now=T0, department_id=fire.pk, person_id=boss.pk, post="commander")
    with pytest.raises(NotAdministrator):
        actions.appoint(
            actor=acting(who, fire, "head"), now=T0, department_id=fire.pk, person_id=boss.pk, post="commander"
        )
    assert Event.objects.filter(type="membership.appointed").count() == 1


def test_people_act_only_where_they_serve() -> None:
    fire, water = department("fire"), department("water")
    who = person("x", (fire, "head"), (fire, "commander"), (water, "observer"))
    assert [(p.department.code, p.posts) for p in queries.places_of(who.pk, T0)] == [
        ("fire", ("commander", "head")), ("water", ("observer",)),
    ]
    actions.close_department(actor=SYSTEM, now=T0, department_id=water.pk)
    assert [d.code for d in queries.departments_of(who.pk, T0)] == ["fire"]
    assert queries.actor_of_person(who.pk, water.pk, T0) is None


def test_a_clients_secret_is_shown_once_and_dies_with_it() -> None:
    """S35: a clients secret is shown once and dies with it."""
    fire = department("fire")
    client, secret = actions.create_client(actor=SYSTEM, now=T0, department_id=fire.pk, name="CAD")
    application = get_application_model().objects.get(pk=client.application_id)
    assert secret not in application.client_secret
    assert application.client_type == "confidential"
    assert application.authorization_grant_type == "client-credentials"
    assert secret not in str(list(Event.objects.values_list("payload", flat=True)))
    for scopes in ([], ["everything"], ["read", "x:write"]):
        with pytest.raises(Invalid):
            actions.create_client(actor=SYSTEM, now=T0, department_id=fire.pk, name="n", scopes=scopes)
    head = acting(person("h", (fire, "head")), fire, "head")
    with pytest.raises(NotAdministrator):
        actions.create_client(actor=head, now=T0, department_id=fire.pk, name="n")
    actions.revoke_client(actor=SYSTEM, now=T0, client_id=client.pk)
    application.refresh_from_db()
    assert not check_password(secret, application.client_secret)
    assert queries.clients_of(fire.pk) == []
    with pytest.raises(Conflict):
        actions.revoke_client(actor=SYSTEM, now=T0, client_id=client.pk)


def test_a_wall_is_paired_by_its_code_once() -> None:
    fire = department("fire")
    administrator = acting(person("m", (fire, "administrator")), fire, "administrator")
    first = actions.pairing(claim="", address="10.0.0.5", now=T0)
    assert len(first.code) == 8
    assert set(first.code) <= set(ALPHABET)
    again = actions.pairing(claim=first.claim, address="10.0.0.5", now=T0 + timedelta(minutes=9))
    assert (again.code, again.token) == (first.code, "")
    later = T0 + timedelta(minutes=10)
    fresh = actions.pairing(claim=first.claim, address="10.0.0.5", now=later)
    assert fresh.code != first.code
    for code in (first.code, "", "AAAAAAAA"):
        with pytest.raises(NoSuchCode):
            actions.pair_display(actor=administrator, now=later, code=code, department_id=fire.pk, name="Wall")
    typed = f" {fresh.code[:4].lower()}-{fresh.code[4:]}"
    with pytest.raises(Invalid):
        actions.pair_display(
            actor=administrator, now=later, code=typed, department_id=fire.pk, name="Wall", language="xx"
        )
    wall = actions.pair_display(
        actor=administrator, now=later, code=typed, department_id=fire.pk, name="Wall", incident_id=4
    )
    with pytest.raises(NoSuchCode):
        actions.pair_display(actor=administrator, now=later, code=typed, department_id=fire.pk, name="Wall")
    token = actions.pairing(claim=fresh.claim, address="10.0.0.5", now=later).token
    assert token
    assert actions.pairing(claim=fresh.claim, address="10.0.0.5", now=later).token == ""
    assert queries.display_by_token(token, "10.0.0.5").pk == wall.pk
    assert queries.display_by_token(token, "10.0.0.6") is None
    assert queries.display_by_token("", "10.0.0.5") is None
    assert token not in str(list(Display.objects.values()))
    with pytest.raises(NotAdministrator):
        actions.revoke_display(
            actor=acting(person("h", (fire, "head")), fire, "head"), now=later, display_id=wall.pk
        )
    actions.revoke_display(actor=administrator, now=later, display_id=wall.pk)
    assert queries.display_by_token(token, "10.0.0.5") is None


def test_a_control_room_of_twelve_walls_pairs_them_behind_one_address() -> None:
    first = [actions.pairing(claim="", address="10.0.0.5", now=T0) for _n in range(12)]
    again = [actions.pairing(claim=one.claim, address="10.0.0.5", now=T0 + timedelta(seconds=5)) for one in first]
    assert [one.code for one in again] == [one.code for one in first]


def test_waiting_screens_have_an_end() -> None:
    for n in range(220):
        actions.pairing(claim="", address=f"10.0.{n % 5}.5", now=T0)
    assert Display.objects.count() == 100
    with pytest.raises(TooManyWaiting):
        for n in range(200):
            actions.pairing(claim="", address=f"10.1.{n}.5", now=T0)
    actions.pairing(claim="", address="10.2.0.1", now=T0 + timedelta(minutes=21))
    assert Display.objects.count() == 1


def test_a_wall_made_directly_is_bound_unless_the_platform_makes_it() -> None:
    fire = department("fire")
    administrator = acting(person("m", (fire, "administrator")), fire, "administrator")
    wall, token = actions.create_display(actor=SYSTEM, now=T0, department_id=fire.pk, name="Wall")
    assert queries.display_by_token(token, "10.0.0.1") == wall
    with pytest.raises(Forbidden):
        actions.create_display(actor=administrator, now=T0, department_id=fire.pk, name="Wall")
    changed = actions.set_display(actor=administrator, now=T0, display_id=wall.pk, theme="light", incident_id=None)
    assert (changed.theme, changed.version) == ("light", 2)
    with pytest.raises(Invalid):
        actions.set_display(actor=administrator, now=T0, display_id=wall.pk, token_hash="x")
    actions.display_seen(display_id=wall.pk, now=T0)
    actions.display_seen(display_id=wall.pk, now=T0 + timedelta(seconds=30))
    wall.refresh_from_db()
    assert wall.last_seen == T0


def test_no_other_grant_type_than_client_credentials_gives_a_token() -> None:
    """S36: no other grant type than client credentials gives a token."""
    fire = department("fire")
    client, secret = actions.create_client(actor=SYSTEM, now=T0, department_id=fire.pk, name="CAD")
    key = base64.b64encode(f"{client.application.client_id}:{secret}".encode()).decode()
    def ask(**data: str) -> int:
        request = RequestFactory().post("/token", data, headers={"Authorization": f"Basic {key}"})
        return TokenView.as_view()(request).status_code

    assert ask(grant_type="client_credentials") == 200
    newer, fresh = actions.rotate_client(actor=SYSTEM, now=T0, client_id=client.pk)
    assert ask(grant_type="client_credentials") == 200
    assert (newer.scopes, newer.name) == (client.scopes, client.name)
    old, key = key, base64.b64encode(f"{newer.application.client_id}:{fresh}".encode()).decode()
    assert ask(grant_type="client_credentials") == 200
    actions.revoke_client(actor=SYSTEM, now=T0, client_id=client.pk)
    assert ask(grant_type="client_credentials") == 200
    with pytest.raises(Conflict):
        actions.rotate_client(actor=SYSTEM, now=T0, client_id=client.pk)
    key = old
    assert ask(grant_type="client_credentials") == 401
    for grant in ("password", "authorization_code", "refresh_token", "implicit", ""):
        assert ask(grant_type=grant, username="m", password="x", code="y", refresh_token="z") in (400, 401)
    assert Client().get("/o/authorize/").status_code == 404
