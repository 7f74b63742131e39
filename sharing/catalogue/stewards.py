"""Who are the stewards of a dataset, and is the actor one of them now?

The only module that knows of django-guardian: it is asked by its direct table, with the groups of the memberships
that are valid now. ``auth_user_groups`` stays empty (it has no dates), and no superuser passes.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.utils.translation import gettext_lazy as _

from accounts import queries as accounts
from accounts.actions.posts import post_of
from coordination.events.actor import Actor
from coordination.events.refused import Forbidden
from sharing import access
from sharing.catalogue.models import Dataset, DatasetGroupObjectPermission

POST = "data_steward"
CODENAME = "steward_dataset"


class NotSteward(Forbidden):
    """Only a data steward of the department that keeps the dataset may do this (``right``: steward)."""


def entrust(dataset: Dataset) -> None:
    """Make the data stewards of its department stewards of a new dataset; the post is made where there is none."""
    post = post_of(dataset.department, POST)
    DatasetGroupObjectPermission.objects.get_or_create(
        permission=_permission(), group_id=post.group_id, content_object=dataset
    )


def may_steward(actor: Actor, dataset: Dataset, now: datetime) -> bool:
    """Whether the actor, by a post held now in the department acted for, is a steward of this dataset."""
    if not access.may(actor, "steward", at=now):
        return False
    if actor.kind == "system":
        return True
    if actor.id is None or actor.department_id is None:
        return False
    groups = accounts.groups_of(actor.id, actor.department_id, now)
    return DatasetGroupObjectPermission.objects.filter(
        content_object=dataset, permission__codename=CODENAME, group_id__in=groups
    ).exists()


def stewarded(actor: Actor, dataset_ids: Iterable[int], now: datetime) -> set[int]:
    """Those of the datasets whose steward the actor is now; two queries, however many they are."""
    wanted = set(dataset_ids)
    if not wanted or not access.may(actor, "steward", at=now):
        return set()
    if actor.kind == "system":
        return wanted
    if actor.id is None or actor.department_id is None:
        return set()
    groups = accounts.groups_of(actor.id, actor.department_id, now)
    rows = DatasetGroupObjectPermission.objects.filter(
        content_object__in=wanted, permission__codename=CODENAME, group_id__in=groups
    )
    return set(rows.values_list("content_object_id", flat=True))


def without_steward(department_id: int, now: datetime) -> bool:
    """Whether nobody holds the post of data steward there now: then its head stands in for what cannot wait."""
    return not accounts.holders(department_id, POST, now)


def require_steward(actor: Actor, dataset: Dataset, now: datetime) -> None:
    """Pass the dataset's stewards, refuse everybody else (403)."""
    if not may_steward(actor, dataset, now):
        raise NotSteward(_("Only the data stewards of the department that keeps this may do that."), right="steward")


def _permission() -> Permission:
    """Django's row of the permission, made here where a database was emptied since it was migrated."""
    kind = ContentType.objects.get_for_model(Dataset)
    found, _made = Permission.objects.get_or_create(
        content_type=kind, codename=CODENAME, defaults={"name": "Can steward dataset"}
    )
    return found
