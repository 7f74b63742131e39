"""Is what an order says fit to be kept, and complete enough to leave?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.models import Department
from accounts.queries import departments_by_id
from coordination.events.refused import Invalid
from coordination.events.words import words_of
from coordination.instructions.models import Instruction, InstructionVersion, Urgency
from coordination.instructions.queries import cases
from coordination.instructions.states import CONTENT
from incidents.entered import Entered, row_id

POSTS = frozenset({"duty_officer", "commander", "head"})
EVIDENCE = frozenset({"text", "photo", "figures", "place"})
NAMES = tuple(field.name for field in CONTENT)
_TEXTS = {"text": 8000, "verb": 40, "what": 300, "place": 200, "unit": 20, "type": 80}
_MOST_TARGETS = 250
_MINUTE = 60
_YEAR = 366 * 24 * 3600


def unknown(given: Mapping[str, Any]) -> None:
    """Refuse names that no content field has."""
    wrong = sorted(set(given) - set(NAMES))
    if wrong:
        raise Invalid(
            _("Unknown field."),
            errors=[{"pointer": f"/{name}", "code": "unknown_field", "detail": _("Unknown field.")} for name in wrong],
        )


def enter(version: InstructionVersion, given: Mapping[str, Any], *, targets_too: bool = True) -> None:
    """Put the given content on a version in draft; what is not given stays. Raises `Invalid` with every fault."""
    unknown(given)
    entered = Entered()
    for name, most in _TEXTS.items():
        if name in given:
            setattr(version, name, entered.text(name, given[name], most))
    if "verb" in given and version.verb:
        version.verb = entered.code("verb", "verb", version.verb)
    if "unit" in given and version.unit:
        version.unit = entered.code("unit", "unit", version.unit)
    if "headline_zh" in given or "headline_en" in given:
        version.headline_zh, version.headline_en = entered.headlines(
            given.get("headline_zh", version.headline_zh), given.get("headline_en", version.headline_en)
        )
    if "latitude" in given or "longitude" in given:
        version.latitude, version.longitude = entered.place(given.get("latitude"), given.get("longitude"))
    if "urgency" in given:
        version.urgency = entered.choice("urgency", given["urgency"], Urgency.values) or version.urgency
    for name in ("starts_at", "due_at"):
        if name in given:
            setattr(version, name, entered.moment(name, given[name]))
    for name, least in (("due_in", 1), ("progress_every", _MINUTE)):
        if name in given:
            setattr(version, name, whole(entered, name, given[name], least, _YEAR))
    _one_time(entered, version, given)
    for name in ("read_back", "recheck"):
        if name in given:
            setattr(version, name, flag(entered, name, given[name]))
    if "quantity" in given:
        version.quantity = quantity(entered, "quantity", given["quantity"])
    if "evidence" in given:
        version.evidence = _codes(entered, "evidence", given["evidence"])
    if "objects_named" in given:
        version.objects_named = objects(entered, given["objects_named"])
    if "targets" in given and targets_too:
        version.targets = targets(entered, given["targets"])
    entered.done()
    version.words = words(version)


def _one_time(entered: Entered, version: InstructionVersion, given: Mapping[str, Any]) -> None:
    """Either a time or a length of time: what is given now replaces the other."""
    if given.get("due_at") is not None and given.get("due_in") is not None:
        entered.fault("due_in", "both", _("Give a time or a number of minutes, not both."))
    elif given.get("due_at") is not None:
        version.due_in = None
    elif given.get("due_in") is not None:
        version.due_at = None


def words(version: InstructionVersion) -> list[str]:
    """By which words an order is found."""
    return words_of(
        version.headline_zh, version.headline_en, version.what, version.place, version.text, version.change_note
    )


def flag(entered: Entered, name: str, value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        entered.fault(name, "not_boolean", _("This must be true or false."))
        return False
    return value


def whole(entered: Entered, name: str, value: Any, least: int, most: int) -> int | None:
    """A whole number within bounds, or None."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        entered.fault(name, "not_number", _("This must be a whole number."))
        return None
    if not least <= value <= most:
        entered.fault(
            name, "out_of_range", _("Between %(least)d and %(most)d.") % {"least": least, "most": most}
        )
        return None
    return value


def quantity(entered: Entered, name: str, value: Any) -> Decimal | None:
    """A quantity with at most three decimals below 10^12, or None."""
    if value is None or value == "":
        return None
    try:
        number = Decimal(str(value)) if not isinstance(value, bool) else None
    except (InvalidOperation, ValueError):
        number = None
    if number is None or not number.is_finite():
        entered.fault(name, "not_number", _("This must be a number."))
        return None
    if not 0 <= number < Decimal(10) ** 12 or number != round(number, 3):
        entered.fault(name, "out_of_range", _("From 0 with at most three decimals."))
        return None
    return number


def _codes(entered: Entered, name: str, value: Any) -> list[str]:
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        entered.fault(name, "not_list", _("This must be a list."))
        return []
    if not set(value) <= EVIDENCE:
        entered.fault(name, "not_a_choice", _("This is none of the possible values."))
        return []
    return list(dict.fromkeys(value))


def objects(entered: Entered, value: Any) -> list[dict[str, str]]:
    """What the order is about: at most 50 of {"kind", "code"}."""
    fits = isinstance(value, list | tuple) and len(value) <= 50 and all(isinstance(item, Mapping) for item in value)
    if not fits:
        entered.fault("objects_named", "not_list", _("This must be a list."))
        return []
    return [
        {
            "kind": entered.text("objects_named", item.get("kind"), 40, needed=True),
            "code": entered.text("objects_named", item.get("code"), 80, needed=True),
        }
        for item in value
    ]


def targets(entered: Entered, value: Any) -> list[dict[str, Any]]:
    """Whom it is addressed to: [{"department": id, "role": "lead"|"support", "post": code}], each once."""
    if not isinstance(value, list | tuple) or len(value) > _MOST_TARGETS:
        entered.fault("targets", "not_list", _("This must be a list of at most 250 departments."))
        return []
    rows: list[dict[str, Any]] = []
    for index, item in enumerate(value):
        name = f"targets/{index}"
        pk = row_id(item.get("department")) if isinstance(item, Mapping) else None
        if pk is None:
            entered.fault(name, "department", _("Name a department."))
            continue
        role = entered.choice(f"{name}/role", item.get("role", "support"), ("lead", "support"))
        post = entered.choice(f"{name}/post", item.get("post") or "duty_officer", POSTS)
        rows.append({"department": pk, "role": role, "post": post})
    known = departments_by_id([row["department"] for row in rows])
    for index, row in enumerate(rows):
        found = known.get(row["department"])
        if found is None or not found.is_active:
            entered.fault(f"targets/{index}", "department", _("There is no such department."))
    if len({row["department"] for row in rows}) < len(rows):
        entered.fault("targets", "twice", _("A department can be addressed once."))
    return rows


def department(entered: Entered, name: str, value: Any) -> Department | None:
    """An active department by id."""
    pk = row_id(value)
    found = departments_by_id([pk]).get(pk) if pk is not None else None
    if found is None or not found.is_active:
        entered.fault(name, "department", _("There is no such department."))
        return None
    return found


def headline_from(version: InstructionVersion) -> None:
    """Where nobody wrote a headline, its beginning is the headline: 22 Chinese or 40 Latin characters."""
    if version.headline_zh or version.headline_en:
        return
    words = " ".join((version.what or version.text).split())
    if any("\u4e00" <= sign <= "\u9fff" for sign in words):
        version.headline_zh = words[:22]
    else:
        version.headline_en = words[:40]


def complete(instruction: Instruction, version: InstructionVersion, *, now: datetime) -> None:
    """Refuse to hand in an order that does not say what, by when, and who leads."""
    entered = Entered()
    if not (version.what or version.text):
        entered.fault("what", "required", _("Say what is to be done."))
    if version.due_at is None and version.due_in is None:
        entered.fault("due_at", "required", _("Say by when."))
    elif past(instruction, version, now=now):
        entered.fault("due_at", "past", _("This time has passed already."))
    due = due_of(version, now=now, pace=instruction.incident.pace) if version.due_at or version.due_in else None
    if due is not None and version.starts_at is not None and version.starts_at >= due:
        entered.fault("starts_at", "after_due", _("This lies after the time by when it shall be done."))
    if version.quantity is not None and not version.unit:
        entered.fault("unit", "required", _("A quantity needs its unit."))
    leads = [row for row in version.targets if row["role"] == "lead"]
    if not version.targets:
        entered.fault("targets", "required", _("Address at least one department."))
    elif len(leads) != 1 and version.n == 1:
        entered.fault("targets", "one_lead", _("Exactly one department leads."))
    entered.done()


def past(instruction: Instruction, version: InstructionVersion, *, now: datetime) -> bool:
    """Whether the time it names has passed; the time that a change leaves as it was may."""
    if version.due_at is None or version.due_at > now:
        return False
    return version.n == 1 or version.due_at != cases.version_of(instruction, instruction.current).due_at


def due_of(version: InstructionVersion, *, now: datetime, pace: float) -> datetime:
    """By when, as a time: named, or so many seconds (at the incident's pace) from now."""
    if version.due_at is not None:
        return version.due_at
    return datetime.fromtimestamp(now.timestamp() + (version.due_in or 0) / (pace or 1), tz=now.tzinfo)


def addressed(version: InstructionVersion) -> Iterable[int]:
    """Ids of the departments a version addresses."""
    return [row["department"] for row in version.targets]
