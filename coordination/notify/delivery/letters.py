"""What exactly goes over the wire for a parcel?"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from coordination.events import queries as events
from coordination.notify import texts, urgency
from coordination.notify.channels import Letter
from coordination.notify.delivery.claim import Parcel
from coordination.notify.models import Delivery
from coordination.notify.routes import Contact


def letter(parcel: Parcel, now: datetime) -> Letter:
    """The letter of one message, or of a bundle; in the language of the person who gets it."""
    first = parcel.deliveries[0]
    if parcel.channel == "webhook":
        return _for_system(first, now)
    person = first.person
    contact = Contact(person.pk, person.phone, person.email, person.language) if person else Contact(0)
    language = contact.language or texts.DEFAULT_LANGUAGE
    lines = _lines(first, language)
    subject = lines[0]
    if len(parcel.deliveries) > 1:
        texts_of_all = [texts.render(row.text_key, row.args, language) for row in parcel.deliveries]
        subject = texts.render("bundle", {"count": len(texts_of_all), "first": texts_of_all[0]}, language)
        lines = [subject, *texts_of_all]
    return Letter(
        key=key(parcel),
        address=contact.address(parcel.channel),
        subject=subject,
        lines=lines,
        urgency=urgency.name(first.urgency),
        at=now,
        language=language,
        repeat=first.repeated,
        bundle=len(parcel.deliveries) > 1,
    )


def key(parcel: Parcel) -> str:
    """Stable over the attempts of the same parcel."""
    if len(parcel.deliveries) == 1:
        return parcel.deliveries[0].dedupe_key
    ids = ",".join(str(row.pk) for row in sorted(parcel.deliveries, key=lambda row: row.pk))
    return f"bundle:{hashlib.sha256(ids.encode()).hexdigest()}"


def _lines(row: Delivery, language: str) -> list[str]:
    lines = [texts.render(row.text_key, row.args, language)]
    with translation.override(language):
        if row.args.get("voice_code"):
            lines.append(_("Code for the telephone: %(code)s") % {"code": row.args["voice_code"]})
    base = getattr(settings, "MUSTER_PUBLIC_URL", "")
    if base and row.args.get("path"):
        lines.append(f"{base.rstrip('/')}{row.args['path']}")
    return lines


def _for_system(row: Delivery, now: datetime) -> Letter:
    """Ids and codes: the system reads the rest through the API, with its own rights."""
    endpoint = row.endpoint
    payload: dict[str, Any] = {
        "type": row.text_key,
        "object": {"type": row.object_type, "id": row.object_id},
        "incident": row.incident_id,
        "department": row.department_id,
        "urgency": urgency.name(row.urgency),
        "created_at": row.created_at,
    }
    if row.text_key == texts.WITHHELD:  # which object it is would say too much already
        payload |= {"object": None, "incident": None}
    return Letter(
        key=row.dedupe_key,
        address=endpoint.url if endpoint else "",
        subject=row.text_key,
        lines=[],
        urgency=urgency.name(row.urgency),
        at=now,
        secret=endpoint.secret if endpoint else "",
        request_id=events.request_id_of(row.event_id),
        payload=payload,
    )
