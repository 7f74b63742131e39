"""When two stewards act at the same moment, does one of them win and the other learn of it?"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections, transaction

from coordination.events.actor import SYSTEM
from coordination.events.refused import Refused
from sharing import access
from sharing.access.models import ShareRule
from sharing.catalogue import actions
from sharing.catalogue.models import Dataset, SchemaVersion
from tests.access.city import incident
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


def test_a_rule_made_or_ended_while_somebody_joins_is_known_to_both() -> None:
    ground = grounds.build()
    row, fire = ground.published(), ground.departments["fire"].pk
    given: dict[str, Any] = {"actor": ground.actor("health"), "now": T0, "dataset_id": row.pk}

    def joining(incident_id: int) -> None:
        with transaction.atomic():
            access.join(
                actor=SYSTEM, incident_id=incident_id, department_id=fire, role="support", response_level=None,
                opened_at=T0, now=T0,
            )

    for _again in range(8):
        one = incident(ground.departments["fire"], T0).pk
        made = lambda: actions.make_rule(**given, role="support", shown={"beds": "full"})  # noqa: E731
        assert together(made, lambda one=one: joining(one)) == ["done", "done"]
        assert access.held(ground.actor("fire"), row.pk, T0).openings
        other = incident(ground.departments["fire"], T0).pk
        rule = ShareRule.objects.get(revoked_at=None)
        ending = lambda rule=rule: actions.end_rule(**given, rule_id=rule.pk)  # noqa: E731
        assert together(ending, lambda other=other: joining(other)) == ["done", "done"]
        with pytest.raises(access.Unseen):
            access.held(ground.actor("fire"), row.pk, T0)
    assert access.drift(T0) == (0, 0)
