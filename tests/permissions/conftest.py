"""The small city, built once for all tests of a folder and rolled back after them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from tests.permissions import world as worlds


@pytest.fixture(scope="package")
def city(django_db_setup: None, django_db_blocker: Any) -> Iterator[worlds.World]:
    """The world with everybody signed in."""
    with django_db_blocker.unblock():
        atomic = transaction.atomic()
        atomic.__enter__()
        try:
            world = worlds.build()
            worlds.sign_in_everybody(world)
            yield world
        finally:
            transaction.set_rollback(True)
            atomic.__exit__(None, None, None)


@pytest.fixture
def world(city: worlds.World, db: None) -> worlds.World:
    """The world for one test, which leaves it as it was."""
    return city
