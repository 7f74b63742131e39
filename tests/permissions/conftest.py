"""The small city, built once for all tests of a folder and rolled back after them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import override_settings

from tests.permissions import asking
from tests.permissions import world as worlds
from tests.standing import kept

PLENTY = {"read": 10**6, "write": 10**6, "loop": 10**6, "sign_in": 10**6}
CHEAP = [
    "django.contrib.auth.hashers.MD5PasswordHasher",
    "coordination.config.hashers.RandomSecretHasher",
]


def standing(django_db_setup: None, django_db_blocker: Any) -> Iterator[worlds.World]:
    """The world with everybody signed in, in a transaction that is never committed."""
    with kept(django_db_blocker):
        with override_settings(
            PASSWORD_HASHERS=CHEAP,
            DEBUG_PROPAGATE_EXCEPTIONS=True,
            MUSTER_REQUIRE_MFA=True,
            MUSTER_API_LIMITS=PLENTY,
        ):
            world = worlds.build()
            worlds.sign_in_everybody(world)
        yield world


city = pytest.fixture(scope="package", name="city")(standing)


@pytest.fixture
def world(city: worlds.World, db: None, settings: LazySettings) -> worlds.World:
    """The world for one test, which leaves it as it was. Nobody is counted, and a wrong password costs little."""
    settings.MUSTER_API_LIMITS = PLENTY
    settings.PASSWORD_HASHERS = CHEAP
    settings.DEBUG_PROPAGATE_EXCEPTIONS = True  # a fault is shown where it is, not as a page
    settings.MUSTER_REQUIRE_MFA = True
    asking.ready(city)
    return city
