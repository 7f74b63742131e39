"""What does a channel get, and what does it answer?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

Outcome = Literal["sent", "failed", "refused", "unknown"]


@dataclass(frozen=True, slots=True)
class Letter:
    """What one call of a channel carries: one message, or several for one person in one.

    ``key`` is stable over retries: providers that know it deliver once. ``secret`` and ``payload``: webhooks only.
    ``request_id``: the request that this follows from, where there is one.
    """

    key: str
    address: str
    subject: str
    lines: Sequence[str]
    urgency: str
    at: datetime
    language: str = ""
    repeat: bool = False
    bundle: bool = False
    secret: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict)
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """``sent``; ``failed``: try again; ``refused``: never will (next channel); ``unknown``: nobody can say."""

    outcome: Outcome
    reference: str = ""
    error: str = ""


class Channel(Protocol):
    """One way to reach people: a module with these names.

    ``RESEND_UNKNOWN``: whether a message of which nobody knows if it arrived is simply sent again.
    """

    RESEND_UNKNOWN: bool

    def is_set_up(self) -> bool:
        """Whether this installation has this channel."""

    def send(self, letter: Letter) -> Answer:
        """Send; no database, and never longer than the lease of 30 s."""

    def ask(self, letter: Letter, reference: str) -> Answer:
        """Ask the provider what became of a message: sent, failed (it never got it), or unknown."""
