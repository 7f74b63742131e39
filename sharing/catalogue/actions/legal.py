"""How does a legal basis come into the catalogue?"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from coordination.events import streams
from coordination.events.actor import Actor
from coordination.events.command import action, record
from coordination.events.refused import Conflict
from sharing import access
from sharing.catalogue.entered import Entered
from sharing.catalogue.models import LegalBasis

_WEB = re.compile(r"https?://[^\s<>\"']{3,}", re.ASCII)


class AlreadyThere(Conflict):
    """This article of this instrument is there already, in force from the same day."""

    code = "already_there"


@action("legal_basis.add")
def add_legal_basis(
    *,
    actor: Actor,
    now: datetime,
    instrument_zh: str,
    in_force_from: date,
    instrument_en: str = "",
    article: str = "",
    url: str = "",
    in_force_to: date | None = None,
) -> LegalBasis:
    """Enter one article of one instrument (law, regulation, measure), in force from–to (to exclusive)."""
    access.require(actor, "steward")
    values = checked(
        Entered(), instrument_zh=instrument_zh, instrument_en=instrument_en, article=article, url=url,
        in_force_from=in_force_from, in_force_to=in_force_to,
    )
    return made(actor, values)


def made(actor: Actor, values: dict[str, Any]) -> LegalBasis:
    """Keep and record one that was checked."""
    row = LegalBasis(**values, department_id=actor.department_id)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        raise AlreadyThere(
            _("This article is there already."),
            errors=[{"pointer": "/article", "code": "already_there", "detail": _("This article is there already.")}],
        ) from None
    home = streams.department(actor.department_id) if actor.department_id is not None else streams.SYSTEM
    record(type="legal_basis.added", subject=row, streams=[home])
    return row


def checked(entered: Entered, **raw: Any) -> dict[str, Any]:
    """The values as they may be kept; refuses with every fault (422)."""
    begins, ends = raw["in_force_from"], raw["in_force_to"]
    values = {
        "instrument_zh": entered.text("instrument_zh", raw["instrument_zh"], 200, needed=True),
        "instrument_en": entered.text("instrument_en", raw["instrument_en"], 200),
        "article": entered.text("article", raw["article"], 80),
        "url": entered.text("url", raw["url"], 500),
        "in_force_from": begins,
        "in_force_to": ends,
    }
    if values["url"] and not _WEB.fullmatch(values["url"]):
        entered.fault("url", "not_an_address", _("An address that begins with http:// or https://."))
    for name, day in (("in_force_from", begins), ("in_force_to", ends)):
        if day is None and name == "in_force_to":
            continue
        if not isinstance(day, date) or isinstance(day, datetime) or not 1900 <= day.year < 2100:
            entered.fault(name, "not_a_day", _("A day of the years 1900 to 2099."))
    if not entered.errors and ends is not None and ends <= begins:
        entered.fault("in_force_to", "out_of_range", _("The end must come after the beginning."))
    entered.done()
    return values
