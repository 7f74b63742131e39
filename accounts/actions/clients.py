"""How does another agency's system get its key, and lose it?"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime

from django.utils.translation import gettext_lazy as _
from oauth2_provider.models import get_access_token_model, get_application_model

from accounts.actions.may import lock_department, require_administering, require_administrator
from accounts.models import ApiClient
from accounts.queries.people import may_administer
from coordination.events import command, streams
from coordination.events.actor import Actor
from coordination.events.refused import Conflict, Invalid, NotFound

# ``read``/``write`` reach every resource the department's grants do; ``<resource>:read|write`` one of them.
RESOURCES = (
    "departments",
    "duty",
    "responsibilities",
    "codes",
    "datasets",
    "records",
    "incidents",
    "participations",
    "log",
    "reports",
    "attachments",
    "instructions",
    "assignments",
    "asks",
    "notices",
    "streams",
    "search",
)
SCOPES = frozenset({"read", "write"} | {f"{name}:{verb}" for name in RESOURCES for verb in ("read", "write")})


class NoSuchClient(NotFound):
    """There is no such API client."""


class AlreadyRevoked(Conflict):
    """The client's key was taken away before."""

    code = "already_revoked"


def _lock(actor: Actor, client_id: int) -> ApiClient:
    """A client that the actor administers; those of others are absent."""
    require_administering(actor)
    rows = ApiClient.objects.select_for_update(no_key=True, of=("self",)).select_related("application")
    client = rows.filter(pk=client_id).first()
    if client is None or not may_administer(actor, client.department_id):
        raise NoSuchClient(_("There is no such client."))
    return client


@command.action("client.create")
def create_client(
    *,
    actor: Actor,
    now: datetime,
    department_id: int,
    name: str,
    scopes: Collection[str] = ("read", "write"),
) -> tuple[ApiClient, str]:
    """Make an OAuth2 client (client credentials only) of a department. Returns it and its secret.

    The secret is shown this once; what is stored is its hash. A repeated command id returns None: the secret is
    gone, and a new client must be made.
    """
    department = lock_department(department_id)
    require_administrator(actor, department.pk)
    unknown = sorted(set(scopes) - SCOPES)
    if unknown or not scopes or not name.strip():
        raise Invalid(
            _("A client needs a name and known scopes."),
            errors=[{"pointer": "/scopes", "code": "unknown", "detail": one} for one in unknown],
        )
    application_model = get_application_model()
    secret = secrets.token_urlsafe(32)
    application = application_model.objects.create(
        name=f"{department.code}: {name}"[:255],
        client_id=secrets.token_urlsafe(18),
        client_secret=secret,
        hash_client_secret=True,
        client_type=application_model.CLIENT_CONFIDENTIAL,
        authorization_grant_type=application_model.GRANT_CLIENT_CREDENTIALS,
    )
    client = ApiClient.objects.create(
        department=department, application=application, name=name.strip()[:80], scopes=sorted(set(scopes))
    )
    command.record(
        type="client.created",
        subject=client,
        streams=[streams.department(department.pk)],
        payload={"scopes": client.scopes},
    )
    return client, secret


@command.action("client.rotate")
def rotate_client(*, actor: Actor, now: datetime, client_id: int) -> tuple[ApiClient, str]:
    """Make a successor with the same name and scopes. Both keys hold until the old client is revoked."""
    old = _lock(actor, client_id)
    if old.revoked_at is not None:
        raise AlreadyRevoked(_("This client was revoked already."))
    return create_client(
        actor=actor, now=now, department_id=old.department_id, name=old.name, scopes=old.scopes
    )


@command.action("client.revoke")
def revoke_client(*, actor: Actor, now: datetime, client_id: int) -> ApiClient:
    """Take a client's key away: its tokens end at once and it gets no new ones."""
    client = _lock(actor, client_id)
    if client.revoked_at is not None:
        raise AlreadyRevoked(_("This client was revoked already."))
    client.revoked_at = now
    client.save(update_fields=["revoked_at"])
    get_access_token_model().objects.filter(application=client.application).delete()
    # nobody knows this secret: the application stays for the record and can never sign in again
    client.application.client_secret = secrets.token_urlsafe(48)
    client.application.save()
    command.record(type="client.revoked", subject=client, streams=[streams.department(client.department_id)])
    return client
