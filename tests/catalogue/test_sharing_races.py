"""Of those who take the same grant back at once, does one succeed?"""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from coordination.events.models import Event
from coordination.events.refused import Conflict
from tests.catalogue import ground as grounds
from tests.catalogue.test_sharing import given_to, revoke

pytestmark = pytest.mark.django_db(transaction=True)


def test_of_two_stewards_at_once_one_takes_it_back() -> None:
    ground = grounds.build()
    pk = given_to(ground, ground.published())
    barrier, said = threading.Barrier(2), []

    def one() -> None:
        try:
            barrier.wait(20)
            revoke(ground, pk)
            said.append("done")
        except Conflict as no:
            said.append(no.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(said) == ["done", "grant_over"]
    assert Event.objects.filter(type="grant.revoked").count() == 1
