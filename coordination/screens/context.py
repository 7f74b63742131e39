"""What does the frame around every page need to know?"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from accounts import queries as accounts
from coordination.events import room
from coordination.screens.templatetags.ops import post_name
from sharing.access import pages
from sharing.catalogue import queries as catalogue

NEXT_THEME = {"light": "dark", "dark": "system", "system": "dark"}


class Frame:
    """Who looks, for which department, in which dress. Nothing is read before a template asks."""

    live_url = "/live/ws"
    since_url = "/live/since"

    def __init__(self, request: HttpRequest) -> None:
        """Remember the request."""
        self.request = request

    @property
    def build(self) -> str:
        """Which build serves this page; a screen that hears of another offers to reload."""
        return str(getattr(settings, "MUSTER_BUILD", ""))

    @cached_property
    def person(self) -> Any:
        """The signed-in person, or None."""
        user = getattr(self.request, "user", None)
        return user if user is not None and user.is_authenticated else None

    @property
    def person_id(self) -> str:
        """Under which name this device keeps drafts."""
        return str(self.person.pk) if self.person else ""

    @property
    def demo(self) -> bool:
        """Whether this is the demo city, whose story people may steer."""
        return bool(settings.MUSTER_DEMO)

    @property
    def no_room(self) -> str:
        """What is refused since the disk is full, "" when nothing is."""
        return room.banner()

    @property
    def theme(self) -> str:
        """`system`, `light` or `dark`."""
        return str(self.person.theme) if self.person else "system"

    @property
    def other_theme(self) -> str:
        """What the one-button switch offers."""
        return NEXT_THEME.get(self.theme, "dark")

    @property
    def compact(self) -> bool:
        """Whether rows are 32 px."""
        return bool(self.person and self.person.compact)

    @property
    def keys_off(self) -> bool:
        """Whether the person turned the keys off."""
        return bool(self.person and self.person.keys_off)

    @cached_property
    def department(self) -> Any:
        """For which department the person acts now, or None."""
        department_id = self.request.actor.department_id  # type: ignore[attr-defined]
        if not department_id:
            return None
        return next((d for d in self._own if d.pk == department_id), None) or accounts.department(department_id)

    @cached_property
    def glass(self) -> list[Any]:
        """What the person has open by break-glass: found with who they are, and only then asked what it is."""
        ids = [one.id for one in pages.glass_of(self.request)]
        who, now = self.request.actor, self.request.now  # type: ignore[attr-defined]
        return catalogue.open_now(actor=who, now=now, glass_ids=ids) if ids else []

    @property
    def posts(self) -> list[str]:
        """The posts held there, in words."""
        return [post_name(code) for code in sorted(self.request.actor.posts)]  # type: ignore[attr-defined]

    @cached_property
    def departments(self) -> list[Any]:
        """The other departments this person may act for."""
        return [d for d in self._own if d.pk != self.request.actor.department_id]  # type: ignore[attr-defined]

    @cached_property
    def _own(self) -> list[Any]:
        """Every department this person holds a post in."""
        return accounts.departments_of(self.person.pk, self.request.now) if self.person else []  # type: ignore[attr-defined]


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `frame`."""
    return {"frame": Frame(request)}
