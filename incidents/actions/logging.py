"""What is written into an incident's log?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from coordination.events import streams
from coordination.events.actor import Actor
from coordination.events.command import action, record
from coordination.events.words import words_of
from incidents.actions import acting
from incidents.actions.attaching import hang_on
from incidents.entered import Entered
from incidents.models import Incident, LogEntry
from sharing import access

CLASSES = (1, 2, 3, 4)


@action("log.add")
def add_log(
    *,
    actor: Actor,
    now: datetime,
    incident_id: int,
    text: str,
    kind: str = "note",
    headline_zh: str = "",
    headline_en: str = "",
    happened_at: datetime | None = None,
    corrects_id: int | None = None,
    classification: int = 2,
    attachment_ids: Sequence[int] = (),
) -> LogEntry:
    """Write one line into the log, for good: a mistake is corrected by a later line that names it (``corrects_id``).

    ``kind``: code of ``log_kind``; ``classification`` 1 to 4, at most what the writer may read; the headline is for
    walls and phones.
    """
    incident = access.get(actor, Incident, incident_id, now=now)
    decision = access.require(actor, "log", incident, at=now)
    entered = Entered()
    entered.choice("classification", classification, CLASSES)
    if not entered.errors and classification > max(decision.max_class, 2):
        entered.fault("classification", "too_high", _("Higher than you may read yourself."))
    headlines = entered.headlines(headline_zh, headline_en)
    content = entered.text("text", text, 5_000, needed=True)
    happened = entered.moment("happened_at", happened_at, not_after=now)
    named = entered.code("kind", "log_kind", kind)
    corrected = _corrected(entered, actor, incident, corrects_id, now)
    entered.done()
    acting.check_act(incident, "add_log")
    entry: LogEntry = LogEntry.everything.create(
        incident=incident, kind="correction" if corrected else named, text=content, headline_zh=headlines[0],
        headline_en=headlines[1], department_id=actor.department_id, person_id=actor.id if actor.is_person else None,
        corrects=corrected, classification=classification, at=now, happened_at=happened,
        words=words_of(*headlines, content),
    )
    hang_on(actor, attachment_ids, entry, incident=incident, readers=[], now=now)
    record(
        type="log.added", subject=entry, incident_id=incident.pk, exercise=incident.exercise,
        payload={"kind": entry.kind, "corrects": corrected.pk if corrected else None, "class": classification},
        streams=[
            streams.incident(incident.pk),
            *([streams.department(actor.department_id)] if actor.department_id is not None else []),
        ],
    )
    return entry


def _corrected(
    entered: Entered, actor: Actor, incident: Incident, corrects_id: int | None, now: datetime
) -> LogEntry | None:
    """The line that is corrected: one the actor sees, of the same incident or one merged into it."""
    if corrects_id is None:
        return None
    rows = access.scope(actor, LogEntry, at=now).filter(incident_id__in=acting.family_ids(incident.pk))
    found: LogEntry | None = rows.filter(pk=corrects_id).first()
    if found is None:
        entered.fault("corrects", "unknown", _("There is no such line in this log."))
    return found
