"""Which answer did the edge give when a command was done?"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from coordination.events.actor import Actor
from coordination.events.models import Command


@dataclass(frozen=True)
class Reply:
    """The first answer to a command id. ``status`` None: done, but its answer was never kept (a killed server)."""

    status: int | None
    body: str
    headers: dict[str, str]
    request: str


def find(actor: Actor, key: UUID) -> Reply | None:
    """Return what was answered to this command id of this actor, None where it was never done."""
    command = Command.objects.filter(actor_key=actor.key, key=key).first()
    if command is None:
        return None
    kept = dict(command.reply_headers)
    return Reply(command.reply_status, command.reply_body, kept.get("headers", {}), kept.get("request", ""))


def keep(actor: Actor, key: UUID, request: str, status: int, body: str, headers: dict[str, str]) -> None:
    """Keep the first answer; a later one never replaces it."""
    Command.objects.filter(actor_key=actor.key, key=key, reply_status=None).update(
        reply_status=status, reply_body=body, reply_headers={"request": request, "headers": headers}
    )
