"""Has the reader understood: does what they read back agree with what the order says?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from coordination.events.refused import Invalid
from coordination.instructions.actions import content
from coordination.instructions.models import InstructionVersion
from incidents.entered import Entered
from sharing.catalogue import queries as catalogue

FIELDS = ("place", "object", "quantity", "unit", "due_at")


class ReadBackWanted(Invalid):
    """This order is acknowledged by reading it back."""

    code = "read_back_wanted"


def enter(given: Any) -> dict[str, Any]:
    """The read-back as it will be kept: place, object, quantity with unit, by when."""
    if not isinstance(given, Mapping):
        raise ReadBackWanted(
            _("Read the order back: place, object, quantity and by when."),
            errors=[{"pointer": "/read_back", "code": "required", "detail": _("This must not be empty.")}],
        )
    entered = Entered()
    for name in sorted(set(map(str, given)) - set(FIELDS)):
        entered.fault(f"read_back/{name}"[:80], "unknown_field", _("Unknown field."))
    kept = {
        "place": entered.text("read_back/place", given.get("place"), 200),
        "object": entered.text("read_back/object", given.get("object"), 120),
        "unit": entered.text("read_back/unit", given.get("unit"), 20),
    }
    amount = content.quantity(entered, "read_back/quantity", given.get("quantity"))
    due = entered.moment("read_back/due_at", given.get("due_at"))
    entered.done()
    return {**kept, "quantity": None if amount is None else str(amount), "due_at": due.isoformat() if due else None}


def compare(version: InstructionVersion, read: Mapping[str, Any]) -> list[str]:
    """Names of what differs: place and object by their code or words, number in one unit, by when to the minute."""
    wrong = []
    if version.place and _plain(read["place"]) != _plain(version.place):
        wrong.append("place")
    named = {_plain(row["code"]) for row in version.objects_named}
    if named and _plain(read["object"]) not in named:
        wrong.append("object")
    if version.quantity is not None and not _same_amount(version, read):
        wrong.append("quantity")
    due = datetime.fromisoformat(read["due_at"]) if read["due_at"] else None
    if version.due_at is not None and (due is None or _minute(due) != _minute(version.due_at)):
        wrong.append("due_at")
    return wrong


def _plain(text: str) -> str:
    return "".join(text.split()).casefold()


def _minute(moment: datetime) -> int:
    return int(moment.timestamp() // 60)


def _same_amount(version: InstructionVersion, read: Mapping[str, Any]) -> bool:
    if read["quantity"] is None or version.quantity is None:
        return False
    units = catalogue.names("unit")

    def in_base(amount: Decimal, unit: str) -> tuple[str, Decimal]:
        data = units[unit].data if unit in units else {}
        return str(data.get("base", unit)), amount * Decimal(str(data.get("factor", 1)))

    return in_base(Decimal(read["quantity"]), read["unit"]) == in_base(version.quantity, version.unit)
