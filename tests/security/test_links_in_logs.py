"""Does a link that opens an account stand in no line of the log, whatever becomes of the request?"""

from __future__ import annotations

import pytest
from django.test import Client

from accounts import actions
from accounts.models import Person
from coordination.config.logs import JsonFormatter
from coordination.events import clock
from coordination.events.actor import SYSTEM
from tests.accounts.people import officer as officer

pytestmark = pytest.mark.django_db


def test_a_refused_form_does_not_write_the_link_down(officer: Person, caplog: pytest.LogCaptureFixture) -> None:
    link = actions.link_for(actor=SYSTEM, now=clock.now(), person_id=officer.pk)
    client = Client(enforce_csrf_checks=True)
    with caplog.at_level("INFO"):
        assert client.post(f"/sign-in/link/{link}/", {"password": "x"}).status_code == 403
    written = "\n".join(JsonFormatter().format(record) for record in caplog.records)
    assert "Forbidden" in written
    assert link.partition("/")[2] not in written
