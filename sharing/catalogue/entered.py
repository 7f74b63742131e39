"""Is what was entered fit to be kept?

One `Entered` gathers every fault of one input, then `done` refuses them together, each with its JSON pointer.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts import queries as accounts
from coordination.events.refused import Invalid
from coordination.events.writing import is_storable, trimmed
from sharing.catalogue.queries import tables

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2101, 1, 1, tzinfo=UTC)


class Entered:
    """Collects what is wrong with one input; each method returns the value as it may be kept."""

    def __init__(self) -> None:
        self.errors: list[dict[str, Any]] = []

    def fault(self, name: str, code: str, detail: Any) -> None:
        """Note one fault of the field ``name``."""
        self.errors.append({"pointer": f"/{name}", "code": code, "detail": detail})

    def done(self) -> None:
        """Refuse with every fault noted so far (422 invalid), or go on."""
        if self.errors:
            raise Invalid(_("Some of what was entered cannot be kept; see each field."), errors=self.errors)

    def text(self, name: str, value: Any, most: int, *, needed: bool = False) -> str:
        """At most ``most`` characters, all fit to be kept; ends trimmed, and empty when nothing can be seen."""
        if value is None:
            value = ""
        if not isinstance(value, str):
            self.fault(name, "not_text", _("This must be text."))
            return ""
        if not is_storable(value):
            self.fault(name, "characters", _("The text holds characters that cannot be stored."))
            return ""
        text = trimmed(value)
        if len(text) > most:
            self.fault(name, "too_long", _("At most %(most)d characters.") % {"most": most})
        if needed and not text:
            self.fault(name, "required", _("This must not be empty."))
        return text

    def moment(self, name: str, value: Any, *, not_after: datetime | None = None) -> datetime | None:
        """An aware time from 1970 to 2100; ``not_after``: what has happened cannot lie in the future."""
        if value is None:
            return None
        if not isinstance(value, datetime) or value.tzinfo is None:
            self.fault(name, "not_time", _("This must be a time with its zone."))
            return None
        if not EARLIEST <= value < LATEST:
            self.fault(name, "out_of_range", _("Between the years 1970 and 2100."))
            return None
        if not_after is not None and value > not_after:
            self.fault(name, "in_future", _("This time has not come yet."))
            return None
        return value

    def choice(self, name: str, value: Any, allowed: Collection[Any]) -> Any:
        """One of ``allowed``."""
        if isinstance(value, bool) or value not in tuple(allowed):
            self.fault(name, "not_a_choice", _("This is none of the possible values."))
            return None
        return value

    def code(self, name: str, table: str, value: Any, *, needed: bool = True) -> str:
        """A code in use of one code table."""
        if not value and not needed:
            return ""
        known = isinstance(value, str) and is_storable(value) and tables.code(table, value) is not None
        if not known:
            self.fault(name, "unknown_code", _("This code is not in the table %(table)s.") % {"table": table})
            return ""
        return str(value)

    def department(self, name: str, value: Any) -> int | None:
        """The id of an active department."""
        found = row_id(value)
        if found is None or not accounts.departments(ids=[found]):
            self.fault(name, "unknown", _("There is no such department."))
            return None
        return found

    def region(self, value: Any, name: str = "region_code") -> str:
        """A division code: up to 12 digits, or empty."""
        code = self.text(name, value, 12)
        if code and not (code.isascii() and code.isdigit()):
            self.fault(name, "not_a_code", _("A division code holds digits only."))
        return code


def reason(name: str, value: Any, *, needed: bool) -> str:
    """A reason of at most 300 characters; refused at once when it is needed and missing."""
    entered = Entered()
    text = entered.text(name, value, 300, needed=needed)
    entered.done()
    return text


def row_id(value: Any) -> int | None:
    """A primary key as it came from outside, or None where no row can have it."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**63:
        return None
    return value
