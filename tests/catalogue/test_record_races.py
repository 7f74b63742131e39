"""Do deliveries into one dataset follow each other when they come at once?"""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from sharing.catalogue import actions
from sharing.catalogue.models import Record, Transfer
from tests.catalogue import ground as grounds

pytestmark = pytest.mark.django_db(transaction=True)


def test_deliveries_at_once_follow_each_other() -> None:
    ground = grounds.build()
    row, actor = ground.published(), ground.actor("health")
    faults: list[BaseException] = []

    def one(part: int) -> None:
        try:
            records = [{"id": f"{part}-{n}", "beds": n} for n in range(50)]
            actions.deliver(actor=actor, now=ground.now, dataset_id=row.pk, records=records, mode="part")
        except BaseException as fault:  # told by the test's own thread
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(part,)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert sorted(Transfer.objects.filter(dataset=row).values_list("number", flat=True)) == [1, 2, 3, 4]
    assert Record.everything.filter(dataset=row, until=None).count() == 200
