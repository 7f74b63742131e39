"""Is the database gone, or did it only refuse this piece of work?"""

from __future__ import annotations

from django.db import InterfaceError, OperationalError


def is_gone(error: Exception) -> bool:
    """Whether nothing else could be done either just now: no connection, a server that stops, no room left."""
    if isinstance(error, InterfaceError):
        return True
    if not isinstance(error, OperationalError):
        return False
    code = getattr(error.__cause__, "pgcode", None)
    return code is None or code.startswith(("08", "57P", "53"))
