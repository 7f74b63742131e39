"""What becomes of a request whose session cannot be saved after its act was done?"""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import UpdateError
from django.db import InterfaceError, OperationalError


class SessionStore(db.SessionStore):
    """Sessions in PostgreSQL, whose failure to be saved is not taken for a request that cannot be read.

    Django makes one error of two cases, and answers 400 to both, as if nothing had been done.
    """

    def save(self, must_create: bool = False) -> Any:
        """Save; a database that is away says so (503), a session ended meanwhile stays ended and spoils no answer."""
        try:
            return super().save(must_create)
        except UpdateError as error:
            if isinstance(error.__context__, OperationalError | InterfaceError):
                raise error.__context__ from None
            return None
