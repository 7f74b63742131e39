"""People, posts and departments for the tests of this folder."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.hashers import make_password

from accounts.actions.posts import post_of
from accounts.models import Department, Membership, Person
from coordination.events.actor import Actor

T0 = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
PASSWORD = "correct horse battery staple"


@cache
def _hashed(hasher: str) -> str:
    """The password as the preferred hasher keeps it (a test may prefer a cheap one)."""
    return make_password(PASSWORD)


@pytest.fixture(autouse=True)
def cheap_passwords(settings: Any) -> None:
    """Passwords that cost nothing, and no second factor. A module that imports it has it for all its tests."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.MUSTER_REQUIRE_MFA = False


@pytest.fixture
def officer() -> Person:
    """Somebody of the fire department."""
    return person("fire1", (department("fire"), "duty_officer"))


def department(code: str, parent: Department | None = None, kind: str = "bureau", **more: Any) -> Department:
    """Make a department below ``parent`` with a right path."""
    made = Department.objects.create(
        code=code, kind=kind, name_zh=code, name_en=code, short_zh=code[:6], short_en=code[:14], parent=parent, **more
    )
    made.path = f"{parent.path if parent else '/'}{made.pk}/"
    made.save(update_fields=["path"])
    return made


def person(username: str, *posts: tuple[Department, str], **more: Any) -> Person:
    """Make a person who holds posts since long ago and knows `PASSWORD`."""
    made = Person.objects.create(
        username=username, name_zh=username, name_en=username, password=_hashed(settings.PASSWORD_HASHERS[0]), **more
    )
    for place, kind in posts:
        Membership.objects.create(person=made, post=post_of(place, kind), valid_from=LONG_AGO)
    return made


def acting(who: Person, where: Department, *posts: str) -> Actor:
    """The person acting for a department with these posts."""
    return Actor("person", who.pk, where.pk, frozenset(posts))
