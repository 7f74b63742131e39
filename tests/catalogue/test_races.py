"""When two stewards act at the same moment, does one of them win and the other learn of it?"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections

from coordination.events.refused import Refused
from sharing.catalogue import actions
from sharing.catalogue.models import Dataset, SchemaVersion
from tests.catalogue import ground as grounds
from tests.catalogue.ground import SCHEMA, T0

pytestmark = pytest.mark.django_db(transaction=True)


def together(*calls: Callable[[], Any]) -> list[str]:
    """What each call came to, all begun at once: ``done`` or the code of its refusal."""
    ready, said = threading.Barrier(len(calls)), [""] * len(calls)

    def run(place: int, call: Callable[[], Any]) -> None:
        try:
            ready.wait()
            call()
            said[place] = "done"
        except Refused as no:
            said[place] = no.code
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=one) for one in enumerate(calls)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return sorted(said)


def test_of_two_at_once_one_decides() -> None:
    ground = grounds.build()
    steward = ground.actor("health")
    row = ground.published()
    given: dict[str, Any] = {"actor": steward, "now": T0, "dataset_id": row.pk}
    version = Dataset.objects.get(pk=row.pk).version
    assert together(
        lambda: actions.change(**given, title_en="One", if_version=version),
        lambda: actions.change(**given, title_en="Two", if_version=version),
    ) == ["done", "version_conflict"]
    assert Dataset.objects.get(pk=row.pk).version == version + 1
    assert together(*[lambda: actions.retire(**given)] * 2) == ["done", "move_not_allowed"]


def test_schemas_added_at_once_follow_each_other_and_codes_are_taken_once() -> None:
    ground = grounds.build()
    steward = ground.actor("health")
    row = ground.published()
    given: dict[str, Any] = {"actor": steward, "now": T0, "dataset_id": row.pk}
    assert together(*[lambda: actions.add_schema(**given, schema=SCHEMA)] * 4) == ["done"] * 4
    rows = list(SchemaVersion.objects.order_by("number").values_list("number", "current"))
    assert rows == [(1, False), (2, False), (3, False), (4, False), (5, True)]
    assert together(*[lambda: ground.draft("twice")] * 3) == ["code_taken", "code_taken", "done"]
