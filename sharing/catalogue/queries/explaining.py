"""Why does somebody see an object, or not: as the API and the page tell it?"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from coordination.events.actor import Actor
from coordination.events.refused import Invalid
from sharing import access
from sharing.access import explainable
from sharing.access.explanation import Explanation
from sharing.access.guarded import Guarded, Opened
from sharing.access.queries import explaining
from sharing.catalogue import explaining_words
from sharing.catalogue.models import Dataset, SchemaVersion
from sharing.catalogue.queries.entries import Row, seen

_OBJECT = re.compile(r"([a-z]{1,40}\.[a-z]{1,40}):([1-9][0-9]{0,17})")


class BadObject(Invalid):
    """The text names no kind of object that may be asked about."""

    code = "bad_object"


def explained(*, actor: Actor, now: datetime, object: str, who: str = "") -> Row:
    """Why ``who`` (empty: the actor) sees the object, or not.

    ``object``: ``incidents.incident:12``; ``who``: as `sharing.access.queries.explaining.named` reads it. Refusals are
    those of `access.explain`; what cannot be read is refused (422) before anything is looked up.
    """
    found = _OBJECT.fullmatch(object)
    if found is None or found[1] not in explainable.kinds():
        detail = _("Write the kind and the number, like incidents.incident:12.")
        raise BadObject(detail, errors=[{"pointer": "/object", "code": BadObject.code, "detail": detail}])
    about = explaining.named(who) if who else None
    obj = explainable.find(found[1], int(found[2]))
    known = isinstance(obj, Dataset) and seen(actor).filter(pk=obj.pk).exists()
    told = access.explain(actor, who=about, obj=obj, at=now, classes=_classes(obj), known=known)
    return _row(told, told.who.key if not who or who.startswith("user:") else who)


def explained_in_words(*, actor: Actor, now: datetime, object: str, who: str = "") -> Row:
    """`explained` with the words that a page shows beside the codes."""
    return explaining_words.said(explained(actor=actor, now=now, object=object, who=who))


def may_ask_about_others(actor: Actor) -> bool:
    """Whether the actor may ask about others at all."""
    return explaining.may_ask_about_others(actor)


def kinds() -> tuple[str, ...]:
    """Every kind of object that may be asked about."""
    return explainable.kinds()


def _classes(obj: Guarded | Opened) -> dict[str, int]:
    """Classification by field of the dataset that the object is, or is of."""
    if not isinstance(obj, Opened):
        return {}
    dataset_id = getattr(obj, obj.guard_dataset)
    schema = SchemaVersion.objects.filter(dataset_id=dataset_id, current=True).select_related("dataset").first()
    if schema is None:
        return {}
    least = max(schema.dataset.classification, 1)
    return {one["name"]: max(int(one.get("classification", 1)), least) for one in schema.document["fields"]}


def _row(told: Explanation, who: str) -> dict[str, Any]:
    return {
        "object": told.object,
        "who": who,
        "department_id": told.who.department_id,
        "at": told.at,
        "seen": told.seen,
        "missing": told.missing,
        "steps": [{"code": one.code, "holds": one.holds, "facts": dict(one.facts)} for one in told.steps],
        "grants": [one.as_row() for one in told.grants],
        "fields": [
            {
                "name": one.name, "classification": one.classification, "shown": one.shown,
                "grant_ids": list(one.grant_ids), "why": one.why,
            }
            for one in told.fields
        ],
    }  # fmt: skip
