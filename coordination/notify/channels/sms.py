"""How does a message go out as SMS? By a plain HTTP gateway: POST a JSON message, ask for its state by reference.

``MUSTER_SMS_URL`` names the gateway (``MUSTER_SMS_TOKEN`` its bearer token): ``POST <url>`` with ``{"id", "to",
"text"}`` answers 2xx with ``{"reference"}``; ``GET <url>/<id>`` answers ``{"state": "accepted"|"sent"|"failed"}`` or
404 when it never got the message. The id is stable over retries, so that a gateway that knows it sends once.
"""

from __future__ import annotations

import hashlib
from urllib.parse import quote

from django.conf import settings

from coordination.notify import outbound
from coordination.notify.channels.base import Answer, Letter

RESEND_UNKNOWN = False
#: what fits into three parts of a long message
LONGEST = 200


def is_set_up() -> bool:
    """Whether a gateway is named."""
    return bool(getattr(settings, "MUSTER_SMS_URL", ""))


def send(letter: Letter) -> Answer:
    """Hand one message to the gateway."""
    text = letter.subject if letter.bundle else " ".join(letter.lines)
    if letter.repeat:
        text = f"[2] {text}"
    body = {"id": _id(letter), "to": letter.address, "text": text[:LONGEST]}
    try:
        reply = outbound.post_json(settings.MUSTER_SMS_URL, body, headers=_headers(), trusted=True)
    except outbound.RefusedAddressError as error:
        return Answer("failed", error=str(error)[:300])
    except outbound.UnreachableError as error:
        return Answer("failed", error=f"gateway unreachable: {error}"[:300])
    except outbound.OutboundError as error:
        return Answer("unknown", _id(letter), f"no answer: {error}"[:300])
    if reply.status in (400, 404, 413, 422):
        return Answer("refused", error=f"gateway answered {reply.status}")
    if not reply.good:
        return Answer("failed", error=f"gateway answered {reply.status}")
    return Answer("sent", str(reply.json().get("reference") or _id(letter))[:120])


def ask(letter: Letter, reference: str) -> Answer:
    """Ask the gateway whether it has the message."""
    try:
        url = f"{settings.MUSTER_SMS_URL.rstrip('/')}/{quote(_id(letter), safe='')}"
        reply = outbound.get_json(url, headers=_headers(), trusted=True)
    except (outbound.OutboundError, outbound.RefusedAddressError) as error:
        return Answer("unknown", reference, f"no answer: {error}"[:300])
    if reply.status == 404:
        return Answer("failed", error="the gateway never got it")
    state = str(reply.json().get("state", ""))
    if reply.good and state in ("accepted", "sent"):
        return Answer("sent", reference)
    if state == "failed":
        return Answer("failed", error="the gateway could not send it")
    return Answer("unknown", reference)


def _id(letter: Letter) -> str:
    key = f"{letter.key}:repeat" if letter.repeat else letter.key
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def _headers() -> dict[str, str]:
    token = getattr(settings, "MUSTER_SMS_TOKEN", "")
    return {"Authorization": f"Bearer {token}"} if token else {}
