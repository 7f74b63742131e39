"""What has the story told so far, in the reader's words?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import queries as accounts
from coordination.events.text import localized
from coordination.screens.sentences import MOVES

DEEDS = {
    "receive_report": gettext_lazy("reports the explosion"),
    "verify_report": gettext_lazy("verifies the report"),
    "open_incident": gettext_lazy("opens the incident"),
    "take_command": gettext_lazy("takes command"),
    "move_incident": gettext_lazy("moves the incident on"),
    "set_scale": gettext_lazy("sets grade or response level"),
    "invite": gettext_lazy("calls a department in"),
    "participate": gettext_lazy("takes part"),
    "set_objective": gettext_lazy("sets an aim"),
    "set_end_condition": gettext_lazy("says when it ends"),
    "add_log": gettext_lazy("writes into the log"),
    "ask_for_data": gettext_lazy("asks for data"),
    "grant_request": gettext_lazy("grants the data"),
}
OUTCOMES = {"done": gettext_lazy("done"), "left to the player": gettext_lazy("left to whoever plays this department")}


def told(lines: Sequence[dict[str, Any]], steps: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Lines of a telling: when, which department, what it did, about which instruction, and what came of it."""
    shorts = {row.code: localized(row.short_zh, row.short_en) for row in accounts.departments(active=None)}
    headlines = {
        step["as"]: localized(step["with"].get("headline_zh", ""), step["with"].get("headline_en", ""))
        for step in steps
        if "as" in step and "headline_zh" in step.get("with", {})
    }
    return [_line(line, shorts, headlines) for line in lines]


def _line(line: dict[str, Any], shorts: dict[str, str], headlines: dict[str, str]) -> dict[str, Any]:
    name, _slash, department = line["about"].removeprefix("$").partition("/")
    about = [headlines.get(name, "") if name != "incident" else "", shorts.get(department, "")]
    by = line["by"].rsplit("-", 1)[0]
    outcome = line["outcome"]
    return {
        "at": line["at"],
        "by": shorts.get(by, by),
        "deed": str(DEEDS.get(line["do"]) or MOVES.get(line["do"], line["do"])),
        "about": " · ".join(part for part in about if part),
        "passed": outcome != "done",
        "outcome": str(OUTCOMES.get(outcome) or _("passed over: people had gone another way")),
    }
