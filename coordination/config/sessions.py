"""How is a session found, and what becomes of a request whose session cannot be saved after its act was done?"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import UpdateError
from django.db import InterfaceError, OperationalError
from django.db.models import QuerySet
from django.utils import timezone

from accounts import queries as accounts
from accounts.models import Person
from coordination.events import clock
from coordination.events.at_once import at_once
from coordination.events.kept import Texts, kept


class SessionStore(db.SessionStore):
    """Sessions in PostgreSQL, whose failure to be saved is not taken for a request that cannot be read.

    Django makes one error of two cases, and answers 400 to both, as if nothing had been done.
    """

    person: Person | None = None
    """Who signed in with it, once it was read; `accounts.recognised` decides whether that still holds."""

    read_at: datetime | None = None
    """What time it was when it was read."""

    def _get_session_from_db(self) -> Any:
        """The row, or None where there is none. Every request asks: with it come its person and the time."""
        if "\0" in (self.session_key or ""):  # no text of PostgreSQL
            self._session_key = None
            return None
        key = Texts((self.session_key or "",))
        rows, people = at_once(
            kept(_standing, self.model, key, timezone.now(), clock.movable()), kept(accounts.signed_in_with, key)
        )
        self.person = people[0] if people else None
        if not rows:
            self._session_key = None
            return None
        self.read_at = clock.told(rows[0].read_at)
        return rows[0]

    def save(self, must_create: bool = False) -> Any:
        """Save; a database that is away says so (503), a session ended meanwhile stays ended and spoils no answer."""
        try:
            return super().save(must_create)
        except UpdateError as error:
            if isinstance(error.__context__, OperationalError | InterfaceError):
                raise error.__context__ from None
            return None


def _standing(model: Any, key: Texts, now: datetime, moves: bool) -> QuerySet[Any, Any]:
    rows: QuerySet[Any, Any] = model.objects.filter(session_key__in=key.given, expire_date__gt=now)
    return rows.annotate(read_at=clock.column(moves))
