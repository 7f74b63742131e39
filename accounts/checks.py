"""Does anybody hold two posts that nobody may hold together? Asked by ``manage.py check --database default``."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import Error

from accounts.queries.apart import not_apart
from coordination.events import clock


@register(Tags.database)
def duties_apart(databases: Any = None, **_more: Any) -> list[CheckMessage]:
    """A warning for each person of whom two of data steward, auditor and administrator stand in the database."""
    if not databases:
        return []
    try:
        found = not_apart(clock.now())
    except Error:  # not migrated yet
        return []
    return [
        Warning(
            f"{person.username} holds two of data steward, auditor and administrator; neither counts",
            hint="End one of the posts on the page of its department.", obj=person, id="accounts.W001",
        )
        for person in found
    ]  # fmt: skip
