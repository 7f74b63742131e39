"""How is another agency's system told? By a signed POST as Standard Webhooks has it (id, timestamp, signature)."""

from __future__ import annotations

import hashlib

import orjson
from standardwebhooks import Webhook

from coordination.notify import outbound
from coordination.notify.channels.base import Answer, Letter

RESEND_UNKNOWN = True


def is_set_up() -> bool:
    """Always: whether there is an endpoint is a row."""
    return True


def send(letter: Letter) -> Answer:
    """POST the payload; the message id is the same for each attempt, so that the receiver handles it once."""
    message_id = f"msg_{hashlib.sha256(letter.key.encode()).hexdigest()[:32]}"
    body = orjson.dumps({"type": letter.payload.get("type"), "timestamp": letter.at, "data": letter.payload})
    try:
        signature = Webhook(letter.secret).sign(message_id, letter.at, body.decode())
    except (ValueError, RuntimeError) as error:
        return Answer("refused", error=f"secret cannot sign: {type(error).__name__}")
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(letter.at.timestamp())),
        "webhook-signature": signature,
    }
    if letter.request_id:
        headers["X-Request-ID"] = letter.request_id
    try:
        reply = outbound.post(letter.address, body, headers=headers)
    except outbound.RefusedAddressError as error:
        return Answer("refused", error=str(error)[:300])
    except outbound.UnreachableError as error:
        return Answer("failed", error=f"unreachable: {error}"[:300])
    except outbound.TooMuchError as error:
        return Answer("failed", error=str(error)[:300])
    except outbound.NoAnswerError as error:
        return Answer("unknown", message_id, f"no answer: {error}"[:300])
    if reply.status == 410:
        return Answer("refused", error="the endpoint is gone (410)")
    return Answer("sent", message_id) if reply.good else Answer("failed", error=f"answered {reply.status}")


def ask(letter: Letter, reference: str) -> Answer:
    """Receivers are not asked: sending again with the same id is safe."""
    return Answer("unknown", reference)
