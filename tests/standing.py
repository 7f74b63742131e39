"""How is what many tests stand on made once, and rolled back after the last of them?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import pytest
from django.db import transaction


@contextmanager
def kept(blocker: Any) -> Iterator[None]:
    """A transaction around several tests that is never committed; each test's own is a savepoint in it."""
    with blocker.unblock():
        atomic = transaction.atomic()
        atomic.__enter__()
        try:
            yield
        finally:
            transaction.set_rollback(True)
            atomic.__exit__(None, None, None)


def once(build: Callable[[], Any], scope: Literal["module", "package"] = "module") -> Any:
    """A fixture: what ``build()`` makes, for all tests of a module. Not for tests that commit.

    A test gets a copy of it (`copy.deepcopy`): what it changes in memory must not reach the next.
    """

    @pytest.fixture(scope=scope)
    def standing(django_db_setup: None, django_db_blocker: Any) -> Iterator[Any]:
        with kept(django_db_blocker):
            yield build()

    return standing
