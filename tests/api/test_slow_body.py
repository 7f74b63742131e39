"""When does an act happen whose body comes slowly?"""

from __future__ import annotations

import io
import time
from typing import Any

import pytest

from coordination.events import clock
from coordination.events.models import Event
from tests.instructions.world import World
from tests.screens.conftest import Enter
from tests.screens.conftest import built as built
from tests.screens.conftest import enter as enter
from tests.screens.conftest import world as world

pytestmark = pytest.mark.django_db
SECONDS = 1.0


class Slow(io.BytesIO):
    """A body that comes a second after its head."""

    def read(self, *given: Any) -> bytes:
        """Wait."""
        time.sleep(SECONDS)
        return super().read(*given)


def test_an_act_is_dated_when_it_was_asked_for_whole(world: World, enter: Enter) -> None:
    """Else a late acknowledgement could be dated before its deadline by whoever sends slowly."""
    body = b'{"text": "Wind turns"}'
    client = enter("fire")
    client.get("/desk/")  # a session that has been read before
    began = clock.now()
    answer = client.generic(
        "POST", f"/api/v1/incidents/{world.incident.pk}/log", body, "application/json",
        headers={"Idempotency-Key": "0190b5a0-0000-7000-8000-000000000001"}, **{"wsgi.input": Slow(body)},
    )  # fmt: skip
    assert answer.status_code == 201, answer.content
    assert (Event.objects.latest("pk").at - began).total_seconds() >= SECONDS
