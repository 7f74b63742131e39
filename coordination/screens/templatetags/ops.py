"""How are marks, times, durations and command ids written into a page?"""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from django import template
from django.template.loader import get_template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from coordination.events.text import localized

register = template.Library()

SOON = 600  # seconds: from here on a countdown asks for attention
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


@cache
def _drawing(name: str) -> SafeString:
    try:
        found = get_template(f"marks/{name}.html")
    except template.TemplateDoesNotExist:
        found = get_template("marks/event.html")
    return mark_safe(found.render().strip())  # noqa: S308 - our own files


@register.simple_tag
def mark(name: str) -> SafeString:
    """The drawing of a state or sign; an unknown one is a dot. Always put the word beside it."""
    return _drawing(name if str(name).replace("_", "").isalpha() else "event")


@register.simple_tag
def state(code: str, label: str = "") -> SafeString:
    """Mark and word of a state, as one piece."""
    return format_html('<span class="ops-state">{}<span>{}</span></span>', mark(code), label or state_name(code))


STATE_NAMES = {
    "draft": gettext_lazy("Draft"),
    "in_approval": gettext_lazy("In approval"),
    "approved": gettext_lazy("Approved"),
    "issued": gettext_lazy("Issued"),
    "delivered": gettext_lazy("Delivered"),
    "acknowledged": gettext_lazy("Acknowledged"),
    "in_progress": gettext_lazy("In progress"),
    "feedback_submitted": gettext_lazy("Feedback submitted"),
    "evaluated": gettext_lazy("Evaluated"),
    "on_hold": gettext_lazy("On hold"),
    "declined": gettext_lazy("Declined"),
    "closed": gettext_lazy("Closed"),
    "superseded": gettext_lazy("Superseded"),
    "cancelled": gettext_lazy("Cancelled"),
    "withdrawn": gettext_lazy("Withdrawn"),
}


@register.filter
def state_name(code: str) -> str:
    """The word for a state of an instruction, a version or an assignment."""
    return str(STATE_NAMES.get(code, code))


@register.simple_tag
def command_id() -> SafeString:
    """A hidden field with a new command id: however often the form is sent, it has its effect once."""
    return format_html('<input type="hidden" name="command_id" value="{}">', uuid.uuid4())


@register.simple_tag(takes_context=True)
def current(context: dict[str, Any], *names: str) -> SafeString:
    """`aria-current` where the page is one of these."""
    request = context.get("request")
    match = getattr(request, "resolver_match", None)
    return mark_safe(' aria-current="page"') if match and match.url_name in names else mark_safe("")


def _moment(value: Any) -> datetime | None:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    return value if isinstance(value, datetime) else None


def date_text(at: datetime) -> str:
    """`11月20日` or `20 Nov`, in local time."""
    local = timezone.localtime(at)
    chinese = (get_language() or "").startswith("zh")
    return f"{local.month}月{local.day}日" if chinese else f"{local.day} {MONTHS[local.month - 1]}"


@register.simple_tag(takes_context=True)
def moment(context: dict[str, Any], value: Any, always_date: bool = False) -> SafeString:
    """A `<time>`: hour and minute, with the date where it is not today. Empty for no time."""
    at = _moment(value)
    if at is None:
        return mark_safe("–")
    now = _moment(str(request.now)) if (request := context.get("request")) and hasattr(request, "now") else None
    local = timezone.localtime(at)
    today = now is not None and timezone.localtime(now).date() == local.date()
    text = f"{local:%H:%M}" if today and not always_date else f"{date_text(at)} {local:%H:%M}"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', at.isoformat(), f"{local:%Y-%m-%d %H:%M:%S %Z}", text
    )


@register.filter
def hms(value: Any) -> str:
    """Local time with seconds."""
    at = _moment(str(value))
    return f"{timezone.localtime(at):%H:%M:%S}" if at else ""


@register.filter
def iso(value: Any) -> str:
    """ISO 8601 for scripts."""
    at = _moment(str(value))
    return at.isoformat() if at else ""


@register.filter
def field_time(value: Any) -> str:
    """Local time as `<input type=datetime-local>` wants it."""
    at = _moment(value)
    return f"{timezone.localtime(at):%Y-%m-%dT%H:%M}" if at else ""


@register.filter
def duration(seconds: Any) -> str:
    """A length of time: `04:52` under ten minutes, then minutes, hours, days."""
    if isinstance(seconds, timedelta):
        seconds = seconds.total_seconds()
    try:
        total = int(abs(float(seconds)))
    except (TypeError, ValueError):
        return ""
    if total >= 86400:
        return _("{d} d {h} h").format(d=total // 86400, h=total % 86400 // 3600)
    if total >= 3600:
        return _("{h} h {m} min").format(h=total // 3600, m=total % 3600 // 60)
    return f"{total // 60:02d}:{total % 60:02d}" if total < 600 else _("{m} min").format(m=total // 60)


@register.simple_tag(takes_context=True)
def countdown(context: dict[str, Any], due: Any, what: str = "", soon: int = SOON) -> SafeString:
    """A chip that counts down to ``due`` by the server's clock; right without scripts too. Empty for no time.

    ``what`` is spoken once when little time is left and once when it is over.
    """
    at = _moment(due)
    if at is None:
        return mark_safe("")
    now = _moment(str(context["request"].now)) or timezone.now()
    left = (at - now).total_seconds()
    kind = "act" if left < 0 else "soon" if left < soon else "line"
    text = (_("overdue {t}") if left < 0 else _("{t} left")).format(t=duration(left))
    shown, hidden = mark_safe(""), mark_safe(" hidden")
    marks = format_html(
        '<span data-mark="act"{}>{}</span><span data-mark="soon"{}>{}</span>',
        shown if kind == "act" else hidden,
        mark("overdue"),
        shown if kind == "soon" else hidden,
        mark("soon"),
    )
    return format_html(
        '<span class="ops-chip ops-chip-{}" data-due="{}" data-soon="{}" data-state="{}" data-say="{}">{}'
        "<span data-text>{}</span></span>",
        kind,
        at.isoformat(),
        soon,
        kind,
        what,
        marks,
        text,
    )


@register.filter
def as_json(value: Any) -> str:
    """JSON for a data attribute (the template escapes it)."""
    return json.dumps(value or {}, separators=(",", ":"), default=str)


@register.filter
def plain_number(value: Any) -> str:
    """A quantity without idle zeros."""
    if value in (None, ""):
        return ""
    try:
        return f"{Decimal(str(value)).normalize():f}"
    except ArithmeticError:
        return str(value)


BOARD = ("issued", "acknowledged", "in_progress", "feedback_submitted", "on_hold", "declined", "closed")
COLUMN_OF = {"delivered": "issued", "evaluated": "feedback_submitted", "cancelled": "closed", "superseded": "closed"}


@register.filter
def columns(instructions: Any) -> list[dict[str, Any]]:
    """The parts of all instructions by state: one column each, those of hold and declined only where there are any."""
    cards: dict[str, list[dict[str, Any]]] = {name: [] for name in BOARD}
    for instruction in instructions:
        for part in instruction["assignments"]:
            name = COLUMN_OF.get(part["state"], part["state"])
            cards[name].append({"instruction": instruction, "assignment": part})
    return [
        {"name": name, "cards": rows} for name, rows in cards.items() if rows or name not in ("on_hold", "declined")
    ]


@register.filter
def actions(allowed: Any) -> dict[str, Any]:
    """Allowed actions by name."""
    return {row["action"]: row for row in allowed or ()}


POST_NAMES = {
    "duty_officer": gettext_lazy("Duty officer"),
    "commander": gettext_lazy("Commander"),
    "head": gettext_lazy("Head"),
    "approver": gettext_lazy("Approver"),
    "data_steward": gettext_lazy("Data steward"),
    "auditor": gettext_lazy("Auditor"),
    "observer": gettext_lazy("Observer"),
    "administrator": gettext_lazy("Administrator"),
}


@register.filter
def post_name(code: str) -> str:
    """The word for a post."""
    return str(POST_NAMES.get(code, code))


BROWSERS = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"), ("curl", "curl"))
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


@register.filter
def browser(agent: str) -> str:
    """What a person calls the browser that sent this user agent, such as `Firefox, Windows`; empty if unknown."""
    found = [next((name for sign, name in table if sign in str(agent)), "") for table in (BROWSERS, SYSTEMS)]
    return ", ".join(name for name in found if name)


@register.filter
def item(mapping: Any, key: Any) -> Any:
    """`mapping[key]`, or nothing."""
    try:
        return mapping[key]
    except (KeyError, IndexError, TypeError):
        return ""


@register.simple_tag
def written_in(text: str) -> SafeString:
    """The tag 中文 or EN where a text stands in the other language than the page's."""
    if not text:
        return mark_safe("")
    has_chinese = any("\u4e00" <= letter <= "\u9fff" for letter in text)
    chinese_page = (get_language() or "").startswith("zh")
    if has_chinese == chinese_page:
        return mark_safe("")
    return mark_safe(f'<span class="ops-lang">{"中文" if has_chinese else "EN"}</span>')  # noqa: S308 - two fixed words


@register.filter
def roman(level: Any) -> str:
    """Grade or response level as I to IV."""
    return {1: "I", 2: "II", 3: "III", 4: "IV"}.get(level, str(level or ""))


@register.filter
def person_name(person: Any) -> str:
    """Name of somebody reachable, in the reader's language."""
    return localized(person.name_zh, person.name_en)


@register.simple_tag
def warning_mark(level: str) -> SafeString:
    """Swatch of a warning level's legal colour; the word stands beside it."""
    return _drawing(f"warning_{level}") if level in ("red", "orange", "yellow", "blue") else mark_safe("")
