"""Who is this person, where do they serve, and with which posts?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from accounts.models import Department, Membership, Person, Post
from accounts.queries.apart import SEPARATED, left
from coordination.events.actor import Actor
from coordination.events.at_once import Steps, answer, at_once
from coordination.events.kept import kept

# Posts that may administer a department and those below it: posts, rosters, clients, displays.
ADMINISTERING = frozenset({"administrator"})
# Posts that may plan duty.
ROSTERING = frozenset({"administrator", "head"})
# Every kind of post with its name.
POSTS = tuple(Post.Kind.choices)


@dataclass(frozen=True, slots=True)
class Reachable:
    """A person who can be told something. ``via`` says why they: shift, deputy, standing, next_shift, post."""

    person_id: int
    name_zh: str
    name_en: str
    phone: str
    email: str
    via: str


def reachable(person: Person, via: str) -> Reachable:
    """The person as somebody to tell."""
    return Reachable(person.pk, person.name_zh, person.name_en, person.phone, person.email, via)


def valid(at: datetime, prefix: str = "") -> Q:
    """Memberships in force at a moment (from inclusive, to exclusive)."""
    open_ended = Q(**{f"{prefix}valid_to__isnull": True}) | Q(**{f"{prefix}valid_to__gt": at})
    return Q(**{f"{prefix}valid_from__lte": at}) & open_ended


def actor_of_person(person_id: int, department_id: int, at: datetime) -> Actor | None:
    """The person acting for a department with the posts held there now; None without any, or when not active."""
    return answer(actor_steps(person_id, department_id, at))


def actor_steps(person_id: int, department_id: int, at: datetime) -> Steps[Actor | None]:
    """`actor_of_person`, to be asked beside other questions; one step."""
    (rows,) = yield [kept(_held, person_id, department_id, at)]
    here = [kind for kind, place, _language in rows if place == department_id]
    posts = left(here, [kind for kind, _place, _language in rows])
    if not posts:
        return None
    return Actor(
        kind="person",
        id=person_id,
        department_id=department_id,
        posts=frozenset(posts),
        language=rows[0][2] or "zh-hans",
    )


def _held(person_id: int, department_id: int, at: datetime) -> QuerySet[Membership, Any]:
    rows = Membership.objects.filter(
        valid(at),
        Q(post__department_id=department_id) | Q(post__kind__in=sorted(SEPARATED)),
        person_id=person_id,
        person__is_active=True,
        post__department__is_active=True,
    )
    return rows.values_list("post__kind", "post__department_id", "person__language")


def groups_of(person_id: int, department_id: int, at: datetime) -> list[int]:
    """Groups of the posts a person holds in a department now: by these object permissions are asked; one query."""
    held = _held(person_id, department_id, at).values_list("post__kind", "post__department_id", "post__group_id")
    rows = [(kind, place, group) for kind, place, group in held]
    counting = left([kind for kind, place, _ in rows if place == department_id], [kind for kind, _, _ in rows])
    return [group for kind, place, group in rows if place == department_id and group and kind in counting]


def departments_of(person_id: int, at: datetime) -> list[Department]:
    """Active departments where the person holds a post now, by tree order."""
    found: list[Department] = at_once(kept(_serving, person_id, at))[0]
    return found


def _serving(person_id: int, at: datetime) -> QuerySet[Department]:
    held = Membership.objects.filter(valid(at), person_id=person_id).values("post__department_id")
    return Department.objects.filter(pk__in=held, is_active=True).order_by("path", "code")


def person(person_id: int) -> Person | None:
    """One person."""
    return Person.objects.filter(pk=person_id).first()


def people_by_id(ids: Iterable[int]) -> dict[int, Person]:
    """Persons by id; one query."""
    (rows,) = at_once(kept(_people, sorted(set(ids))))
    return {row.pk: row for row in rows}


def _people(ids: list[int]) -> QuerySet[Person]:
    return Person.objects.filter(pk__in=ids)


def person_by_username(username: str) -> Person | None:
    """The person with this user name (exact)."""
    return Person.objects.filter(username=username).first()


def holders(department_id: int, post: str, at: datetime) -> list[Reachable]:
    """Who holds a post in a department now."""
    return holders_many([department_id], post, at)[department_id]


def heads(department_id: int, at: datetime) -> list[Reachable]:
    """Heads of a department now."""
    return holders(department_id, "head", at)


def heads_many(department_ids: Iterable[int], at: datetime) -> dict[int, list[Reachable]]:
    """Heads of several departments now; one query."""
    return holders_many(department_ids, "head", at)


def holders_many(department_ids: Iterable[int], post: str, at: datetime) -> dict[int, list[Reachable]]:
    """Who holds a post in each of several departments now; one query, an entry for each department asked."""
    return answer(holders_steps(department_ids, post, at))


def holders_steps(
    department_ids: Iterable[int], post: str, at: datetime
) -> Steps[dict[int, list[Reachable]]]:
    """`holders_many`, to be asked beside other questions; one step."""
    found: dict[int, list[Reachable]] = {pk: [] for pk in department_ids}
    via = "standing" if post == "duty_officer" else "post"
    (rows,) = yield [kept(_holding, list(found), post, at)]
    for row in rows:
        people = found[row.post.department_id]
        if all(other.person_id != row.person_id for other in people):
            people.append(reachable(row.person, via))
    return found


def _holding(department_ids: list[int], post: str, at: datetime) -> QuerySet[Membership]:
    return members(at).filter(post__department_id__in=department_ids, post__kind=post)


def members(at: datetime) -> QuerySet[Membership]:
    """Memberships of active persons in force at a moment, with person and post, in a fixed order."""
    return (
        Membership.objects.filter(valid(at), person__is_active=True)
        .select_related("person", "post")
        .order_by("post__department_id", "post__kind", "person_id")
    )


def members_of(department_id: int, at: datetime) -> list[Membership]:
    """Memberships in force in one department, with person and post."""
    return list(members(at).filter(post__department_id=department_id))


def may_administer(actor: Actor, department_id: int, posts: frozenset[str] = ADMINISTERING) -> bool:
    """Whether the actor holds one of the administering posts in this department or in one above it."""
    if actor.kind == "system":
        return True
    if not actor.is_person or actor.department_id is None or not actor.posts & posts:
        return False
    return Department.objects.filter(pk=department_id, path__contains=f"/{actor.department_id}/").exists()


def may_plan_duty(actor: Actor, department_id: int) -> bool:
    """Whether the actor may plan this department's duty: its head or administrator, or those above."""
    return may_administer(actor, department_id, ROSTERING)


def may_read_notes(actor: Actor, department_id: int) -> bool:
    """Whether the actor may read what one turn of duty leaves for the next: its own department and those above."""
    if actor.kind == "system":
        return True
    if actor.department_id is None or not (actor.posts or actor.kind == "client"):
        return False
    if actor.department_id == department_id:
        return True
    return (
        actor.is_person
        and Department.objects.filter(pk=department_id, path__contains=f"/{actor.department_id}/").exists()
    )


@dataclass(frozen=True, slots=True)
class Place:
    """A department for which a person may act, and with which posts (their codes)."""

    department: Department
    posts: tuple[str, ...]


def places_of(person_id: int, at: datetime) -> list[Place]:
    """Where a person may act now, with the posts held there; one query."""
    rows = (
        Membership.objects.filter(
            valid(at), person_id=person_id, person__is_active=True, post__department__is_active=True
        )
        .select_related("post__department")
        .order_by("post__department__path", "post__department_id", "post__kind")
    )
    found: dict[int, Place] = {}
    everywhere = [row.post.kind for row in rows]
    for row in rows:
        department = row.post.department
        if not left([row.post.kind], everywhere):
            continue
        held = found[department.pk].posts if department.pk in found else ()
        found[department.pk] = Place(department, tuple(dict.fromkeys((*held, row.post.kind))))
    return list(found.values())
