"""How is a line of the timeline said in the reader's language, whatever room it comes from?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from coordination.events.actor import Actor
from coordination.events.at_once import Steps, answer
from coordination.instructions.queries import telling

MOVES = {
    "draft": gettext_lazy("drafted"),
    "edit": gettext_lazy("draft changed"),
    "submit": gettext_lazy("sent for approval"),
    "withdraw": gettext_lazy("withdrawn to draft"),
    "return_draft": gettext_lazy("returned to the drafter"),
    "approve": gettext_lazy("approved"),
    "issue": gettext_lazy("issued"),
    "issue_first": gettext_lazy("issued first, to be confirmed"),
    "confirm": gettext_lazy("confirmed"),
    "amend": gettext_lazy("new version begun"),
    "assign": gettext_lazy("one more department supports"),
    "cancel": gettext_lazy("cancelled"),
    "restore": gettext_lazy("discarding undone"),
    "supersede": gettext_lazy("superseded"),
    "close": gettext_lazy("closed"),
    "keep_owed": gettext_lazy("the order above changed: amend or keep"),
    "keep": gettext_lazy("kept as it is"),
    "reach": gettext_lazy("message delivered"),
    "receive": gettext_lazy("received"),
    "acknowledge": gettext_lazy("acknowledged"),
    "acknowledge_for": gettext_lazy("acknowledged by telephone"),
    "misunderstood": gettext_lazy("read back differently"),
    "contest": gettext_lazy("evidence disputed"),
    "start": gettext_lazy("work begun"),
    "feedback": gettext_lazy("feedback"),
    "evaluate": gettext_lazy("evaluated"),
    "recheck": gettext_lazy("checked on the spot"),
    "decline": gettext_lazy("declined"),
    "overrule": gettext_lazy("decline overruled"),
    "reassign": gettext_lazy("given to another department"),
    "arbitrate": gettext_lazy("ruled whose it is"),
    "hand_over": gettext_lazy("handed over"),
    "ask": gettext_lazy("asked"),
    "appeal": gettext_lazy("appealed against the ruling"),
    "grant": gettext_lazy("granted"),
    "refuse": gettext_lazy("refused"),
    "resume": gettext_lazy("resumed"),
    "delegate": gettext_lazy("delegated"),
    "hand_down": gettext_lazy("the work is handed down"),
    "take_back": gettext_lazy("the work came back"),
    "urge": gettext_lazy("urged"),
    "supervise": gettext_lazy("put under supervision"),
    "lift": gettext_lazy("supervision lifted"),
    "lead": gettext_lazy("leads from now on"),
    "owe": gettext_lazy("owes acknowledgement of a newer version"),
}
STEPS = {
    "remind_duty": gettext_lazy("duty officer reminded"),
    "next_on_duty": gettext_lazy("next on duty told"),
    "head": gettext_lazy("head told"),
    "department_above": gettext_lazy("department above told"),
    "supervise": gettext_lazy("command supervises"),
    "propose_owner": gettext_lazy("another owner proposed"),
    "board": gettext_lazy("on the command centre's board"),
}
KINDS = {
    "instruction": gettext_lazy("instruction"),
    "assignment": gettext_lazy("assignment"),
    "ask": gettext_lazy("question"),
    "deadline": gettext_lazy("deadline"),
    "log": gettext_lazy("log"),
    "incident": gettext_lazy("incident"),
    "participation": gettext_lazy("participation"),
    "objective": gettext_lazy("aim"),
    "report": gettext_lazy("report"),
    "attachment": gettext_lazy("file"),
    "alarm": gettext_lazy("alarm"),
}
HEADLINE = 120
"""Characters of an entry that stand for a headline of its own."""


def lines(*, actor: Actor, rows: Sequence[dict[str, Any]], now: datetime) -> list[dict[str, Any]]:
    """Timeline rows as the page shows them: key, at, who, headline, text, href, kind_name, corrects."""
    return answer(lines_steps(actor=actor, rows=rows, now=now))


def lines_steps(
    *, actor: Actor, rows: Sequence[dict[str, Any]], now: datetime
) -> Steps[list[dict[str, Any]]]:
    """`lines`, to be asked beside other questions."""
    objects = [tuple(row["object"]) for row in rows if row["object"]]
    about = yield from telling.subjects_steps(actor=actor, objects=objects, now=now)
    return [_line(row, about.get(tuple(row["object"])) if row["object"] else None) for row in rows]


def _line(row: dict[str, Any], subject: dict[str, Any] | None) -> dict[str, Any]:
    noun, _dot, move = row["kind"].partition(".")
    return {
        "key": row["id"],
        "at": row["at"],
        "who": _who(row["by"]),
        "headline": row["headline"] or _of_entry(noun, row) or _headline(noun, move, row, subject),
        "text": row["text"],
        "href": reverse("instruction", args=[subject["instruction_id"]]) if subject else "",
        "kind_name": str(KINDS.get(noun, noun)),
        "corrects": row["corrects"],
    }


def _of_entry(noun: str, row: dict[str, Any]) -> str:
    """What somebody wrote into the log says it by itself, without "added"."""
    text = " ".join((row["text"] or "").split()) if noun == "log" else ""
    return text if len(text) <= HEADLINE else f"{text[: HEADLINE - 1]}…"


def _who(by: dict[str, Any]) -> str:
    department = by.get("department")
    names = [department["short"] if department else "", by.get("person") or ""]
    return " · ".join(name for name in names if name) or _("Muster")


def _headline(noun: str, move: str, row: dict[str, Any], subject: dict[str, Any] | None) -> str:
    if subject is None:
        return str(MOVES.get(move, move.replace("_", " ")))
    name = f"{subject['number']} {subject['headline']}"
    if subject.get("department"):
        name = f"{name} · {subject['department']}"
    if noun == "deadline":
        step = str((row["payload"] or {}).get("step", ""))
        return _("{name}: overdue, {step}").format(name=name, step=STEPS.get(step, step))
    said = str(MOVES.get(move, move.replace("_", " ")))
    if move == "evaluate":
        back = (row["payload"] or {}).get("state") == "in_progress"
        said = _("returned for rework") if back else _("accepted")
    return _("{name}: {said}").format(name=name, said=said)
