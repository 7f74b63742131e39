"""Why does somebody see an object, or not: who may ask, about whom, and what is the answer?

About oneself anybody may ask of what they see; of what they do not see the answer is the same as of what is not
there. About others, and why not, ask the data stewards of the department that keeps a dataset or leads or commands an
incident, and the auditors, about any object and anybody. An answer names reasons, never content; what was asked about
others is kept in the access log.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from accounts import queries as accounts
from accounts.models import ApiClient, Post
from coordination.events import clock, reads
from coordination.events.actor import Actor
from coordination.events.refused import Invalid
from sharing.access.explanation import Explanation
from sharing.access.guarded import Guarded, Opened
from sharing.access.queries.decisions import NotYourRight, decide, follow, grants_on
from sharing.access.queries.hidden import Unseen
from sharing.access.queries.reasons import reasons
from sharing.access.rights import right

EXPLAIN = "explain"
AUDITOR, STEWARD = "auditor", "data_steward"
_ID = r"([1-9][0-9]{0,17})"
_WHO = re.compile(
    rf"(person):{_ID}(?:@{_ID})?|(post):{_ID}/([a-z_]{{1,20}})|(client|display):{_ID}|user:([\w.@+-]{{1,60}})"
)


class BadWho(Invalid):
    """The text names nobody; ``errors`` point to ``who``."""

    code = "bad_who"


@dataclass(frozen=True, slots=True)
class Named:
    """Whom a question is about, before anybody looked whether they exist."""

    kind: str
    id: int
    department_id: int | None = None
    post: str = ""
    username: str = ""


def named(text: str) -> Named:
    """``user:li``, ``person:5`` (``person:5@12``: of department 12), ``post:12/head``, ``client:3`` or ``display:4``.

    Raises `BadWho` (422).
    """
    found = _WHO.fullmatch(text)
    if found is None:
        raise _bad(_("Write user:fire-duty1, person:5, person:5@12, post:12/commander, client:3 or display:4."))
    if found[1]:
        return Named("person", int(found[2]), int(found[3]) if found[3] else None)
    if found[4]:
        if found[6] not in Post.Kind.values:
            raise _bad(_("There is no such post."))
        return Named("post", int(found[5]), int(found[5]), found[6])
    return Named("person", 0, username=found[9]) if found[9] else Named(found[7], int(found[8]))


def explain(
    actor: Actor,
    *,
    who: Actor | Named | None = None,
    obj: Guarded | Opened,
    at: datetime | None = None,
    classes: Mapping[str, int] | None = None,
    known: bool = False,
) -> Explanation:
    """Why ``who`` (None: the actor) sees the object or does not, rule by rule and grant by grant.

    ``classes``: classification by field, of a record or dataset. ``known``: the caller has found that the actor may
    know that it exists, as of a dataset whose entry stands in the catalogue; then also why not is told. Raises
    `Unseen` (404) for whoever does not see the object and keeps or audits nothing, `NotYourRight` (403, ``right``:
    explain) for whoever sees it and asks about another.
    """
    moment = at or clock.now()
    about = _oneself(actor, who)
    if not _may_ask_anything(actor, obj, moment):
        if not known and not decide(actor, "view", obj, at=moment).seen:
            raise Unseen
        if about is None:
            raise NotYourRight(
                _("About others ask the auditors, or the data stewards of the department that keeps this."),
                right=EXPLAIN,
            )
    if about is None and who is not None:
        about = _actor(who, actor, moment)
    about = about or actor
    if about.key != actor.key or AUDITOR in actor.posts:
        reads.note(actor, f"explain {about.key}", obj._meta.label_lower, [obj.pk])
    return reasons(about, obj, moment, classes)


def may_ask_about_others(actor: Actor) -> bool:
    """Whether the actor holds a post by which one may ask about others at all."""
    return right(EXPLAIN).open_to(actor)


def _oneself(actor: Actor, who: Actor | Named | None) -> Actor | None:
    """The actor, where the question is about them as they act now."""
    if who is None or who == actor:
        return actor
    same = isinstance(who, Named) and (who.kind, who.id) == (actor.kind, actor.id)
    return actor if same and getattr(who, "department_id", None) in (None, actor.department_id) else None


def _may_ask_anything(actor: Actor, obj: Guarded | Opened, at: datetime) -> bool:
    if actor.kind == "system":
        return True
    if not may_ask_about_others(actor):
        return False
    if AUDITOR in actor.posts:
        return True
    if isinstance(obj, Opened):
        return bool(follow(obj, obj.guard_keeper) == actor.department_id)
    incident_id = follow(obj, obj.guard_path)
    if incident_id is None:
        return False
    commands = any("command" in grant.actions for grant in grants_on(actor, incident_id, at))
    return commands and decide(actor, "view", obj, at=at).seen


def _actor(who: Actor | Named, asker: Actor, at: datetime) -> Actor:
    """Whom the question is about, as they stand at the moment. Raises `BadWho` (422) where there is nobody."""
    if isinstance(who, Actor):
        return who
    if who.kind == "person":
        return _person(who, asker, at)
    if who.kind == "post":
        return Actor("person", 0, accounts.department(who.id).pk, frozenset({who.post}))
    if who.kind == "client":
        client = ApiClient.objects.filter(pk=who.id, revoked_at=None).first()
        if client is not None:
            return Actor("client", client.pk, client.department_id)
    else:
        wall = accounts.display(who.id)
        if wall is not None:
            return Actor("display", wall.pk, wall.department_id)
    raise _bad(_("There is nobody of this name."))


def _person(who: Named, asker: Actor, at: datetime) -> Actor:
    """A person as they act for one department; without posts anywhere: as one who may do nothing."""
    person = accounts.person_by_username(who.username) if who.username else accounts.person(who.id)
    if person is None:
        raise _bad(_("There is nobody of this name."))
    places = [place.department.pk for place in accounts.places_of(person.pk, at)]
    department = who.department_id
    if department is None and len(places) > 1 and asker.department_id not in places:
        some = ", ".join(f"person:{person.pk}@{pk}" for pk in places)
        raise _bad(_("This person acts for several departments. Say for which: %(some)s.") % {"some": some})
    if department is None and places:
        department = asker.department_id if asker.department_id in places else places[0]
    found = accounts.actor_of_person(person.pk, department, at) if department is not None else None
    return found or Actor("person", person.pk, department)


def _bad(detail: object) -> BadWho:
    return BadWho(detail, errors=[{"pointer": "/who", "code": BadWho.code, "detail": detail}])
