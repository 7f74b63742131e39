"""How does a person sign in, prove a second factor, sign out, and end sessions elsewhere?

These are called by edges with the request, because a session belongs to one; they are the only actions that do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from django.contrib.auth import SESSION_KEY, authenticate, login, logout, update_session_auth_hash
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import codes, devices, keys
from accounts.actions import emergency
from accounts.lockout import familiar, locked_for
from accounts.models import Department, OpenSession, Person
from accounts.queries.people import actor_of_person, departments_of
from accounts.queries.sessions import LONGEST_SESSION, factor_required, has_factor
from accounts.recognised import BACKEND
from coordination.events import clock, command, streams
from coordination.events.actor import Actor
from coordination.events.refused import Forbidden, Invalid, NotFound, Refused, TooSoon


class WrongCredentials(Refused):
    """User name, password or code is wrong; never said which."""

    status = 401
    code = "wrong_credentials"


class CodeNeeded(Refused):
    """The password is right; the code of the second factor is missing."""

    status = 401
    code = "code_needed"


class FactorMissing(Forbidden):
    """The password is right, but this person must set up a second factor (on the sign-in page) first."""

    code = "factor_missing"


class NoPost(Forbidden):
    """The person holds no post (there) now."""

    code = "no_post"


class SignInLocked(TooSoon):
    """Too many wrong tries with this user name. ``retry_after``: seconds."""

    code = "sign_in_locked"


class SessionOver(Refused):
    """This session was ended elsewhere while its request was under way."""

    status = 401
    code = "session_over"


class NoSuchSession(NotFound):
    """There is no such session of this person."""


def sign_in(
    request: HttpRequest,
    username: str,
    password: str,
    code: str = "",
    post: str = "",
    now: datetime | None = None,
) -> Actor:
    """Sign a person in at once, password, code and department together, as scripts do.

    ``code``: of the second factor, or a recovery code; empty when the person has none. ``post``: for whom to act,
    ``<department code or id>`` or with the post as in ``fire/commander``; a post alone picks the first department
    where it is held; empty = the first department. Raises `WrongCredentials` (401), `CodeNeeded` (401),
    `FactorMissing` (403), `NoPost` (403), `SignInLocked` (429).
    """
    moment = now or clock.now()
    person, how = check_password(request, username, password), "password"
    if has_factor(person.pk):
        how = "password+code"
        if not code:
            raise CodeNeeded(_("Enter the code of your second factor too."))
        check_code(request, person, code)
    elif factor_required():
        raise FactorMissing(_("Set up a second factor on the sign-in page first."))
    department = choose(person, post, moment)
    return open_session(request=request, person=person, department=department, now=moment, how=how)


def check_password(request: HttpRequest, username: str, password: str) -> Person:
    """The person whose password this is. One guess at a time for each user name and address, and not too many."""
    name = username if len(username) <= 60 and "\x00" not in username else ""
    found = None
    with _one_guess(request, name):
        if name and len(password) <= 1000:
            found = authenticate(request, username=name, password=password)
            request.axes_locked_out = False  # type: ignore[attr-defined]
    if not isinstance(found, Person):
        raise WrongCredentials(_("The user name or the password is wrong."))
    return found


def check_code(request: HttpRequest, person: Person, code: str) -> None:
    """Prove the second factor: a current code (once), or an unused recovery code. A wrong one counts as a guess."""
    fine = False
    with _one_guess(request, person.username):
        wanted = code.replace(" ", "").replace("-", "")
        if 0 < len(wanted) <= 20 and wanted.isascii():
            fine = codes.spend(person.pk, wanted)
        if not fine:
            count_failure(request, person.username)
    if not fine:
        raise WrongCredentials(_("The code is wrong or has been used."))


def check_key(request: HttpRequest, person: Person, sent: str) -> None:
    """Prove the second factor by a security key's answer to what the session asked. A wrong one counts as a guess."""
    if not sent:
        raise Invalid(_("The key did not answer as it should. Try again, or use a code."))
    with _one_guess(request, person.username):
        fine = keys.prove(person, sent)
        if not fine:
            count_failure(request, person.username)
    if not fine:
        raise WrongCredentials(_("The key did not answer as it should. Try again, or use a code."))


def count_failure(request: HttpRequest, username: str) -> None:
    """Count one wrong try."""
    AxesProxyHandler.user_login_failed(sender=__name__, credentials={"username": username}, request=request)
    request.axes_locked_out = False  # type: ignore[attr-defined]


def _tries_from(request: HttpRequest, place: str | None) -> None:
    """Have django-axes count tries, and successes, for this place."""
    AxesProxyHandler.update_request(request)
    request.axes_ip_address = place  # type: ignore[attr-defined]


class _one_guess:
    """Refuse while the name is locked here, and while another guess for it from here is still being judged.

    Here is the address, or the browser itself where the person has signed in with it before.
    """

    def __init__(self, request: HttpRequest, username: str) -> None:
        self.place = devices.place_of(request, username)
        self.username = username
        _tries_from(request, self.place)
        self.atomic = transaction.atomic()

    def __enter__(self) -> None:
        self.atomic.__enter__()
        try:
            with connection.cursor() as cursor:
                key = f"sign-in|{self.place}|{self.username}"
                cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [key])
                mine = cursor.fetchone()[0]
            left = locked_for(self.username, self.place, timezone.now()) if mine else timedelta(seconds=1)
        except BaseException as error:
            self.atomic.__exit__(type(error), error, error.__traceback__)
            raise
        if left > timedelta():
            self.atomic.__exit__(None, None, None)
            seconds = math.ceil(left.total_seconds())
            raise SignInLocked(
                _("Too many wrong tries with this user name here. Wait, then try again."), retry_after=seconds
            )

    def __exit__(self, *error: Any) -> None:
        self.atomic.__exit__(*error)


def choose(person: Person, post: str, now: datetime) -> Department:
    """The department that ``post`` (see `sign_in`) names among those where the person serves now."""
    theirs = departments_of(person.pk, now)
    wanted, _slash, kind = post.partition("/")
    for department in theirs:
        actor = actor_of_person(person.pk, department.pk, now)
        held = actor.posts if actor else frozenset()
        if not post or (wanted in (department.code, str(department.pk)) and (not kind or kind in held)):
            return department
        if not kind and wanted in held:
            return department
    raise NoPost(_("You hold no such post now. Ask your administrator."))


def open_session(
    *, request: HttpRequest, person: Person, department: Department | None, now: datetime, how: str = "password"
) -> Actor:
    """Begin a session of at most 12 hours under a new id, and note who, where, when, and by which factors (``how``)."""
    _tries_from(request, devices.place_of(request, person.username))
    login(request, person, backend=BACKEND)
    for place in (request.META.get("REMOTE_ADDR") or None, devices.remember(request, person.username)):
        familiar(person.username, place)
    session: Any = request.session
    session["department_id"] = department.pk if department else None
    session["started_at"] = now.isoformat()
    session["active_at"] = now.timestamp()
    session.set_expiry(timezone.now() + LONGEST_SESSION)
    session.save()
    actor = _actor(person, department, now)
    _note_session(
        actor=actor, now=now, key=session.session_key or "", person=person, department=department,
        address=request.META.get("REMOTE_ADDR") or None, agent=request.headers.get("User-Agent", ""), how=how,
    )
    return actor


def _actor(person: Person, department: Department | None, now: datetime) -> Actor:
    found = actor_of_person(person.pk, department.pk, now) if department else None
    return found or Actor("person", person.pk, language=person.language or "zh-hans")


@command.action("session.start")
def _note_session(
    *,
    actor: Actor,
    now: datetime,
    key: str,
    person: Person,
    department: Department | None,
    address: str | None,
    agent: str,
    how: str,
) -> None:
    OpenSession.objects.filter(person=person, started_at__lte=now - LONGEST_SESSION).delete()
    row = OpenSession.objects.create(
        session_key=key, person=person, department=department, address=address,
        agent=agent.replace("\x00", "")[:200], started_at=now, active_at=now,
    )
    command.record(
        type="session.started",
        subject=row,
        streams=[streams.user(person.pk), *([streams.SYSTEM] if person.emergency else [])],
        payload={"address": address, "how": how},
        tell=emergency.hearers(person, now),
        urgency="urgent",
    )


def act_for(*, request: HttpRequest, actor: Actor, department_id: int, now: datetime) -> Actor:
    """Act for another department where the person holds a post now; the session's id changes with it."""
    found = actor_of_person(actor.id or 0, department_id, now)
    if found is None:
        raise NoPost(_("You hold no post there now."))
    request.session["department_id"] = department_id
    renew(request, department_id=department_id)
    return found


def renew(request: HttpRequest, **changed: Any) -> None:
    """Give the session another id; one that somebody ended meanwhile stays ended (`SessionOver`, 401)."""
    _move(request, request.session.cycle_key, **changed)


def _move(request: HttpRequest, change: Callable[[], None], **changed: Any) -> None:
    """``change`` the session's id. Where somebody is in it, the list of their sessions goes along.

    A new id is a new row, also for a session that was ended since this request began; and what is not in that list,
    nobody could end. The list is locked first, as by whoever ends a session.
    """
    rows = OpenSession.objects.select_for_update(no_key=True)
    with transaction.atomic():
        listed = rows.filter(session_key=request.session.session_key or "").first()
        over = listed is None and SESSION_KEY in request.session
        if not over:
            change()
            request.session.save()
        if listed is not None:
            OpenSession.objects.filter(pk=listed.pk).update(session_key=request.session.session_key, **changed)
    if over:
        request.session.flush()
        request.user = AnonymousUser()
        raise SessionOver(_("This session was ended elsewhere. Sign in again."))


def confirm_password(*, request: HttpRequest, actor: Actor, password: str, now: datetime) -> None:
    """Wake a session that lay still: the person's own password again (wrong tries count as at sign-in)."""
    username = Person.objects.values_list("username", flat=True).get(pk=actor.id or 0)
    person = check_password(request, username, password)
    if person.pk != actor.id:
        raise WrongCredentials(_("The password is wrong."))
    wake(request=request, now=now)


def wake(*, request: HttpRequest, now: datetime) -> None:
    """Let a session that lay still act again, under a new id: its person has just proved themself."""
    request.session["active_at"] = now.timestamp()
    renew(request, active_at=now)


def keep_session(*, request: HttpRequest, person: Person) -> None:
    """Let this session go on after its person changed their password; its id changes with it."""
    _move(request, lambda: update_session_auth_hash(request, person))


def sign_out(*, request: HttpRequest, actor: Actor, now: datetime) -> None:
    """End this session."""
    rows = OpenSession.objects.filter(session_key=request.session.session_key or "")
    if actor.is_person:
        _end(actor=actor, now=now, ids=_ids(rows), why="signed_out")
    AxesProxyHandler.update_request(request)
    logout(request)


def end_session(*, actor: Actor, now: datetime, session_id: int) -> None:
    """End one of one's own sessions, on whatever device it is."""
    row = OpenSession.objects.filter(pk=session_id, person_id=actor.id or 0).first() if actor.is_person else None
    if row is None:
        raise NoSuchSession(_("This session is over already."))
    _end(actor=actor, now=now, ids=[row.pk], why="ended_elsewhere")


def end_sessions_of(*, actor: Actor, now: datetime, person_id: int, why: str, but: str = "") -> None:
    """End all sessions of a person (but the one with this key)."""
    rows = OpenSession.objects.filter(person_id=person_id).exclude(session_key=but)
    _end(actor=actor, now=now, ids=_ids(rows), why=why)


def _ids(rows: QuerySet[OpenSession]) -> list[int]:
    return list(rows.values_list("pk", flat=True))


@command.action("session.end")
def _end(*, actor: Actor, now: datetime, ids: list[int], why: str) -> None:
    """By the rows of the list, not by the sessions' ids: a request under way may give its session another one."""
    keys = []
    for row in OpenSession.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk"):
        command.record(
            type="session.ended", subject=row, streams=[streams.user(row.person_id)], payload={"why": why}
        )
        keys.append(row.session_key)
    OpenSession.objects.filter(pk__in=ids).delete()
    Session.objects.filter(session_key__in=keys).delete()
