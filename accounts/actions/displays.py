"""How does a screen on a wall become one of ours, and cease to be?"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.actions.may import lock_department, require_administering, require_administrator
from accounts.models import Display
from accounts.queries.displays import digest
from accounts.queries.people import may_administer
from coordination.events import command, streams
from coordination.events.actor import Actor
from coordination.events.refused import Conflict, Forbidden, Invalid, NotFound, TooSoon

# No letter or digit that looks like another from four metres away.
ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
CODE_LENGTH = 8
CODE_LASTS = timedelta(minutes=10)
# Screens that wait to be paired: anybody can open that page, so there is an end to it. A control room's walls stand
# behind one address, and none may push another's code out.
WAITING_PER_ADDRESS = 20
WAITING_IN_ALL = 200
SETTINGS = ("name", "incident_id", "language", "theme", "seat_distance_m", "screen_width_m")


class NoSuchDisplay(NotFound):
    """There is no such wall."""


class NoSuchCode(NotFound):
    """No screen shows this code now."""

    code = "no_such_code"


class TooManyWaiting(TooSoon):
    """Too many screens wait to be paired."""


class Pairing(NamedTuple):
    """What a screen that asks is told: the code to show until ``expires``, or once its token."""

    code: str
    claim: str
    expires: datetime | None
    token: str


def pairing(*, claim: str, address: str, now: datetime) -> Pairing:
    """Answer a screen without a token. ``claim`` is what it was given before (empty at first).

    Once an administrator has entered the code, the token is handed out exactly once, to the holder of the claim.
    """
    with transaction.atomic():
        known = None
        if claim and len(claim) <= 100:
            rows = Display.objects.select_for_update(no_key=True)
            known = rows.filter(claim_hash=digest(claim), revoked_at=None).first()
        if known is not None and known.department_id is not None:
            return Pairing("", "", None, _give_token(known, address))
        if known is not None and known.pairing_expires and known.pairing_expires > now:
            return Pairing(known.pairing_code, claim, known.pairing_expires, "")
        return _show_code(known, address or None, now)


def _give_token(display: Display, address: str) -> str:
    token = secrets.token_urlsafe(32)
    display.token_hash, display.claim_hash, display.address = digest(token), "", address or None
    display.version += 1
    display.save(update_fields=["token_hash", "claim_hash", "address", "version"])
    return token


def _show_code(known: Display | None, address: str | None, now: datetime) -> Pairing:
    waiting = Display.objects.filter(department=None, token_hash="")
    waiting.filter(pairing_expires__lte=now - CODE_LASTS).exclude(pk=known.pk if known else 0).delete()
    if known is None:
        same = list(waiting.filter(address=address).order_by("pk").values_list("pk", flat=True))
        if len(same) >= WAITING_PER_ADDRESS:
            Display.objects.filter(pk__in=same[: len(same) - WAITING_PER_ADDRESS + 1]).delete()
        if waiting.count() >= WAITING_IN_ALL:
            raise TooManyWaiting(_("Too many screens wait to be paired. Try again later."), retry_after=600)
    row = known or Display(address=address)
    claim = secrets.token_urlsafe(32)
    row.pairing_code = "".join(secrets.choice(ALPHABET) for _n in range(CODE_LENGTH))
    row.pairing_expires, row.claim_hash = now + CODE_LASTS, digest(claim)
    row.save()
    return Pairing(row.pairing_code, claim, row.pairing_expires, "")


@command.action("display.pair")
def pair_display(
    *, actor: Actor, now: datetime, code: str, department_id: int, name: str, **options: Any
) -> Display:
    """Make the screen that shows ``code`` a wall of the department; options: `SETTINGS`."""
    department = lock_department(department_id)
    require_administrator(actor, department.pk)
    wanted = code.strip().upper().replace("-", "").replace(" ", "")
    row = (
        Display.objects.select_for_update(no_key=True)
        .filter(pairing_code=wanted, pairing_expires__gt=now, department=None, revoked_at=None)
        .first()
        if wanted
        else None
    )
    if row is None:
        raise NoSuchCode(_("No screen shows this code now. Read it again from the screen."))
    _set(row, name=name, **options)
    row.department, row.pairing_code, row.pairing_expires = department, "", None
    row.save()
    command.record(type="display.paired", subject=row, streams=[streams.department(department.pk)])
    return row


@command.action("display.create")
def create_display(
    *,
    actor: Actor,
    now: datetime,
    department_id: int,
    name: str,
    address: str | None = None,
    **options: Any,
) -> tuple[Display, str]:
    """Make a wall directly; returns it and its token, shown this once. Without an address only the platform may."""
    department = lock_department(department_id)
    require_administrator(actor, department.pk)
    if address is None and actor.kind != "system":
        raise Forbidden(_("A wall's token is bound to its address."), right="org_admin")
    token = secrets.token_urlsafe(32)
    row = Display(department=department, token_hash=digest(token), address=address)
    _set(row, name=name, **options)
    row.save()
    command.record(type="display.paired", subject=row, streams=[streams.department(department.pk)])
    return row, token


@command.action("display.set")
def set_display(*, actor: Actor, now: datetime, display_id: int, **options: Any) -> Display:
    """Change what a wall shows and how: `SETTINGS`."""
    row = _lock(actor, display_id)
    _set(row, **options)
    row.version += 1
    row.save()
    command.record(type="display.changed", subject=row, streams=[streams.department(row.department_id or 0)])
    return row


@command.action("display.revoke")
def revoke_display(*, actor: Actor, now: datetime, display_id: int) -> Display:
    """Take a wall's token away: its next request shows nothing."""
    row = _lock(actor, display_id)
    if row.revoked_at is not None:
        raise Conflict(_("This wall was revoked already."), code="already_revoked")
    row.revoked_at, row.token_hash, row.claim_hash = now, "", ""
    row.version += 1
    row.save(update_fields=["revoked_at", "token_hash", "claim_hash", "version"])
    command.record(type="display.revoked", subject=row, streams=[streams.department(row.department_id or 0)])
    return row


def display_seen(*, display_id: int, now: datetime) -> None:
    """Note that a wall is alive, at most once a minute."""
    stale = now - timedelta(minutes=1)
    rows = Display.objects.filter(pk=display_id, revoked_at=None)
    rows.exclude(last_seen__gt=stale).update(last_seen=now)


def _lock(actor: Actor, display_id: int) -> Display:
    """A wall that the actor administers; those of others are absent."""
    require_administering(actor)
    row = Display.objects.select_for_update(no_key=True).filter(pk=display_id).exclude(department=None).first()
    if row is None or not may_administer(actor, row.department_id or 0):
        raise NoSuchDisplay(_("There is no such wall."))
    return row


def _set(row: Display, **options: Any) -> None:
    wrong = [{"pointer": f"/{name}", "code": "unknown"} for name in sorted(set(options) - set(SETTINGS))]
    if "name" in options and not str(options["name"]).strip():
        wrong.append({"pointer": "/name", "code": "required"})
    if options.get("language", "en") not in ("zh-hans", "en"):
        wrong.append({"pointer": "/language", "code": "unknown"})
    if options.get("theme", "dark") not in ("dark", "light"):
        wrong.append({"pointer": "/theme", "code": "unknown"})
    for name, least, most in (("seat_distance_m", 0.5, 60), ("screen_width_m", 0.2, 40)):
        if name in options and not least <= float(options[name]) <= most:
            wrong.append({"pointer": f"/{name}", "code": "out_of_range"})
    if wrong:
        raise Invalid(_("These settings of the wall are not possible."), errors=wrong)
    for name, value in options.items():
        setattr(row, name, value)
