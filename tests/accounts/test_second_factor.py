"""Does the second factor keep out whoever has only the password, or only an old code?"""

from __future__ import annotations

import re
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.cache import cache
from django.test import Client, RequestFactory

from accounts import actions, queries
from accounts.models import OpenSession, Person
from tests.accounts.people import PASSWORD
from tests.accounts.people import cheap_passwords as cheap_passwords
from tests.accounts.people import officer as officer
from tests.accounts.test_signing import HERE, THERE, browser, enter, totp

pytestmark = pytest.mark.django_db


def test_without_a_factor_one_is_led_to_set_it_up(officer: Person, settings) -> None:
    settings.MUSTER_REQUIRE_MFA = True
    client = browser()
    assert enter(client, next="/sessions/")["Location"].startswith("/sign-in/second-factor/?next=")
    assert client.get("/sessions/").status_code == 303
    assert not OpenSession.objects.exists()
    page = client.get("/sign-in/second-factor/")
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", page.content.decode())[1]
    assert secret in client.get("/sign-in/second-factor/").content.decode()
    assert client.post("/sign-in/second-factor/", {"code": "000000x"}).status_code == 401
    done = client.post("/sign-in/second-factor/", {"code": totp(secret), "next": "/sessions/"})
    codes = re.findall(r"<li><code>(\d+)</code>", done.content.decode())
    assert len(codes) == 10
    assert client.get("/sessions/").status_code == 200
    again = browser()
    assert enter(again)["Location"].startswith("/sign-in/code/")
    assert again.post("/sign-in/code/", {"code": "123 4567"}).status_code == 401
    assert again.post("/sign-in/code/", {"code": codes[0]}).status_code == 303
    assert again.get("/sessions/").status_code == 200
    third = browser()
    enter(third)
    assert third.post("/sign-in/code/", {"code": codes[0]}).status_code == 401
    assert queries.recovery_codes_left(officer.pk) == 9


def test_a_code_is_good_once_and_wrong_codes_lock(officer: Person) -> None:
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    Authenticator.objects.create(user=officer, type="totp", data={"secret": secret})
    client = browser()
    enter(client)
    good = totp(secret)
    assert client.post("/sign-in/code/", {"code": good}).status_code == 303
    other = browser()
    enter(other)
    assert other.post("/sign-in/code/", {"code": good}).status_code == 401
    assert [other.post("/sign-in/code/", {"code": "111111"}).status_code for _n in range(5)] == [401] * 4 + [429]
    assert enter(browser()).status_code == 429


def test_a_spent_code_stays_spent_as_long_as_a_clock_may_be_off(
    officer: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is good for 90 seconds; whoever looked over a shoulder has no use of it in the last 60 either."""
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    Authenticator.objects.create(user=officer, type="totp", data={"secret": secret})
    real, began = time.time, time.time() // 30 * 30
    monkeypatch.setattr(time, "time", lambda: began)
    early = format_hotp_value(hotp_value(secret, int(began // 30) + 1))  # of a device that is 29 s fast
    client = browser()
    enter(client)
    assert client.post("/sign-in/code/", {"code": early}).status_code == 303
    for later in (31, 59, 61, 89):
        cache.clear()
        monkeypatch.setattr(time, "time", lambda later=later: began + later)
        other = browser()
        enter(other)
        assert other.post("/sign-in/code/", {"code": early}).status_code == 401, later
    fresh = format_hotp_value(hotp_value(secret, int((began + 89) // 30)))
    assert other.post("/sign-in/code/", {"code": fresh}).status_code == 303
    monkeypatch.setattr(time, "time", real)


def test_a_code_is_good_once_from_two_addresses_at_once(officer: Person) -> None:
    request = RequestFactory(REMOTE_ADDR=HERE).post("/")
    other = RequestFactory(REMOTE_ADDR=THERE).post("/")
    for made in (request, other):
        made.session = Client().session
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    Authenticator.objects.create(user=officer, type="totp", data={"secret": secret})
    good = totp(secret)
    actions.check_code(request, officer, good)
    cache.clear()
    with pytest.raises(actions.WrongCredentials):
        actions.check_code(other, officer, good)


def test_the_code_that_proved_a_new_factor_is_spent(officer: Person, settings) -> None:
    settings.MUSTER_REQUIRE_MFA = True
    client = browser()
    enter(client)
    page = client.get("/sign-in/second-factor/")
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", page.content.decode())[1]
    good = totp(secret)
    assert client.post("/sign-in/second-factor/", {"code": good}).status_code == 200
    other = browser()
    enter(other)
    assert other.post("/sign-in/code/", {"code": good}).status_code == 401


def test_whoever_is_in_can_set_up_a_second_factor_with_their_password(officer: Person) -> None:
    client = browser()
    enter(client)
    assert 'href="/settings/second-factor/"' in client.get("/sessions/").content.decode()
    assert 'href="/sign-in/second-factor/"' in client.get("/settings/second-factor/").content.decode()
    asked = client.get("/sign-in/second-factor/")
    assert asked["Location"].startswith("/sign-in/password/?next=%2Fsign-in%2Fsecond-factor%2F")
    back = client.post(asked["Location"], {"password": PASSWORD, "next": "/sign-in/second-factor/"})
    assert back["Location"] == "/sign-in/second-factor/"
    page = client.get("/sign-in/second-factor/")
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", page.content.decode())[1]
    done = client.post("/sign-in/second-factor/", {"code": totp(secret)})
    assert len(re.findall(r"<li><code>(\d+)</code>", done.content.decode())) == 10
    assert queries.has_factor(officer.pk)
    assert OpenSession.objects.count() == 1
    assert client.get("/sessions/").status_code == 200
    assert client.get("/sign-in/second-factor/")["Location"] == "/settings/second-factor/"
    assert enter(browser())["Location"].startswith("/sign-in/code/")


def test_the_code_page_needs_the_password_first(officer: Person) -> None:
    client = browser()
    for path in ("/sign-in/code/", "/sign-in/second-factor/"):
        assert client.get(path)["Location"].startswith("/sign-in/")
        assert client.post(path, {"code": "123456"}).status_code == 303
    assert not OpenSession.objects.exists()
