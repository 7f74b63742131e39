"""What does a button on a page of the catalogue do?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sharing.access.forms import ActForm
from sharing.catalogue.forms import PlainForm


@dataclass(frozen=True)
class Act:
    """A move that a form on the page makes. ``proof``: it takes a fresh one of who acts."""

    name: str
    label: Any
    call: Callable[..., Any]
    said: Any
    about: Any
    form: type[ActForm] = PlainForm
    grave: bool = False
    proof: bool = False
