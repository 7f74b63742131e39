"""Does the caller know the version they decide on, or already have what they ask for?

An entity tag is ``"<version>.<digest>"``: the object's version, then a digest of the very bytes, which depend on
who may see what. ``If-Match`` compares the version alone, so a neighbour's change of something else blocks nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from coordination.events.refused import Refused
from sharing.access.rest.problems import BadInput

_TAG = re.compile(r'"(?P<version>[0-9]{1,9})(?:\.[A-Za-z0-9_.-]{0,64})?"')


class IfMatchRequired(Refused):
    """A change that decides must say which version it decides on."""

    status = 428
    code = "if_match_required"


def tag(version: int, payload: bytes, epoch: Sequence[int] = ()) -> str:
    """Return the strong entity tag of one representation; ``epoch``: ids of the grants by which it may be seen."""
    digest = hashlib.sha256(payload)
    if epoch:
        digest.update(b"\x00" + ",".join(map(str, sorted(epoch))).encode())
    return f'"{version}.{digest.hexdigest()[:24]}"'


def wanted(header: str | None, *, required: bool) -> int | None:
    """Return the version that ``If-Match`` names.

    Raises `IfMatchRequired` (428) when it is missing and needed, `BadInput` (400) when it is no tag of ours.
    """
    if header is None:
        if required:
            raise IfMatchRequired(_("Send If-Match with the ETag of what you decided on."))
        return None
    match = _TAG.fullmatch(header.strip())
    if match is None:
        raise BadInput(_("If-Match must be one ETag, as it was given."))
    return int(match["version"])


def known(header: str | None, etag: str) -> bool:
    """Whether ``If-None-Match`` names this representation already."""
    if not header:
        return False
    return header.strip() == "*" or etag in [part.strip().removeprefix("W/") for part in header[:2000].split(",")]
