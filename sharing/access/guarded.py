"""How does a table say that its rows are seen only through ``sharing.access``?"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models


class UnguardedReadError(RuntimeError):
    """A guarded table was read outside ``sharing.access``."""


class GuardedManager(models.Manager[Any]):
    """Refuses to read: ``access.scope``, ``access.lock`` or ``access.unscoped`` must be asked instead."""

    def get_queryset(self) -> models.QuerySet[Any]:
        """Always raise; the message says what to call."""
        raise UnguardedReadError(
            f"{self.model.__name__}: ask access.scope(actor, model), access.lock(...)"
            " or access.unscoped(model, reason=...)"
        )


class Guarded(models.Model):
    """Base of every table whose rows hang on an incident.

    ``guard_path``: lookup from the row to its incident id (``"id"`` for Incident itself, ``"incident_id"``, or
    ``"instruction__incident_id"``). ``guard_reach``: the least reach that opens the row. ``guard_own``: lookups
    to department ids whose own members (and those above) see the row from reach 2 on, or without any reach when
    ``guard_own_alone`` is true. ``guard_class``: lookup to the row's classification, if it has one.
    ``guard_order``: how lists are ordered, newest first, its last field unique.
    ``guard_private``: (lookup to the moment since which it is for others, lookup to a department id): while that moment
    is empty, a row is seen only by that department, by those above it and by whoever commands the incident, whatever
    else opens it.
    Related managers and saves work as usual (they use the base manager).
    """

    guard_path: ClassVar[str] = "incident_id"
    guard_reach: ClassVar[int] = 3
    guard_own: ClassVar[tuple[str, ...]] = ()
    guard_own_alone: ClassVar[bool] = False
    guard_class: ClassVar[str] = ""
    guard_order: ClassVar[tuple[str, ...]] = ("-id",)
    guard_private: ClassVar[tuple[str, str] | None] = None

    objects = GuardedManager()
    everything = models.Manager()  # noqa: DJ012

    class Meta:
        abstract = True
        base_manager_name = "everything"
        default_manager_name = "everything"


class Opened(models.Model):
    """Base of every table whose rows are opened by grants on a dataset, none by an incident.

    ``guard_dataset``: lookup from the row to its dataset's id. ``guard_data``: the column that row filters judge;
    empty where a grant of any filter opens the row (the dataset itself). ``guard_keeper``: lookup to the department
    that keeps it. ``guard_order`` as in `Guarded`.
    """

    guard_dataset: ClassVar[str] = "dataset_id"
    guard_data: ClassVar[str] = ""
    guard_keeper: ClassVar[str] = "dataset__department_id"
    guard_order: ClassVar[tuple[str, ...]] = ("-id",)

    class Meta:
        abstract = True
