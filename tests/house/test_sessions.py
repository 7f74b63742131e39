"""Is an act that was done ever answered as if it had not been, because its session could not be saved?"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import OperationalError, connection, connections


def stored() -> Any:
    """A session that is kept."""
    made = import_module(settings.SESSION_ENGINE).SessionStore()
    made["a"] = 1
    made.create()
    return made


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_is_no_request_that_cannot_be_read() -> None:
    """The server dies between the COMMIT of an act and the saving of the session: 503 says that nobody knows."""
    session = stored()
    connection.ensure_connection()
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 2000)", [connection.connection.info.backend_pid])
    other.close()
    session["a"] = 2
    with pytest.raises(OperationalError):
        session.save()
    connection.close()


@pytest.mark.django_db
def test_a_session_ended_meanwhile_stays_ended() -> None:
    session = stored()
    Session.objects.all().delete()
    session["a"] = 2
    session.save()
    assert not Session.objects.exists()
