"""Where does the next part of a list begin?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.utils.translation import gettext_lazy as _

from sharing.access.rest.problems import BadInput

DEFAULT_LIMIT = 50
MAX_LIMIT = 200


@dataclass(frozen=True)
class Page:
    """Some rows of a list and where the next ones begin (None at the end). ``after`` is the query's own cursor.

    ``grants``: ids of the grants that open the rows, kept with the read and part of the ETag; ``glass``: those of
    break-glass among them, by which every read is kept, whatever its class.
    """

    items: Sequence[Any]
    after: Any = None
    grants: Sequence[int] = ()
    glass: Sequence[int] = ()


def seal(after: Any, place: str) -> str | None:
    """Return an opaque cursor for ``after``, good for the list ``place`` alone; None at the end."""
    if after is None:
        return None
    return signing.dumps(after, salt=f"muster.cursor.{place}", compress=True)


def unseal(cursor: str | None, place: str) -> Any:
    """Return what `seal` sealed. Raises `BadInput` (400) for anything else."""
    if cursor is None:
        return None
    try:
        if len(cursor) > 1000:
            raise signing.BadSignature
        return signing.loads(cursor, salt=f"muster.cursor.{place}")
    except (signing.BadSignature, ValueError) as error:
        raise BadInput(
            _("The cursor is not one of this list."),
            errors=[{"pointer": "/cursor", "code": "cursor", "detail": _("Use next of the earlier answer as it is.")}],
        ) from error


def part(rows: Sequence[Any], after: Any, size: int) -> Page:
    """Return one page of a list that is short enough to be read whole; the cursor is a place in it."""
    begin = after if isinstance(after, int) and after > 0 else 0
    end = begin + size
    return Page(rows[begin:end], end if end < len(rows) else None)
