"""How does an action say no?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class Refused(Exception):
    """An action will not be done. Nothing of it has been kept.

    ``code`` is the stable machine word of the RFC 9457 problem, ``message`` a sentence for people (lazy
    translation allowed) that says what is wrong and what to do, ``status`` the HTTP status of the edge.
    ``extra`` goes into the problem as it is (a refused move adds ``state`` and ``allowed``); ``errors`` is a
    list of ``{"pointer", "code", "detail"}`` for single fields, pointer in JSON-pointer form (``/due_at``).
    """

    status = 422
    code = "invalid"

    def __init__(
        self,
        message: Any = "",
        *,
        code: str | None = None,
        errors: Sequence[Mapping[str, Any]] = (),
        **extra: Any,
    ) -> None:
        super().__init__(str(code or self.code))
        self.message = message
        self.code = code or self.code
        self.errors = list(errors)
        self.extra = extra


class NotFound(Refused):
    """Hidden and absent are the same answer."""

    status = 404
    code = "not_found"


class Forbidden(Refused):
    """The object may be seen, but not this act. ``right`` names what is missing."""

    status = 403
    code = "forbidden"


class MoveNotAllowed(Refused):
    """The object's state does not allow this move now. ``extra``: state, allowed."""

    status = 409
    code = "move_not_allowed"


class Conflict(Refused):
    """Another change or open matter stands in the way (stale_version, ask_open, conflicts_unsigned, ...)."""

    status = 409
    code = "conflict"


class VersionConflict(Refused):
    """The caller decided on an older version of the object."""

    status = 412
    code = "version_conflict"


class KeyReused(Refused):
    """A command id came back with another content."""

    status = 422
    code = "key_reused"


class Invalid(Refused):
    """The input itself is wrong."""

    status = 422
    code = "invalid"


class TooSoon(Refused):
    """Asked too often. ``extra``: retry_after in seconds."""

    status = 429
    code = "too_soon"
