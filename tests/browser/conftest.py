"""What do tests of the pages in a browser stand on: one system, one Chromium, a window for each person?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser

from tests.api.client import Api, City
from tests.browser.ground import Ground
from tests.browser.window import Window, new_context
from tests.stacks import System

OpenWindow = Callable[..., Window]


@pytest.fixture(scope="session")
def sign_ins(stack: System) -> dict[str, dict[str, Any]]:
    """Every person of the demo city by user name."""
    return {one["user"]: one for one in stack.accounts["people"]}


@pytest.fixture(scope="session")
def ground(stack: System) -> Iterator[Ground]:
    """Those who do over the API what is not under test."""
    made = Ground(City(Api(f"{stack.base_url}/api/v1/schema"), stack.accounts))
    yield made
    made.close()


@pytest.fixture(scope="session")
def sessions() -> dict[str, list[dict[str, Any]]]:
    """The cookies of each person once signed in: signing in is slow on purpose."""
    return {}


@contextmanager
def _windows(
    stack: System, browser: Browser, sign_ins: dict[str, dict[str, Any]], sessions: dict[str, list[dict[str, Any]]]
) -> Iterator[OpenWindow]:
    opened: list[Window] = []
    contexts = []

    def one(
        user: str = "", *, language: str = "en", theme: str = "light", width: int = 1366, height: int = 900,
        base: str = "", beside: Window | None = None,
    ) -> Window:  # fmt: skip
        if beside is not None:
            context = beside.context
        else:
            context = new_context(browser, language=language, theme=theme, width=width, height=height)
            contexts.append(context)
            if user:
                if user not in sessions:
                    sessions[user] = _signed_in(stack.base_url, sign_ins[user])
                context.add_cookies(sessions[user])  # type: ignore[arg-type]
        made = Window(context, base or (beside.base if beside else stack.base_url))
        made.page.set_default_timeout(15_000)
        opened.append(made)
        return made

    yield one
    for context in contexts:
        context.close()
    assert [fault for each in opened for fault in each.faults] == []


@pytest.fixture
def window(
    stack: System, browser: Browser, sign_ins: dict[str, dict[str, Any]], sessions: dict[str, list[dict[str, Any]]]
) -> Iterator[OpenWindow]:
    """Return a function that opens a window for a user name, or for nobody; at the end none may have had a fault.

    ``beside``: a window whose profile the new one shares. ``base``: another address of the same system.
    """
    with _windows(stack, browser, sign_ins, sessions) as one:
        yield one


@pytest.fixture(scope="module")
def lasting_window(
    stack: System, browser: Browser, sign_ins: dict[str, dict[str, Any]], sessions: dict[str, list[dict[str, Any]]]
) -> Iterator[OpenWindow]:
    """The same for windows that stay open through all tests of a file."""
    with _windows(stack, browser, sign_ins, sessions) as one:
        yield one


def _signed_in(base: str, account: dict[str, Any]) -> list[dict[str, Any]]:
    """Sign a person in over the API; return the cookies for every port of this host."""
    body = {
        "user": account["user"], "password": account["password"], "department": account["department_id"],
        "post": account["post"],
    }  # fmt: skip
    with httpx.Client(timeout=30, trust_env=False) as client:
        answer = client.post(f"{base}/api/v1/session", json=body)
        assert answer.status_code == 201, json.dumps(answer.json())
        jar = client.cookies.jar
    return [{"name": one.name, "value": one.value, "domain": "127.0.0.1", "path": "/"} for one in jar]
