"""Can each migration run beside the version before it, without a long lock, and be taken back?

Asked of the operations themselves, without a database. The first migration of a room makes its tables and is free.
After it, on a table that is there already:

* an index is made concurrently (in a migration with ``atomic = False``), a check or foreign key first without validation;
* a new column may be empty or has a default in the database: the version before it knows nothing of it;
* what takes away or renames belongs in a release of its own, after no running code names it: the migration says so by
  a class attribute ``contract = "why it is safe now"``;
* every operation of code or SQL has its way back.

Usage: python .ci/migrations.py
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coordination.config.settings")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import django
from django.contrib.postgres import operations as postgres
from django.db import models
from django.db.migrations import operations as ops
from django.db.migrations.loader import MigrationLoader
from django.db.models import NOT_PROVIDED

# made while nothing was installed anywhere; their tables were empty
BEFORE_THE_FIRST_RELEASE = frozenset({
    ("instructions", "0002_one_lead"),
    ("instructions", "0003_appeal"),
    ("notify", "0002_quiet_hours"),
})  # fmt: skip
TAKING = (ops.RemoveField, ops.DeleteModel, ops.RenameField, ops.RenameModel, ops.AlterModelTable)


def ours() -> set[str]:
    """Return the labels of our own rooms."""
    from django.apps import apps
    from django.conf import settings

    return {config.label for config in apps.get_app_configs() if config.name in settings.ROOMS}


def made_here(migration) -> set[str]:
    """Return the models that the migration makes itself: nobody uses their tables yet."""
    return {one.name.lower() for one in flat(migration.operations) if isinstance(one, ops.CreateModel)}


def flat(found) -> list:
    """Return the operations, those on the database inside of a separated one too."""
    result = []
    for one in found:
        result += flat(one.database_operations) if isinstance(one, ops.SeparateDatabaseAndState) else [one]
    return result


def fault(one, migration, new: set[str], before) -> str:
    """Return what is wrong with one operation, "" for nothing. ``before``: the state in front of it."""
    name = type(one).__name__
    if not one.reversible:
        return f"{name} has no way back"
    table = (getattr(one, "model_name", None) or getattr(one, "name", "") or "").lower()
    if table in new:
        return ""
    if isinstance(one, TAKING):
        return "" if getattr(migration, "contract", "") else f"{name} on {table}: the version before it still names it"
    if isinstance(one, postgres.AddIndexConcurrently | postgres.RemoveIndexConcurrently):
        return "" if not migration.atomic else f"{name} on {table} needs atomic = False"
    if isinstance(one, ops.AddIndex):
        return f"AddIndex on {table} holds up every write: AddIndexConcurrently"
    if isinstance(one, ops.AddConstraint) and not isinstance(one, postgres.AddConstraintNotValid):
        if isinstance(one.constraint, models.CheckConstraint):
            return f"AddConstraint on {table} reads it all under a lock: AddConstraintNotValid, then ValidateConstraint"
        return f"AddConstraint on {table} builds its index under a lock: make the unique index concurrently"
    if isinstance(one, ops.AddField):
        return added(one, table)
    if isinstance(one, ops.AlterField):
        return altered(one, table, migration, before)
    return ""


def added(one, table: str) -> str:
    """Return what is wrong with a new column."""
    field = one.field
    if isinstance(field, models.ManyToManyField):
        return ""
    if not field.null and field.db_default is NOT_PROVIDED:
        return f"AddField {table}.{one.name}: the version before it writes no such column: null=True or db_default"
    if field.db_index and not field.remote_field:
        return f"AddField {table}.{one.name}: its index is made under a lock: index it concurrently"
    return ""


def altered(one, table: str, migration, before) -> str:
    """Return what is wrong with a changed column: another type rewrites the table; NOT NULL reads it all."""
    label = (migration.app_label, table)
    old = before.models[label].fields.get(one.name) if label in before.models else None
    if old is None or getattr(migration, "contract", ""):
        return ""
    changed = []
    if old.get_internal_type() != one.field.get_internal_type():
        changed.append("another type rewrites the table")
    if old.null and not one.field.null:
        changed.append("NOT NULL reads it all, and the version before it writes none")
    longest, was = getattr(one.field, "max_length", None), getattr(old, "max_length", None)
    if was is not None and longest is not None and longest < was:
        changed.append("a shorter text rewrites the table")
    return f"AlterField {table}.{one.name}: {'; '.join(changed)}" if changed else ""


def faults(loader: MigrationLoader, labels: set[str]) -> list[str]:
    """Return a line for each operation that must not be."""
    found = []
    for (label, name), migration in sorted(loader.disk_migrations.items()):
        if label not in labels or (label, name) in BEFORE_THE_FIRST_RELEASE:
            continue
        found += [f"{label} {name}: {said}" for said in of_one(migration, loader)]
    return found


def of_one(migration, loader: MigrationLoader) -> list[str]:
    """Return what is wrong with one migration."""
    if migration.initial:
        return [f"{type(one).__name__} has no way back" for one in migration.operations if not one.reversible]
    key = (migration.app_label, migration.name)
    state = loader.project_state(key, at_end=False) if key in loader.graph.nodes else loader.project_state()
    new, found = made_here(migration), []
    for one in migration.operations:
        said = [fault(inner, migration, new, state) for inner in flat([one])]
        found += [line for line in said if line]
        one.state_forwards(migration.app_label, state)
    return found


def main() -> int:
    """Print every fault."""
    django.setup()
    found = faults(MigrationLoader(None), ours())
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
