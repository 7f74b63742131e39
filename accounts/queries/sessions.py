"""Where is a person signed in, with which second factor, and what do they need to sign in?"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db.models import QuerySet

from accounts.models import ApiClient, OpenSession, Person
from coordination.events.kept import Texts

LONGEST_SESSION = timedelta(hours=12)
# what counts as a second factor; recovery codes alone are none
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def sessions_of(person_id: int, at: datetime) -> list[OpenSession]:
    """Sign-ins of a person that still hold, newest first."""
    rows = OpenSession.objects.filter(person_id=person_id, started_at__gt=at - LONGEST_SESSION)
    return list(rows.select_related("department").order_by("-active_at", "-pk"))


def people_signed_in() -> list[int]:
    """Ids of everybody with an open session."""
    return sorted(set(OpenSession.objects.values_list("person_id", flat=True)))


def session_open(session_key: str, at: datetime) -> bool:
    """Whether a sign-in still holds; sockets ask this while they live."""
    rows = OpenSession.objects.filter(session_key=session_key, person__is_active=True)
    return rows.filter(started_at__gt=at - LONGEST_SESSION).exists()


def signed_in_with(session_key: Texts) -> QuerySet[Person]:
    """Whoever signed in with this session; asked along with the session itself."""
    return Person.objects.filter(open_sessions__session_key__in=session_key.given)


def has_factor(person_id: int) -> bool:
    """Whether the person has a second factor (recovery codes alone are none)."""
    there: bool = Authenticator.objects.filter(user_id=person_id, type__in=FACTORS).exists()
    return there


def has_key(person_id: int) -> bool:
    """Whether the person has a security key or passkey."""
    there: bool = Authenticator.objects.filter(user_id=person_id, type=Authenticator.Type.WEBAUTHN).exists()
    return there


def factors_of(person_id: int) -> list[Authenticator]:
    """The person's second factors: the app of codes first, then keys, oldest first."""
    rows = Authenticator.objects.filter(user_id=person_id, type__in=FACTORS)
    return list(rows.order_by("type", "created_at", "pk"))


def factor_required() -> bool:
    """Whether everybody needs a second factor here."""
    return bool(getattr(settings, "MUSTER_REQUIRE_MFA", True))


def recovery_codes_left(person_id: int) -> int:
    """How many unused recovery codes the person has."""
    found = Authenticator.objects.filter(user_id=person_id, type=Authenticator.Type.RECOVERY_CODES).first()
    return len(found.wrap().get_unused_codes()) if found else 0


def clients_of(department_id: int) -> list[ApiClient]:
    """API clients of a department that are not revoked."""
    rows = ApiClient.objects.filter(department_id=department_id, revoked_at=None)
    return list(rows.select_related("application").order_by("name", "pk"))


def client_names(ids: Collection[int]) -> dict[int, str]:
    """Names of API clients by id, revoked ones too; one query."""
    return dict(ApiClient.objects.filter(pk__in=ids).values_list("pk", "name")) if ids else {}
