"""By which ways is a person told, and in which order?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.conf import settings

from coordination.notify import channels

#: beside the notice on screen, one way out, the first that the person has; the others wait until it fails
OUTSIDE = {"immediate": ("sms", "email"), "urgent": ("sms", "email"), "routine": ("email", "sms")}


@dataclass(frozen=True, slots=True)
class Contact:
    """How one person can be reached."""

    person_id: int
    phone: str = ""
    email: str = ""
    language: str = ""

    def address(self, channel: str) -> str:
        """Where a channel finds them; empty where it cannot."""
        return {"in_app": str(self.person_id), "sms": self.phone, "email": self.email}.get(channel, "")


def ways(contact: Contact, urgency: str, *, exercise: bool, only: Iterable[str] | None = None) -> tuple[str, ...]:
    """Channels of the first attempt: always in_app, and the first outside one that is set up and has an address.

    An exercise never leaves the platform. ``only``: channels the sender allows.
    """
    allowed = None if only is None else set(only)
    found = [] if allowed is not None and "in_app" not in allowed else ["in_app"]
    if not exercise:
        found += [name for name in outside(contact, urgency) if allowed is None or name in allowed][:1]
    return tuple(found)


def outside(contact: Contact, urgency: str) -> list[str]:
    """Outside channels that can reach this person, best first."""
    order: Sequence[str] = getattr(settings, "MUSTER_CHANNEL_ORDER", OUTSIDE).get(urgency, OUTSIDE["routine"])
    return [name for name in order if contact.address(name) and channels.is_set_up(name)]


def following(contact: Contact, urgency: str, failed: str) -> str | None:
    """The outside channel after ``failed``; None where there is none left."""
    order = outside(contact, urgency)
    if failed not in order:
        return None
    rest = order[order.index(failed) + 1 :]
    return rest[0] if rest else None
