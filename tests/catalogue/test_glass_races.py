"""Is the glass broken once when a person breaks it several times at the same moment?"""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from coordination.events.actor import SYSTEM
from coordination.events.models import Event
from sharing.access.fence import fenced
from sharing.access.models import Grant
from sharing.catalogue.actions.breaking import AlreadyBroken
from sharing.catalogue.models import BreakGlass
from tests.catalogue import ground as grounds
from tests.catalogue.test_break_glass import broken

pytestmark = pytest.mark.django_db(transaction=True)


def test_starts_at_once_open_one() -> None:
    ground = grounds.build()
    row = ground.published()
    refused: list[BaseException] = []
    begin = threading.Barrier(4)

    def one() -> None:
        try:
            begin.wait()
            broken(ground, row)
        except BaseException as fault:  # told by the test's own thread
            refused.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [type(fault) for fault in refused] == [AlreadyBroken] * 3
    with fenced(SYSTEM):
        assert BreakGlass.objects.count() == 1
    assert Grant.objects.filter(source="break_glass").count() == 1
    assert Event.objects.filter(type="glass.started").count() == 1
