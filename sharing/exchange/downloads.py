"""How do records leave as a file, and how does that end when what opened them is taken back?

Records are read in short turns of 500, by id, as the newest transfer had left them when the download began. Before each
turn it is asked anew who may see what; each piece has left before the next is made. Where less is open than at the
beginning, the file ends there, whole as a file, and says why.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import Error as DatabaseError
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import queries as accounts
from coordination.events import clock, reads
from coordination.events.actor import Actor
from coordination.events.refused import Forbidden, Invalid, NotFound, Refused
from coordination.events.tracing import request_id, under
from sharing.catalogue import queries
from sharing.exchange import actions
from sharing.exchange.formats import FORMATS
from sharing.exchange.formats.sheet import End, Format, Head

TURN = 500
"""Records that are read at a time, and leave before it is asked anew whether more may."""
AT_ONCE = 4
"""Downloads of one process: each holds a thread as long as its reader takes."""
_free = threading.BoundedSemaphore(AT_ONCE)
_log = logging.getLogger("muster.exchange")
Pace = Callable[[], bool]


class NotInBulk(Forbidden):
    """These records may be looked at, but do not leave as a file."""

    code = "not_in_bulk"


class NoPlace(Invalid):
    """No field that is open says where a record is."""

    code = "no_place"


class PurposeNeeded(Invalid):
    """Whoever takes classified records away says what for."""

    code = "purpose_needed"


class TooManyDownloads(Refused):
    """So many downloads run at once already."""

    status = 503
    code = "busy"


WHY = {
    "withdrawn": gettext_lazy("What opened these records to you was changed or taken back while the download ran."),
    "post": gettext_lazy("You no longer hold a post in the department for which the download began."),
    "broken": gettext_lazy("The records could not be read on. Start the download again."),
    "full": gettext_lazy("A file of this format holds no more rows. Choose another format or narrow the records down."),
    "left": gettext_lazy("The reader left."),
}


class Download:
    """The bytes of one file, each piece made when the one before it has left. Closed by whoever serves it."""

    def __init__(
        self, opened: queries.Opened, form: Format, where: Mapping[str, Any] | None, purpose: str, head: Head
    ) -> None:
        self.opened, self.form, self.where, self.purpose, self.head = opened, form, where, purpose, head
        self.language = translation.get_language() or "en"
        self.request_id = request_id.get()
        self.end = End()
        self.pace: Pace | None = None
        self._digest, self._size = hashlib.sha256(), 0
        self._over = False
        self._place = weakref.finalize(self, _free.release)  # once, whoever forgets to close it
        self._pieces = self._run()

    @property
    def name(self) -> str:
        """What the file is called."""
        return f"{self.opened.dataset.code}.{self.form.suffix}"

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._pieces)

    def close(self) -> None:
        """Whoever served it is done with it: what has not left by now never will."""
        self._pieces.close()
        self._finish("left")

    def _run(self) -> Iterator[bytes]:
        for piece in self.form.write(self.head, self._turns(), self.end):
            if not piece:
                continue
            self._digest.update(piece)
            self._size += len(piece)
            yield piece
            if self.pace is not None and not self.pace():
                return
        self._finish()

    def _turns(self) -> Iterator[Sequence[Mapping[str, Any]]]:
        after = 0
        while True:
            why, rows = self._turn(after)
            if not why and rows and self.form.most is not None and self.end.rows + len(rows) > self.form.most:
                why = "full"
            if why or not rows:
                return self._said(why)
            self.end.rows += len(rows)
            after = rows[-1]["id"]
            yield rows

    def _turn(self, after: int) -> tuple[str, Sequence[Mapping[str, Any]]]:
        """Why nothing more may leave (empty: it may), and the next records."""
        try:
            now = clock.now()
            why = _why_not(self.opened, self.purpose, now)
            return (why, []) if why else ("", queries.batch(self.opened, where=self.where, after=after, size=TURN))
        except DatabaseError:
            _log.exception("a download could not read on")
            return "broken", []

    def _said(self, why: str) -> None:
        self.end.complete, self.end.why = not why, ""
        with translation.override(self.language):
            done = _("Complete: %(n)d records.") % {"n": self.end.rows}
            ended = _("Ended after %(n)d records, not complete. %(why)s")
            self.end.why = str(WHY[why]) if why else ""
            self.end.words = ended % {"n": self.end.rows, "why": WHY[why]} if why else done
        self.reason = why

    reason = ""

    def _finish(self, why: str = "") -> None:
        if self._over:
            return
        self._over = True
        self._place()
        reason = why or self.reason
        try:
            with under([self.request_id]):
                actions.exported(
                    actor=self.opened.actor, now=clock.now(), dataset=self.opened.dataset, format=self.form.name,
                    rows=self.end.rows, size=self._size, sha256=self._digest.hexdigest(), complete=not reason,
                    why=reason, purpose=self.purpose, grants=list(self.opened.held.grant_ids),
                    filter_sha256=_digest_of(self.where),
                )
        except (DatabaseError, Refused):
            _log.exception("the end of a download could not be recorded")


def begin(
    *, actor: Actor, now: datetime, dataset_id: int, format: str, where: Mapping[str, Any] | None = None,
    purpose: str = "",
) -> Download:
    """Begin to hand out records that are open to the actor, as a file. What is refused is refused here.

    404 hidden; 403 not opened, to a wall, of class 4, or by a broken glass alone; 422 a format, filter or purpose that
    cannot be. That it begins is kept as a read before a byte leaves, how it ended as the event ``records.exported``.
    """
    form = FORMATS.get(format)
    if form is None:
        raise _invalid(Invalid, "/format", "not_a_choice", _("This is none of the possible values."))
    opened = queries.opened(actor=actor, now=now, dataset_id=dataset_id, purpose=purpose, bulk=True)
    dataset = opened.dataset
    if actor.kind == "display" or dataset.classification >= 4:
        raise NotInBulk(_("These records may not leave as a file."), right="view")
    if opened.restricted and not purpose:
        raise _invalid(PurposeNeeded, "/purpose", "required", _("Say what you need these records for."))
    if form.places and not opened.place:
        raise _invalid(NoPlace, "/format", "no_place", _("No field that is open to you says where a record is."))
    opened.rows(where)  # refused now, not in the middle
    last = queries.last_transfer(dataset) or 0
    reads.note(actor, "records_export", "datasets", [dataset.pk], purpose=purpose, grants=opened.held.grant_ids)
    pinned = replace(opened, as_of=last)
    head = _head(pinned, where, purpose, now)  # before a place is taken: what fails here would keep it for ever
    if not _free.acquire(blocking=False):
        raise TooManyDownloads(_("Many downloads run at once. Try again in a minute."), retry_after=30)
    return Download(pinned, form, where, purpose, head)


def _why_not(opened: queries.Opened, purpose: str, now: datetime) -> str:
    """Why less is open than when it began; empty where all of it still is."""
    actor = opened.actor
    if actor.kind == "person":
        found = accounts.actor_of_person(actor.id or 0, actor.department_id or 0, now)
        if found is None:
            return "post"
        actor = found
    if actor.kind == "client" and all(one.pk != actor.id for one in accounts.clients_of(actor.department_id or 0)):
        return "post"
    try:
        here = queries.opened(actor=actor, now=now, dataset_id=opened.dataset.pk, purpose=purpose, bulk=True)
    except (Forbidden, NotFound):
        return "withdrawn"
    shut = here.dataset.classification >= 4 or not here.held.covers(opened.held)
    raised = any(here.classes.get(name, level + 1) > level for name, level in opened.classes.items())
    return "withdrawn" if shut or raised else ""


def _head(opened: queries.Opened, where: Mapping[str, Any] | None, purpose: str, now: datetime) -> Head:
    dataset, actor = opened.dataset, opened.actor
    homes = accounts.departments_by_id([one for one in (actor.department_id, dataset.department_id) if one])
    recipient = homes[actor.department_id].name if actor.department_id in homes else "Muster"
    masked = [one["name"] for one in opened.columns() if one["rule"] not in ("full", "absent")]
    at = now.astimezone(ZoneInfo(settings.TIME_ZONE)).isoformat(timespec="seconds")
    about = {
        "dataset": (_("Dataset"), f"{dataset.code} · {dataset.title}"),
        "kept_by": (_("Kept by"), homes[dataset.department_id].name),
        "recipient": (_("Handed to"), f"{recipient} · {actor.post or actor.kind}"),
        "purpose": (_("Purpose"), purpose or "–"),
        "grants": (_("By grants"), ", ".join(map(str, opened.held.grant_ids))),
        "as_of": (_("As of"), f"{at} · {_('transfer %(n)d') % {'n': opened.as_of or 0}}"),
        "filter": (_("Narrowed by"), json.dumps(where, ensure_ascii=False) if where else "–"),
        "masked": (_("Shown in part only"), ", ".join(masked) or "–"),
    }
    about = {key: (str(label), value) for key, (label, value) in about.items()}
    return Head(about, [one["name"] for one in opened.fields if one["name"] in opened.rules], opened.place)


def _digest_of(where: Mapping[str, Any] | None) -> str:
    return hashlib.sha256(json.dumps(where, sort_keys=True).encode()).hexdigest() if where else ""


def _invalid(kind: type[Invalid], pointer: str, code: str, detail: Any) -> Invalid:
    return kind(detail, errors=[{"pointer": pointer, "code": code, "detail": detail}])
