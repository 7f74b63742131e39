"""Which ground do the tests of live screens stand on?"""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from tests.live import ground


@pytest.fixture(scope="session")
def web(django_db_setup: None) -> Iterator[ground.Web]:
    """A web process on this run's database, for tests that leave it as it is."""
    made = ground.Web()
    yield made
    made.stop()


@pytest.fixture
def own_web(transactional_db: None) -> Iterator[ground.Web]:
    """A web process for one test, which may kill it."""
    made = ground.Web()
    yield made
    made.stop()


@pytest.fixture
def city(transactional_db: None) -> SimpleNamespace:
    """Two departments with a person each, and the cookies of their sessions."""
    fire, water = ground.department("fire"), ground.department("water")
    anna, ben = ground.person("anna", fire), ground.person("ben", water)
    return SimpleNamespace(
        fire=fire,
        water=water,
        anna=anna,
        ben=ben,
        anna_cookie=ground.sign_in(anna, fire),
        ben_cookie=ground.sign_in(ben, water),
        f=f"department:{fire.pk}",
        w=f"department:{water.pk}",
    )
