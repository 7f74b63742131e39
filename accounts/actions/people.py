"""How do people come in, choose a password, change what they see, and go?"""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.encoding import force_bytes, force_str
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode
from django.utils.translation import gettext_lazy as _

from accounts.actions.may import lock_department, require_administering, require_administrator
from accounts.actions.posts import lock_person, require_their_administrator
from accounts.actions.signing import end_sessions_of
from accounts.models import Membership, Person
from accounts.queries.people import valid
from coordination.events import command, streams
from coordination.events.actor import Actor
from coordination.events.refused import Conflict, Forbidden, Invalid, NotFound

LANGUAGES = ("zh-hans", "en")
PREFERENCES = ("language", "theme", "compact", "keys_off")


class UsernameTaken(Conflict):
    """Somebody has this user name."""

    code = "username_taken"


class WeakPassword(Invalid):
    """The password is too short or too common; ``errors`` say why."""

    code = "weak_password"


class LinkOver(NotFound):
    """The link was used already or is too old."""

    code = "link_over"


class _Links(PasswordResetTokenGenerator):
    """Links that hold for an hour and until the password changes."""

    key_salt = "muster.accounts.people"


_links = _Links()


@command.action("person.add")
def add_person(
    *,
    actor: Actor,
    now: datetime,
    department_id: int,
    username: str,
    name_zh: str,
    name_en: str,
    email: str = "",
    phone: str = "",
    language: str = "",
) -> Person:
    """Add a person who cannot sign in yet: they choose a password by a link (`link_for`). No default password."""
    department = lock_department(department_id)
    require_administrator(actor, department.pk)
    made = Person(
        username=username, name_zh=name_zh, name_en=name_en, email=email, phone=phone, language=language
    )
    made.set_unusable_password()
    try:
        made.clean_fields(exclude=["password"])
        with transaction.atomic():
            made.save()
    except ValidationError as error:
        wrong = [{"pointer": f"/{name}", "code": "invalid"} for name in error.message_dict]
        raise Invalid(_("Some of this person's data cannot be right."), errors=wrong) from None
    except IntegrityError:
        raise UsernameTaken(_("Somebody has this user name."), errors=[{"pointer": "/username"}]) from None
    command.record(type="person.added", subject=made, streams=[streams.department(department.pk)])
    return made


def link_for(*, actor: Actor, now: datetime, person_id: int) -> str:
    """``<id>/<token>`` of a link by which the person chooses a (new) password once, within the hour."""
    person = Person.objects.filter(pk=person_id, is_active=True).first()
    if person is None:
        raise NotFound(_("There is no such person."))
    if actor.is_person and actor.id == person.pk:
        raise Forbidden(_("Somebody else must make this link for you."), right="org_admin")
    require_their_administrator(actor, person, now)
    return f"{urlsafe_base64_encode(force_bytes(person.pk))}/{_links.make_token(person)}"


def person_of_link(uid: str, token: str) -> Person:
    """Whose link this is; `LinkOver` (404) when it holds no longer."""
    try:
        person = Person.objects.filter(pk=int(force_str(urlsafe_base64_decode(uid))), is_active=True).first()
    except (ValueError, TypeError, OverflowError):
        person = None
    if person is None or not _links.check_token(person, token):
        raise LinkOver(_("This link was used already or is too old. Ask for a new one."))
    return person


@command.action("person.set_password")
def set_password(*, actor: Actor, now: datetime, uid: str, token: str, password: str) -> Person:
    """Choose a password by a link. Ends every session; a second factor stays as it is."""
    person = lock_person(person_of_link(uid, token).pk)
    if not _links.check_token(person, token):
        raise LinkOver(_("This link was used already or is too old. Ask for a new one."))
    _set(person, password)
    end_sessions_of(actor=actor, now=now, person_id=person.pk, why="password_changed")
    command.record(type="person.password_set", subject=person, streams=[streams.user(person.pk)])
    return person


@command.action("person.change_password")
def change_password(*, actor: Actor, now: datetime, password: str, session_key: str = "") -> Person:
    """Change one's own password (the edge has asked for the old one); other sessions end."""
    if not actor.is_person or actor.id is None:
        raise Forbidden(_("Only people have passwords."))
    person = lock_person(actor.id)
    _set(person, password)
    end_sessions_of(actor=actor, now=now, person_id=person.pk, why="password_changed", but=session_key)
    command.record(type="person.password_set", subject=person, streams=[streams.user(person.pk)])
    return person


def _set(person: Person, password: str) -> None:
    try:
        validate_password(password, person)
    except ValidationError as error:
        wrong = [{"pointer": "/password", "code": "weak", "detail": message} for message in error.messages]
        raise WeakPassword(_("This password will not do."), errors=wrong) from None
    person.set_password(password)
    person.save(update_fields=["password"])


@command.action("person.deactivate")
def deactivate_person(*, actor: Actor, now: datetime, person_id: int) -> Person:
    """Let a person no longer act: sessions end at once, memberships now."""
    require_administering(actor)
    person = lock_person(person_id)
    if actor.is_person and actor.id == person.pk:
        raise Forbidden(_("Somebody else must do this."), right="org_admin")
    require_their_administrator(actor, person, now)
    departments = set(
        Membership.objects.filter(valid(now), person=person).values_list("post__department_id", flat=True)
    )
    person.is_active = False
    person.save(update_fields=["is_active"])
    Membership.objects.filter(valid(now), person=person).update(valid_to=now)
    end_sessions_of(actor=actor, now=now, person_id=person.pk, why="deactivated")
    command.record(
        type="person.deactivated",
        subject=person,
        streams=[streams.user(person.pk), *(streams.department(pk) for pk in sorted(departments))],
        payload={"departments": sorted(departments)},
    )
    return person


@command.action("person.set_preferences")
def set_preferences(*, actor: Actor, now: datetime, **wanted: object) -> Person:
    """Set one's own language, theme, row height (``compact``) or ``keys_off``."""
    if not actor.is_person or actor.id is None:
        raise Forbidden(_("Only people have preferences."))
    person = lock_person(actor.id)
    if set(wanted) - set(PREFERENCES):
        raise Invalid(_("There is no such preference."))
    if wanted.get("language", "en") not in LANGUAGES or wanted.get("theme", "dark") not in Person.Theme.values:
        raise Invalid(_("There is no such language or theme."))
    for name, value in wanted.items():
        setattr(person, name, bool(value) if name in ("compact", "keys_off") else value)
    person.save(update_fields=list(wanted))
    return person
