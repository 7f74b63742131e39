"""Of which kinds of objects may somebody ask who sees them?

The rooms above hand their kinds over by name (`coordination.config.explained`); this room reads them by the table of
classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import apps

from sharing.access.guarded import Guarded, Opened
from sharing.access.queries.hidden import Unseen

_kinds: list[str] = []


class NotExplainableError(TypeError):
    """A kind was handed over that nothing guards."""


def use(kinds: Sequence[str]) -> None:
    """Take the kinds, each ``app.model`` in small letters."""
    _kinds[:] = kinds


def kinds() -> tuple[str, ...]:
    """Every kind that may be asked about."""
    return tuple(_kinds)


def find(kind: str, pk: int) -> Guarded | Opened:
    """The object itself, whoever asks; who may hear of it is another question. Raises `Unseen` where there is none."""
    if kind not in _kinds:
        raise Unseen
    model: Any = apps.get_model(kind)
    if not issubclass(model, Guarded | Opened):
        raise NotExplainableError(kind)
    found: Guarded | Opened | None = model._default_manager.filter(pk=pk).first()
    if found is None:
        raise Unseen
    return found
