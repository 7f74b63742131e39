"""Do the first grants of many departments at once wait for each other in one order only?"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Manager

from accounts.models import Department
from sharing.access.actions import grants, opening
from sharing.access.actions.opening import Holder
from sharing.access.models import Policy, Scope
from tests.access.city import T0

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*walks: list[Callable[[], object]]) -> list[BaseException | None]:
    """Each walk in a transaction of its own; both have made their first step before either makes its second."""
    half = threading.Barrier(len(walks))

    def run(walk: list[Callable[[], object]]) -> BaseException | None:
        try:
            with transaction.atomic():
                walk[0]()
                with contextlib.suppress(threading.BrokenBarrierError):  # broken: the other waits for us already
                    half.wait(timeout=1)
                walk[1]()
        except Exception as error:
            return error
        finally:
            connection.close()
        return None

    with ThreadPoolExecutor(len(walks)) as pool:
        return list(pool.map(run, walks))


def departments(count: int) -> list[int]:
    rows = [
        Department(code=f"first-{n}", kind="bureau", name_zh="x", name_en="x", short_zh="x", short_en="x")
        for n in range(count)
    ]
    return [row.pk for row in Department.objects.bulk_create(rows)]


def test_scopes_that_are_new_to_two_transactions_in_opposite_order(transactional_db: None) -> None:
    first, second = departments(2)

    def scopes(pk: int) -> Callable[[], object]:
        return lambda: grants.department_scopes({pk})

    assert at_once([scopes(first), scopes(second)], [scopes(second), scopes(first)]) == [None, None]
    assert Scope.objects.filter(kind="department", key__in=[str(first), str(second)]).count() == 2


def test_policies_that_are_new_to_two_transactions_in_opposite_order(transactional_db: None) -> None:
    Policy.objects.all().delete()

    def policy(reach: int, ceiling: int) -> Callable[[], object]:
        return lambda: grants.intern_policies({(reach, ceiling)})

    assert at_once([policy(1, 1), policy(3, 3)], [policy(3, 3), policy(1, 1)]) == [None, None]
    assert Policy.objects.filter(reach=3, max_class=3).count() == 1


def test_a_scope_is_made_once_and_only_for_departments_there_are(transactional_db: None) -> None:
    made = departments(3)
    found = grants.department_scopes({made[1]})
    assert set(found) == {made[1]}
    assert grants.department_scopes(set(made))[made[1]] == found[made[1]]
    assert set(Scope.objects.values_list("key", flat=True)) >= {str(pk) for pk in made}


@pytest.mark.parametrize("of", ["department", "post"])
def test_a_holder_retired_between_the_two_statements_gets_a_new_scope(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch, of: str
) -> None:
    (pk,) = departments(1)
    holder = Holder(of, str(pk) if of == "department" else f"{pk}/commander")
    manager, gone = type(Scope.objects), []
    plain = manager.bulk_create

    def interrupted(rows: Manager[Scope], made: list[Scope], **more: Any) -> Any:
        done = plain(rows, made, **more)
        if not gone:
            old = Scope.objects.get(kind=holder.kind, key=holder.key)
            Scope.objects.filter(pk=old.pk).update(key=f"{old.key}~{old.pk}", retired_at=T0)
            gone.append(old.pk)
        return done

    monkeypatch.setattr(manager, "bulk_create", interrupted)
    found = grants.department_scopes({pk})[pk] if of == "department" else opening.scopes_of([holder])[holder]
    assert gone and found not in gone
