"""Does one request get one answer when several people answer, withdraw or ask at once?"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from coordination.events.actor import Actor
from coordination.events.refused import MoveNotAllowed
from sharing.access.models import Grant
from sharing.catalogue import actions
from sharing.catalogue.models import Agreement, ShareRequest
from tests.catalogue import ground as grounds
from tests.catalogue.ground import T0
from tests.catalogue.requesting import add, asked, conditional

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*calls: Callable[[], Any]) -> list[BaseException]:
    """Do all of these at the same moment; what was refused or failed."""
    faults: list[BaseException] = []
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> None:
        try:
            gate.wait()
            call()
        except BaseException as fault:  # told by the test's own thread
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return faults


def opened() -> int:
    return Grant.objects.filter(source="agreement").count()


def test_two_stewards_decide_at_once() -> None:
    ground = grounds.build()
    stewards = [ground.actor("health"), add(ground, "health", "data_steward", "second")]
    request = asked(ground, conditional(ground))

    def grant(actor: Actor) -> Callable[[], Any]:
        return lambda: actions.grant_request(actor=actor, now=T0, request_id=request.pk)

    faults = at_once(*(grant(actor) for actor in stewards * 2))
    assert [type(fault) for fault in faults] == [MoveNotAllowed] * 3
    assert opened() == Agreement.objects.count() == 1


@pytest.mark.parametrize("other", ["withdraw", "refuse"])
def test_a_grant_and_its_opposite_at_once_leave_one_of_them(other: str) -> None:
    ground = grounds.build()
    basis = ground.basis(article="race")
    dataset = conditional(ground)
    for _ in range(4):
        request = asked(ground, dataset)
        before = opened()
        against = {
            "withdraw": lambda pk=request.pk: actions.withdraw_request(
                actor=ground.actor("fire"), now=T0, request_id=pk
            ),
            "refuse": lambda pk=request.pk: actions.refuse_request(
                actor=ground.actor("health"), now=T0, request_id=pk, answer="no", legal_basis_id=basis.pk
            ),
        }[other]
        faults = at_once(
            lambda pk=request.pk: actions.grant_request(actor=ground.actor("health"), now=T0, request_id=pk), against
        )
        assert [type(fault) for fault in faults] == [MoveNotAllowed]
        state = ShareRequest.objects.get(pk=request.pk).state
        assert opened() - before == (1 if state == "granted" else 0)


def test_two_heads_sign_at_once_and_it_opens_once() -> None:
    ground = grounds.build()
    heads = [add(ground, "fire", "head"), add(ground, "health", "head")]
    request = asked(ground, conditional(ground, classification=3))
    actions.screen_request(actor=ground.actor("health"), now=T0, request_id=request.pk)
    second = add(ground, "health", "data_steward", "second")
    actions.grant_request(actor=second, now=T0, request_id=request.pk)
    agreement = Agreement.objects.get()
    at = T0 + timedelta(hours=1)
    faults = at_once(*(
        lambda actor=actor: actions.sign_agreement(
            actor=actor, now=at, agreement_id=agreement.pk, digest=agreement.digest
        )
        for actor in heads
    ))  # fmt: skip
    assert faults == [] and opened() == 1


def test_who_ends_an_agreement_while_it_is_signed_ends_what_that_opens() -> None:
    ground = grounds.build()
    heads = [add(ground, "fire", "head"), add(ground, "health", "head")]
    request = asked(ground, conditional(ground, classification=3))
    actions.screen_request(actor=ground.actor("health"), now=T0, request_id=request.pk)
    second = add(ground, "health", "data_steward", "second")
    actions.grant_request(actor=second, now=T0, request_id=request.pk)
    agreement = Agreement.objects.get()
    how: dict[str, Any] = {"now": T0, "agreement_id": agreement.pk}
    actions.sign_agreement(actor=heads[0], digest=agreement.digest, **how)
    signed = threading.Event()

    def sign() -> None:
        with transaction.atomic():
            actions.sign_agreement(actor=heads[1], digest=agreement.digest, **how)
            signed.set()
            wait_for_a_lock()

    def end() -> None:
        assert signed.wait(30)
        actions.end_agreement(actor=second, why="no more", **how)

    assert at_once(sign, end) == []
    assert opened() == 1 and not Grant.objects.filter(source="agreement", revoked_at=None).exists()


def wait_for_a_lock() -> None:
    """Until another transaction waits for this one."""
    with connection.cursor() as cursor:
        for _turn in range(1000):
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
            cursor.execute("SELECT pg_sleep(0.01)")
    raise AssertionError("nobody waits")
