"""Do too many tries to sign in come from one place this minute, whoever they are for?

Each try costs a hash of 100 MB, also for a name that nobody has. A browser in which the person has signed in before
counts for itself, so whoever uses up what an address may try keeps nobody from their own desk. The count is the API's
own, handed down once at start: a try counts the same at the page and there.
"""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext_lazy as _

from coordination.events.refused import TooSoon

KIND = "sign_in"
Wait = Callable[[str, str], int]
_handed: dict[str, Wait] = {}


class TooManySignIns(TooSoon):
    """More tries to sign in came from here this minute than an address may make. ``retry_after``: seconds."""

    code = "rate_limited"


def use(wait: Wait) -> None:
    """Take what counts one request of a kind and a place, and returns for how many seconds that place must wait."""
    _handed[KIND] = wait


def count(place: str | None) -> None:
    """Count one try from here, or refuse it."""
    seconds = _handed[KIND](KIND, place or "")
    if seconds:
        raise TooManySignIns(
            _("Too many people sign in from here at this moment. Wait a minute, then try again."), retry_after=seconds
        )
