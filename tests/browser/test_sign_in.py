"""Can people come in with a second factor of each kind and through the identity provider, as a browser does it?"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from coordination.config.launcher.folders import REPOSITORY
from coordination.config.launcher.roles import APP
from tests import stacks
from tests.accounts.provider import CLIENT, SECRET, Provider
from tests.accounts.test_signing import totp
from tests.browser.test_everyone import looked_at
from tests.browser.window import Window, new_context
from tests.stacks import System

pytestmark = [pytest.mark.stack, pytest.mark.browser]
WHO = "fire-duty1"
TAGS = {"en": "en", "zh": "zh-hans"}


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    yield Provider()


@pytest.fixture(scope="module")
def strict(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The demo city with a second factor for everybody and an identity provider."""
    secret: Path = tmp_path_factory.mktemp("secrets") / "oidc"
    secret.write_text(SECRET)
    environment = {
        "MUSTER_REQUIRE_MFA": "1", "MUSTER_OIDC_ISSUER": provider.issuer, "MUSTER_OIDC_CLIENT_ID": CLIENT,
        "MUSTER_OIDC_SECRET_FILE": str(secret), "MUSTER_OIDC_NAME": "City identity",
    }  # fmt: skip
    system = stacks.start("-strict", environment=environment)
    yield system
    stacks.end(system)


class Person:
    """One person at a browser, with a security key that the browser plays."""

    def __init__(self, browser: Browser, system: System, language: str = "en") -> None:
        self.account = next(one for one in system.accounts["people"] if one["user"] == WHO)
        self.context = new_context(browser, language=language, theme="light", width=1366, height=900)
        self.context.add_cookies(
            [{"name": "language", "value": TAGS[language], "domain": "localhost", "path": "/"}]  # else the city's own
        )
        self.window = Window(self.context, f"http://localhost:{system.port}")
        self.page = self.window.page
        cdp = self.context.new_cdp_session(self.page)
        cdp.send("WebAuthn.enable")
        options: dict[str, Any] = {"protocol": "ctap2", "transport": "usb", "automaticPresenceSimulation": True}
        cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})

    def password(self) -> None:
        self.window.open("/sign-in/")
        self.page.fill("[name=username]", WHO)
        self.page.fill("[name=password]", self.account["password"])
        self.press("Sign in")

    def press(self, name: str) -> None:
        self.page.locator("main").get_by_role("button", name=name, exact=True).click()

    def is_in(self) -> bool:
        self.page.wait_for_url("**/desk/")
        return self.page.locator(".ops-menu").is_visible()

    def leave(self) -> None:
        self.window.open("/act-for/")
        self.press("Sign out")
        self.page.wait_for_url("**/sign-in/**")


@pytest.fixture
def somebody(strict: System, browser: Browser) -> Iterator[Person]:
    """See `Person`; their factors are gone afterwards."""
    one = Person(browser, strict)
    yield one
    faults = one.window.faults
    one.context.close()
    strict.query("DELETE FROM mfa_authenticator")
    assert faults == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_pages_of_the_second_factor_are_for_everybody(strict: System, browser: Browser, language: str) -> None:
    """In both languages and themes, on a phone, a desk and enlarged: nothing that axe finds, nothing too wide."""
    somebody = Person(browser, strict, language)
    page, one, found = somebody.page, somebody.window, []
    one.open("/sign-in/")
    found += looked_at(one, "sign-in-provider", language)
    page.set_viewport_size({"width": 1366, "height": 900})
    page.fill("[name=username]", WHO)
    page.fill("[name=password]", somebody.account["password"])
    page.locator("main form .btn-primary").click()
    page.locator(".ops-qr").wait_for()
    found += looked_at(one, "enrol", language)
    page.locator("a[href^='/sign-in/second-factor/key/']").click()
    page.locator("[data-passkey=create]").wait_for()
    found += looked_at(one, "enrol-key", language)
    page.fill("[name=name]", "Key")
    page.locator("[data-passkey=create] .btn-primary").click()
    page.locator(".ops-codes").wait_for()
    found += looked_at(one, "recovery-codes", language)
    page.locator("main .btn-primary").click()
    assert somebody.is_in()
    one.open("/settings/second-factor/")
    found += looked_at(one, "second-factors", language)
    page.set_viewport_size({"width": 1366, "height": 900})
    one.open("/act-for/")
    page.locator("main form[action='/sign-out/'] button").click()
    page.wait_for_url("**/sign-in/**")
    page.fill("[name=username]", WHO)
    page.fill("[name=password]", somebody.account["password"])
    page.locator("main form .btn-primary").first.click()
    page.locator("[data-passkey=get]").wait_for()
    found += looked_at(one, "code", language)
    somebody.context.close()
    strict.query("DELETE FROM mfa_authenticator")
    assert [*found, *one.faults] == []


def test_a_key_is_set_up_and_opens_the_door(somebody: Person) -> None:
    page = somebody.page
    somebody.password()
    page.get_by_role("link", name="Use a security key or passkey instead").click()
    page.fill("[name=name]", "On my ring")
    somebody.press("Set up this key")
    page.get_by_role("heading", name="Recovery codes").wait_for()
    codes = page.locator(".ops-codes code").all_inner_texts()
    assert len(codes) == 10
    page.get_by_role("link", name="I have kept them").click()
    assert somebody.is_in()
    page.locator(".ops-menu > summary").click()
    page.locator(".ops-menu").get_by_role("link", name="Second factor").click()
    somebody.window.sees("On my ring")
    somebody.window.picture("second-factor-key")
    somebody.leave()

    somebody.password()
    somebody.press("Use my security key")
    assert somebody.is_in()
    somebody.leave()

    somebody.password()
    page.locator("[name=code]").fill(codes[3])
    somebody.press("Go on")
    assert somebody.is_in()


def test_an_app_of_codes_is_set_up_and_opens_the_door(somebody: Person, strict: System) -> None:
    page = somebody.page
    somebody.password()
    secret = page.locator("code").inner_text()
    page.locator("[name=code]").fill(totp(secret))
    somebody.press("Go on")
    page.get_by_role("link", name="I have kept them").click()
    assert somebody.is_in()
    somebody.leave()
    somebody.password()
    page.locator("[name=code]").fill("000000")
    somebody.press("Go on")
    somebody.window.sees("The code is wrong or has been used.")
    strict.query("UPDATE mfa_authenticator SET data = data - 'last_step' WHERE type = 'totp'")  # as half a minute later
    page.locator("[name=code]").fill(totp(secret))
    somebody.press("Go on")
    assert somebody.is_in()


def test_the_identity_provider_leads_in_with_a_second_factor(
    somebody: Person, strict: System, provider: Provider
) -> None:
    page = somebody.page
    linked = subprocess.run(
        [sys.executable, "manage.py", "link_identity", WHO, "p-1"], cwd=REPOSITORY, capture_output=True, text=True,
        env={**os.environ, **strict.environment("command", APP)}, check=False,
    )  # fmt: skip
    assert linked.returncode == 0, linked.stderr
    somebody.window.open("/sign-in/")
    somebody.press("Sign in with City identity")
    page.wait_for_url(f"{provider.issuer}/**")
    page.get_by_role("link", name="It is me").click()
    page.get_by_role("link", name="Use a security key or passkey instead").click()
    page.fill("[name=name]", "Desk")
    somebody.press("Set up this key")
    page.get_by_role("link", name="I have kept them").click()
    assert somebody.is_in()
    somebody.leave()

    somebody.press("Sign in with City identity")
    page.get_by_role("link", name="It is me").click()
    page.wait_for_url(re.compile("/sign-in/code/"))
    somebody.press("Use my security key")
    assert somebody.is_in()

    provider.subject = "unknown"
    somebody.leave()
    somebody.press("Sign in with City identity")
    page.get_by_role("link", name="It is me").click()
    somebody.window.sees("No account here belongs to this identity.")
    provider.stop()
    somebody.window.open("/sign-in/")
    somebody.press("Sign in with City identity")
    somebody.window.sees("Sign-in through the identity provider is not possible now.")
