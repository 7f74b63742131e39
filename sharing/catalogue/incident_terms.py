"""What must the catalogue know of an incident, which stands above it?

``coordination/config/incident_facts.py`` names who answers, and hands it over once at start.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.module_loading import import_string

from coordination.events.actor import Actor


@dataclass(frozen=True, slots=True)
class Response:
    """An incident as far as requests for data need it: its number, whether it is open, its response level."""

    number: str
    is_open: bool
    level: int | None


Ask = Callable[[Actor, int], tuple[str, bool, int | None] | None]
_asked: list[Ask] = []
_choices: list[str] = []


def use(ask: Ask) -> None:
    """Take who answers, replacing earlier ones."""
    _asked[:] = [ask]


def use_named(name: str, choices: str) -> None:
    """Take who answers by dotted names, looked up when first asked: rooms above load later."""

    def ask(actor: Actor, incident_id: int) -> tuple[str, bool, int | None] | None:
        found: Ask = import_string(name)
        return found(actor, incident_id)

    use(ask)
    _choices[:] = [choices]


def open_incidents(actor: Actor) -> list[tuple[int, str]]:
    """Open incidents that the actor sees, to choose from: id and what people call it; the newest first."""
    found: list[tuple[int, str]] = import_string(_choices[0])(actor) if _choices else []
    return found


def response_of(actor: Actor, incident_id: int) -> Response | None:
    """The incident as the actor may know of it; None where it is hidden or absent."""
    found = _asked[0](actor, incident_id) if _asked else None
    return Response(*found) if found is not None else None
