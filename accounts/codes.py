"""Does this code prove the second factor, and for the first time?

A code is good for three steps of half a minute. Which step was spent last stands beside the secret, and neither that
one nor an earlier one is good again (RFC 6238, 5.2); the row is locked, so that two guesses cannot spend it twice.
"""

from __future__ import annotations

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.mfa.utils import decrypt

LAST = "last_step"


def spend(person_id: int, code: str) -> bool:
    """Whether ``code`` is a current code or an unused recovery code of this person; it is spent then."""
    kinds = (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES)
    factors = Authenticator.objects.select_for_update(no_key=True).filter(user_id=person_id, type__in=kinds)
    for factor in factors.order_by("-type", "pk"):
        if factor.type == Authenticator.Type.TOTP:
            step = step_of(decrypt(factor.data["secret"]), code)
            fine = step is not None and step > factor.data.get(LAST, 0)
            if fine:
                factor.data[LAST] = step
                factor.save(update_fields=["data"])
        else:
            fine = factor.wrap().validate_code(code)
        if fine:
            factor.record_usage()
            return True
    return False


def step_of(secret: str, code: str) -> int | None:
    """The newest step of time that shows this code now; None where none does."""
    for step in sorted(yield_hotp_counters_from_time(), reverse=True):
        if compare_user_code(actual=code, expected=format_hotp_value(hotp_value(secret, step))):
            return int(step)
    return None
