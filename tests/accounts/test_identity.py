"""Does the city's identity provider let in who is linked to it, proves it and has a second factor, and nobody else?"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.test import Client

from accounts import actions
from accounts.models import OpenSession, Person
from coordination.events import clock
from coordination.events.actor import SYSTEM
from coordination.events.models import Event, Refusal
from coordination.events.refused import Forbidden, Invalid
from tests.accounts.people import acting, department, person
from tests.accounts.people import cheap_passwords as cheap_passwords
from tests.accounts.people import officer as officer
from tests.accounts.provider import CLIENT, SECRET, Provider, certificate
from tests.accounts.test_signing import HERE, browser, enter, totp

pytestmark = pytest.mark.django_db
BEGIN, BACK = "/sign-in/identity/", "/sign-in/identity/callback/"
KEY = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.stop()


@pytest.fixture
def provider(running: Provider, officer: Person, settings: Any) -> Provider:
    """The provider, configured here, honest, with the officer linked to its ``p-1``."""
    running.honest()
    configure(settings, running.issuer)
    actions.link_identity(actor=SYSTEM, now=clock.now(), person_id=officer.pk, issuer=running.issuer, subject="p-1")
    return running


def configure(settings: Any, issuer: str) -> None:
    settings.MUSTER_OIDC_ISSUER = issuer
    app = {**django_settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0], "client_id": CLIENT}
    app |= {"secret": SECRET, "settings": {"server_url": issuer, "fetch_userinfo": False}}
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}}


def back_from(client: Client, then: str = "/sessions/") -> str:
    """Through the provider; the path by which the browser comes back."""
    leaving = client.post(BEGIN, {"next": then})
    assert leaving.status_code == 303, leaving.content
    where = httpx.get(leaving["Location"], trust_env=False).headers["X-Back"]
    return where.removeprefix("http://testserver")


def test_it_is_off_unless_configured(officer: Person) -> None:
    client = browser()
    assert client.post(BEGIN).status_code == 404
    assert client.get(BACK).status_code == 404
    assert BEGIN not in client.get("/sign-in/").content.decode()


def test_a_linked_person_comes_in_and_goes_where_they_wanted(provider: Provider, officer: Person) -> None:
    """S37: state, nonce and PKCE go out; who comes back is who is linked, under a new session id."""
    client = browser()
    assert f'action="{BEGIN}"' in client.get("/sign-in/").content.decode()
    path = back_from(client)
    asked = provider.asked[-1]
    assert (asked["code_challenge_method"], asked["response_type"], asked["scope"]) == ("S256", "code", "openid")
    assert len(asked["nonce"]) >= 32
    assert len(asked["state"]) >= 32
    before = client.session.session_key
    answer = client.get(path)
    assert (answer.status_code, answer["Location"]) == (303, "/sessions/")
    assert client.session.session_key != before
    assert OpenSession.objects.get().person == officer
    assert Event.objects.filter(type="session.started", actor_id=officer.pk).count() == 1


def test_the_second_factor_is_asked_for_all_the_same(provider: Provider, officer: Person, settings: Any) -> None:
    """S24: who comes by the identity provider sets up a second factor here, and is asked for it ever after."""
    settings.MUSTER_REQUIRE_MFA = True
    client = browser()
    assert client.get(back_from(client))["Location"] == "/sign-in/second-factor/?next=%2Fsessions%2F"
    assert client.get("/sessions/").status_code == 303
    assert not OpenSession.objects.exists()
    page = client.get("/sign-in/second-factor/").content.decode()
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", page)[1]
    assert client.post("/sign-in/second-factor/", {"code": totp(secret)}).status_code == 200
    assert OpenSession.objects.count() == 1
    Authenticator.objects.filter(type="totp").update(data={"secret": KEY})
    other = browser()
    assert other.get(back_from(other))["Location"] == "/sign-in/code/?next=%2Fsessions%2F"
    assert other.get("/sessions/").status_code == 303
    assert other.post("/sign-in/code/", {"code": totp(KEY), "next": "/sessions/"})["Location"] == "/sessions/"
    how = Event.objects.filter(type="session.started").order_by("pk").values_list("payload__how", flat=True)
    assert list(how) == ["identity+new factor", "identity+code"]


LIES: dict[str, dict[str, Any]] = {
    "another audience": {"claims": {"aud": "somebody-else"}},
    "several audiences, none ours": {"claims": {"aud": ["a", "b"]}},
    "made for another party": {"claims": {"aud": [CLIENT, "b"], "azp": "b"}},
    "several audiences, no party": {"claims": {"aud": [CLIENT, "b"]}},
    "another issuer": {"claims": {"iss": "https://evil.example"}},
    "another nonce": {"claims": {"nonce": "0" * 43}},
    "a nonce that is no text": {"claims": {"nonce": ["x"]}},
    "expired": {"claims": {"exp": int(time.time()) - 120}},
    "made too long ago": {"claims": {"iat": int(time.time()) - 3600}},
    "made tomorrow": {"claims": {"iat": int(time.time()) + 86_400}},
    "not yet good": {"claims": {"nbf": int(time.time()) + 3600}},
    "no signature": {"algorithm": "none"},
    "signed with our own secret": {"algorithm": "HS256"},
    "signed by another key": {"signed_by": "other"},
    "signed by an unknown key": {"kid": "two"},
    "no nonce": {"without": ("nonce",)},
    "no expiry": {"without": ("exp",)},
    "no subject": {"without": ("sub",)},
    "no issuer": {"without": ("iss",)},
    "no audience": {"without": ("aud",)},
    "an empty subject": {"claims": {"sub": ""}},
    "a subject that is no text": {"claims": {"sub": 1}},
    "a subject nobody has": {"subject": "p-2"},
    "a subject with NUL": {"subject": "p-1\x00"},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_token_that_proves_nothing_opens_nothing(provider: Provider, lie: str) -> None:
    """S37: signature, algorithm, issuer, audience, nonce, times and subject: each of them wrong is refused."""
    for name, value in LIES[lie].items():
        setattr(provider, name, provider.other if value == "other" else value)
    client = browser()
    answer = client.get(back_from(client))
    assert answer.status_code == 401
    assert 'href="/sign-in/"' in answer.content.decode()
    assert client.get("/sessions/").status_code == 303
    assert not OpenSession.objects.exists()
    assert Refusal.objects.filter(code="not_proved").count() == 1


def test_a_state_is_good_once_for_the_browser_that_left(provider: Provider) -> None:
    client, other = browser(), browser()
    path = back_from(client)
    assert other.get(path).status_code == 401
    assert client.get(path).status_code == 303
    assert client.get(path).status_code == 401
    for wrong in ("", "?code=x", "?state=x&code=y", f"?state={'x' * 5000}&code=y", "?error=access_denied"):
        assert browser().get(BACK + wrong).status_code == 401
    second = browser()
    assert second.get(re.sub(r"iss=[^&]+", "iss=https%3A%2F%2Fevil.example", back_from(second))).status_code == 401
    third = browser()
    cancelled = re.sub(r"code=[^&]+", "error=access_denied", back_from(third))
    assert third.get(cancelled).status_code == 401


def test_a_code_of_somebody_elses_sign_in_is_worthless(provider: Provider) -> None:
    """Codes do not travel between browsers: PKCE's verifier and the nonce stay with the one that left."""
    victim, thief = browser(), browser()
    code = re.search(r"code=([^&]+)", back_from(victim))[1]
    answer = thief.get(re.sub(r"code=[^&]+", f"code={code}", back_from(thief)))
    assert answer.status_code in (401, 503)
    assert not OpenSession.objects.exists()


def test_nobody_is_matched_by_a_name_or_a_mail_address(provider: Provider, officer: Person) -> None:
    provider.subject = officer.username
    provider.claims = {"preferred_username": officer.username, "email": "fire1@city.example", "email_verified": True}
    Person.objects.filter(pk=officer.pk).update(email="fire1@city.example")
    client = browser()
    assert client.get(back_from(client)).status_code == 401
    assert Person.objects.count() == 1
    assert SocialAccount.objects.count() == 1


def test_who_was_deactivated_stays_outside(provider: Provider, officer: Person) -> None:
    actions.deactivate_person(actor=SYSTEM, now=clock.now(), person_id=officer.pk)
    client = browser()
    assert client.get(back_from(client)).status_code == 401


def test_without_the_provider_passwords_and_open_sessions_go_on(officer: Person, settings: Any) -> None:
    """S45: the provider is down: a clear page, no way in by it; what is open stays open."""
    gone = Provider()
    configure(settings, gone.issuer)
    actions.link_identity(actor=SYSTEM, now=clock.now(), person_id=officer.pk, issuer=gone.issuer, subject="p-1")
    inside, half_way, client = browser(), browser(), browser()
    assert inside.get(back_from(inside)).status_code == 303
    path = back_from(half_way)
    gone.stop()
    for answer in (client.post(BEGIN), half_way.get(path)):
        assert answer.status_code == 503
        assert answer["Retry-After"]
        assert 'href="/sign-in/"' in answer.content.decode()
    assert inside.get("/sessions/").status_code == 200
    assert enter(client).status_code == 303
    assert half_way.get("/sessions/").status_code == 303


@pytest.mark.parametrize("nonsense", [b"", b"[]", b"{", b"null", b'{"issuer": 1}', b"x" * 300_000, b"\xff\xfe"])
def test_a_provider_that_talks_nonsense_is_as_good_as_away(provider: Provider, nonsense: bytes) -> None:
    client, half_way = browser(), browser()
    path = back_from(half_way)
    provider.answer_with = nonsense
    assert client.post(BEGIN).status_code == 503
    assert half_way.get(path).status_code == 503


@pytest.mark.parametrize(
    "published",
    [{"issuer": "https://evil.example"}, {"authorization_endpoint": "javascript:alert(1)"}, {"token_endpoint": None}],
)
def test_another_providers_description_is_not_believed(provider: Provider, published: dict[str, Any]) -> None:
    client = browser()
    provider.published = published
    answer = client.post(BEGIN)
    if answer.status_code == 303:
        where = httpx.get(answer["Location"], trust_env=False).headers["X-Back"]
        answer = client.get(where.removeprefix("http://testserver"))
    assert answer.status_code == 503


def test_a_session_that_lay_still_wakes_by_proving_oneself_anew(provider: Provider, officer: Person) -> None:
    """S28: being known at the provider is not enough: it must have asked again, and it must be the same person."""
    client = browser()
    client.get(back_from(client))
    began = client.session["active_at"]
    try:
        clock.travel(timedelta(minutes=90))
        path = back_from(client)
        assert (provider.asked[-1]["prompt"], provider.asked[-1]["max_age"]) == ("login", "0")
        provider.claims = {"auth_time": time.time() - 4000}
        assert client.get(path).status_code == 401
        assert client.session["active_at"] == began
        provider.claims = {"auth_time": time.time() + 90 * 60}
        assert client.get(back_from(client))["Location"] == "/sessions/"
        assert client.session["active_at"] > began
        other = person("fire2", (department("water"), "duty_officer"))
        actions.link_identity(
            actor=SYSTEM, now=clock.now(), person_id=other.pk, issuer=provider.issuer, subject="p-2"
        )
        provider.subject = "p-2"
        assert client.get(back_from(client)).status_code == 401
        assert OpenSession.objects.get().person == officer
    finally:
        clock.travel(None)


def test_links_are_made_by_administrators_and_recorded(provider: Provider, officer: Person, capsys: Any) -> None:
    fire = officer.memberships.get().post.department
    boss, water = person("boss", (fire, "administrator")), department("water")
    link = {"now": clock.now(), "issuer": provider.issuer}
    with pytest.raises(Forbidden):
        actions.link_identity(actor=acting(officer, fire), person_id=officer.pk, subject="x", **link)
    stranger = person("stranger", (water, "administrator"))
    with pytest.raises(Forbidden):
        actions.link_identity(actor=acting(stranger, water, "administrator"), person_id=officer.pk, subject="x", **link)
    administrator = acting(boss, fire, "administrator")
    with pytest.raises(Forbidden):
        actions.link_identity(actor=administrator, person_id=boss.pk, subject="x", **link)
    for subject in ("", "x" * 191, "a\x00"):
        with pytest.raises(Invalid):
            actions.link_identity(actor=administrator, person_id=officer.pk, subject=subject, **link)
    actions.unlink_identity(actor=administrator, person_id=officer.pk, subject="p-1", **link)
    client = browser()
    assert client.get(back_from(client)).status_code == 401
    call_command("link_identity", "fire1", "p-1")
    assert client.get(back_from(client)).status_code == 303
    with pytest.raises(CommandError):
        call_command("link_identity", "boss", "p-1")
    with pytest.raises(CommandError):
        call_command("link_identity", "nobody", "p-3")
    call_command("link_identity", "fire1", "p-1", "--remove")
    with pytest.raises(CommandError):
        call_command("link_identity", "fire1", "p-1", "--remove")
    told = Event.objects.filter(type__startswith="identity.").order_by("pk").values_list("type", flat=True)
    assert list(told) == ["identity.linked", "identity.unlinked", "identity.linked", "identity.unlinked"]


def test_nothing_secret_is_shown_or_kept(provider: Provider, caplog: Any) -> None:
    """S39: neither the client's secret nor a token stands in a page, the log or a row."""
    client = browser()
    provider.algorithm = "none"
    answer = client.get(back_from(client))
    shown = answer.content.decode() + caplog.text
    assert SECRET not in shown
    assert "eyJ" not in shown
    assert SocialAccount.objects.get().extra_data == {}
    assert client.session.get("socialaccount_states") == {}


def test_a_provider_with_a_certificate_nobody_vouches_for_is_not_asked(
    officer: Person, settings: Any, tmp_path: Path
) -> None:
    """S37: TLS is checked, by the public authorities or by the one that is named, and by no variable beside it."""
    kept = certificate(tmp_path)
    running = Provider(str(kept))
    configure(settings, running.issuer)
    client = browser()
    try:
        assert client.post(BEGIN).status_code == 503
        assert running.asked == []
        settings.MUSTER_OIDC_CA_FILE = str(kept)
        assert client.post(BEGIN)["Location"].startswith(f"{running.issuer}/authorize?")
    finally:
        running.stop()


def test_where_from_stays_ours(provider: Provider) -> None:
    for wanted in ("https://evil.example/", "//evil.example", "/\\evil.example"):
        client = Client(REMOTE_ADDR=HERE)
        assert client.get(back_from(client, wanted))["Location"] == "/"
