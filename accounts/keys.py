"""Does this answer of a security key or passkey prove what was asked?

The asking (a challenge) waits in the session and is good once. What devices send is untrusted until the library has
checked type, challenge, origin, site, signature; beside that a key's own counter must never run backwards (a copy).
"""

from __future__ import annotations

import json
from typing import Any

import orjson
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth
from django.core.exceptions import ValidationError
from fido2.webauthn import AuthenticationResponse

from accounts.models import Person

COUNT = "sign_count"
LONGEST = 20_000
# what decoding foreign bytes may end with
_BROKEN = (
    ValidationError, ValueError, TypeError, KeyError, AttributeError, IndexError, AssertionError, OverflowError,
    RecursionError,
)  # fmt: skip


def offer_new(person: Person) -> str:
    """What a browser needs to make a new key for this person, as JSON; its challenge waits in the session."""
    return json.dumps(auth.begin_registration(person, passwordless=False)["publicKey"], default=dict)


def ask(person: Person) -> str:
    """What a browser needs to prove one of the person's keys, as JSON; its challenge waits in the session."""
    return json.dumps(auth.begin_authentication(person)["publicKey"], default=dict)


def made(sent: str) -> dict[str, Any] | None:
    """The new key that ``sent`` (JSON of the browser) holds; None where it proves nothing. Spends the challenge."""
    try:
        credential = _object(sent)
        auth.parse_registration_response(credential)
        auth.complete_registration(credential)
    except _BROKEN:
        return None
    finally:
        auth.clear_state()
    return credential


def known(credential: dict[str, Any]) -> bool:
    """Whether somebody has this key already."""
    return Authenticator.objects.filter(
        type=Authenticator.Type.WEBAUTHN, data__credential__id=str(credential.get("id", ""))
    ).exists()


def prove(person: Person, sent: str) -> bool:
    """Whether ``sent`` proves a key of this person now. The challenge is spent either way; the row is locked."""
    try:
        answer = _object(sent)
        list(Authenticator.objects.select_for_update(no_key=True).filter(user_id=person.pk).order_by("pk"))
        found = auth.complete_authentication(person, answer)
        count = AuthenticationResponse.from_dict(answer).response.authenticator_data.counter
    except _BROKEN:
        return False
    finally:
        auth.clear_state()
    before = int(found.data.get(COUNT, 0))
    if (count or before) and count <= before:
        return False
    found.data[COUNT] = count
    found.save(update_fields=["data"])
    found.record_usage()
    return True


def _object(sent: str) -> dict[str, Any]:
    if len(sent) > LONGEST:
        raise ValueError("too long")
    found = orjson.loads(sent)
    if not isinstance(found, dict) or not isinstance(found.get("response"), dict):
        raise TypeError("not an answer of a key")
    return found
