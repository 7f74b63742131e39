"""Which walls are there, and which one holds this token?"""

from __future__ import annotations

import hashlib
import hmac

from django.db.models import QuerySet

from accounts.models import Display

# The cookie that makes a browser a wall.
WALL_COOKIE = "muster_wall"


def digest(secret: str) -> str:
    """What is kept of a secret: its SHA-256 (the secrets are random and long, so no salt is needed)."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def display_by_token(token: str, address: str | None) -> Display | None:
    """The wall that holds the token, not revoked, asked from its own address; else None."""
    if not token or len(token) > 200:
        return None
    wanted = digest(token)
    found = Display.objects.filter(token_hash=wanted, revoked_at=None).exclude(department=None).first()
    if found is None or not hmac.compare_digest(found.token_hash, wanted):
        return None
    if found.address is not None and found.address != address:
        return None
    return found


def shown_on(display_id: int | None, department_id: int | None) -> QuerySet[Display]:
    """The wall as a query to be used inside others: empty once it is revoked or another department's."""
    return Display.objects.filter(pk=display_id or 0, revoked_at=None, department_id=department_id or 0)


def display(display_id: int) -> Display | None:
    """One wall, revoked or not."""
    return Display.objects.filter(pk=display_id).select_related("department").first()


def displays_of(department_id: int) -> list[Display]:
    """Walls of a department that are not revoked."""
    return list(Display.objects.filter(department_id=department_id, revoked_at=None).order_by("name", "pk"))
