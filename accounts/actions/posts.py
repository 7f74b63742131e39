"""How do people come into posts and leave them?"""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import Group
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.actions.may import lock_department, require_administering, require_administrator
from accounts.models import Department, Membership, Person, Post, ProposedPost
from accounts.queries.apart import SEPARATED
from accounts.queries.people import may_administer, valid
from coordination.events import command, streams
from coordination.events.actor import Actor
from coordination.events.refused import Conflict, Forbidden, Invalid, NotFound

# Posts over data and over the log: an administrator proposes them, a head confirms.
CONFIRMED_BY_HEAD = frozenset({Post.Kind.DATA_STEWARD.value, Post.Kind.AUDITOR.value})


class DutiesNotSeparated(Conflict):
    """Nobody holds two of data steward, auditor and administrator."""

    code = "duties_not_separated"


class AlreadyHeld(Conflict):
    """The person holds this post in that time already."""

    code = "already_held"


class NotOnesOwn(Forbidden):
    """Nobody gives a post to themself."""


class NoSuchPerson(NotFound):
    """There is no such person."""


class NoSuchMembership(NotFound):
    """There is no such membership."""


def post_of(department: Department, kind: str) -> Post:
    """The post, made with its guardian group where the department did not have it yet."""
    post, made = Post.objects.get_or_create(department=department, kind=kind)
    if made or post.group_id is None:
        post.group, _made = Group.objects.get_or_create(name=f"{department.code}/{kind}")
        post.save(update_fields=["group"])
    return post


def lock_person(person_id: int) -> Person:
    """The person, locked for this transaction; 404 where there is none."""
    found = Person.objects.select_for_update(no_key=True, of=("self",)).filter(pk=person_id).first()
    if found is None:
        raise NoSuchPerson(_("There is no such person."))
    return found


def require_their_administrator(actor: Actor, person: Person, now: datetime) -> None:
    """Pass an administrator of every department the person serves in, and the platform.

    Who serves nowhere now stands on no page: to people such a person is not there.
    """
    theirs = Membership.objects.filter(valid(now), person=person).values_list("post__department_id", flat=True)
    departments = sorted(set(theirs))
    if not departments and actor.kind != "system":
        raise NoSuchPerson(_("There is no such person."))
    for department_id in departments:
        require_administrator(actor, department_id)


@command.action("membership.appoint")
def appoint(
    *,
    actor: Actor,
    now: datetime,
    department_id: int,
    person_id: int,
    post: str,
    valid_from: datetime | None = None,
    valid_to: datetime | None = None,
) -> Membership | ProposedPost:
    """Give a person a post in a department from–to (to exclusive; None = open; from None = now).

    A post over data or the log is only proposed by this: a head confirms it (`accounts.actions.proposed`).
    """
    department = lock_department(department_id)
    require_administrator(actor, department.pk)
    if post not in Post.Kind.values:
        raise Invalid(_("Unknown post."), errors=[{"pointer": "/post", "code": "unknown"}])
    if actor.is_person and actor.id == person_id:
        raise NotOnesOwn(_("Somebody else must give you a post."), right="org_admin")
    person = lock_person(person_id)
    start = valid_from or now
    if valid_to is not None and valid_to <= start:
        raise Invalid(_("The end must come after the beginning."), errors=[{"pointer": "/valid_to"}])
    check_apart(person.pk, department.pk, post, start, valid_to)
    if post in CONFIRMED_BY_HEAD and actor.is_person and actor.id is not None:
        return _propose(actor.id, now, department, person, post, valid_from, valid_to)
    return given(department, person, post, start, valid_to)


def _propose(
    by: int, now: datetime, department: Department, person: Person, post: str, valid_from: datetime | None,
    valid_to: datetime | None,
) -> ProposedPost:  # fmt: skip
    row, made = ProposedPost.objects.get_or_create(
        department=department, person=person, kind=post, state=ProposedPost.State.OPEN,
        defaults={"valid_from": valid_from, "valid_to": valid_to, "proposed_by_id": by, "proposed_at": now},
    )
    if not made:
        raise Conflict(_("This has been proposed already and waits for the head."), code="already_proposed")
    note_proposed(row, "proposed")
    return row


def note_proposed(row: ProposedPost, what: str) -> None:
    """Record what became of a proposed post, and tell the heads who decide."""
    command.record(
        type=f"proposedpost.{what}",
        subject=row,
        streams=[streams.department(row.department_id)],
        payload={"person": row.person_id, "post": row.kind, "department": row.department_id},
        tell=[{"department": row.department_id, "post": Post.Kind.HEAD.value}],
    )


def given(
    department: Department, person: Person, post: str, start: datetime, valid_to: datetime | None
) -> Membership:
    """Make the membership of a person who is locked and may hold it, and record it."""
    row = Membership.objects.create(
        person=person, post=post_of(department, post), valid_from=start, valid_to=valid_to
    )
    command.record(
        type="membership.appointed",
        subject=row,
        streams=[streams.department(department.pk), streams.user(person.pk)],
        payload={"person": person.pk, "post": post, "department": department.pk},
    )
    return row


def check_apart(
    person_id: int, department_id: int, post: str, start: datetime, end: datetime | None
) -> None:
    """Refuse a post that the person holds already, or one that another post of theirs rules out, and name that.

    The person is locked: whoever gives them another post waits. The database refuses what comes past here.
    """
    held = Membership.objects.filter(Q(valid_to=None) | Q(valid_to__gt=start), person_id=person_id)
    if end is not None:
        held = held.filter(valid_from__lt=end)
    if held.filter(post__department_id=department_id, post__kind=post).exists():
        raise AlreadyHeld(_("This person holds the post in that time already."))
    if post not in SEPARATED:
        return
    other = held.filter(post__kind__in=SEPARATED - {post}).select_related("post").order_by("pk").first()
    if other is not None:
        raise DutiesNotSeparated(
            _("Nobody may be two of data steward, auditor and administrator, in whatever department. "
              "This person is %(post)s in that time: end that post first.")
            % {"post": Post.Kind(other.post.kind).label.lower()},
            held=other.post.kind,
        )  # fmt: skip


@command.action("membership.end")
def end_membership(
    *, actor: Actor, now: datetime, membership_id: int, at: datetime | None = None
) -> Membership:
    """End a membership now, or at a later moment. Those of departments the actor does not administer are absent."""
    require_administering(actor)
    row = (
        Membership.objects.select_for_update(no_key=True, of=("self",))
        .select_related("post")
        .filter(pk=membership_id)
        .first()
    )
    if row is None or not may_administer(actor, row.post.department_id):
        raise NoSuchMembership(_("There is no such membership."))
    until = max(at or now, now)
    if row.valid_to is not None and row.valid_to <= until:
        raise Conflict(_("This membership has ended already."), code="already_ended")
    row.valid_to = max(until, row.valid_from)
    row.save(update_fields=["valid_to"])
    command.record(
        type="membership.ended",
        subject=row,
        streams=[streams.department(row.post.department_id), streams.user(row.person_id)],
        payload={
            "person": row.person_id, "post": row.post.kind, "department": row.post.department_id,
            "until": row.valid_to.isoformat(),
        },
    )
    return row
