"""Does the guard refuse migrations that lock for long, break the version before them, or cannot be undone?"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader

ROOT = Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("migrations_guard", ROOT / ".ci" / "migrations.py")
assert _spec is not None and _spec.loader is not None
guard: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(guard)

POSITIVE = models.CheckConstraint(condition=models.Q(tick__gte=0), name="tick_positive")
INDEX = models.Index(fields=["doing"], name="doing")


def said(*operations: Any, atomic: bool = True, contract: str = "") -> list[str]:
    kind = type("Migration", (migrations.Migration,), {
        "operations": list(operations), "atomic": atomic, "dependencies": [("deadlines", "0001_initial")],
        **({"contract": contract} if contract else {}),
    })  # fmt: skip
    return list(guard.of_one(kind("0099_tried", "deadlines"), MigrationLoader(None)))


REFUSED = [
    (migrations.RunSQL("SELECT 1"), "RunSQL has no way back"),
    (migrations.RunPython(lambda apps, editor: None), "RunPython has no way back"),
    (migrations.AddIndex("engineheartbeat", INDEX), "AddIndexConcurrently"),
    (migrations.AddField("engineheartbeat", "more", models.IntegerField(default=0)), "null=True or db_default"),
    (migrations.AddField("engineheartbeat", "more", models.IntegerField(null=True, db_index=True)), "concurrently"),
    (migrations.AddConstraint("engineheartbeat", POSITIVE), "AddConstraintNotValid"),
    (migrations.AddConstraint("engineheartbeat", models.UniqueConstraint(fields=["doing"], name="u")), "unique index"),
    (migrations.RemoveField("engineheartbeat", "doing"), "still names it"),
    (migrations.RenameField("engineheartbeat", "doing", "does"), "still names it"),
    (migrations.DeleteModel("engineheartbeat"), "still names it"),
    (migrations.AlterField("engineheartbeat", "tick", models.TextField()), "rewrites the table"),
    (migrations.AlterField("engineheartbeat", "doing", models.CharField(max_length=3)), "shorter text"),
    (migrations.AlterField("enginegap", "ended_at", models.DateTimeField()), "NOT NULL"),
]
ALLOWED = [
    migrations.RunSQL("SELECT 1", "SELECT 2"),
    migrations.AddField("engineheartbeat", "more", models.IntegerField(null=True)),
    migrations.AddField("engineheartbeat", "more", models.IntegerField(db_default=0)),
    migrations.AlterField("engineheartbeat", "doing", models.CharField(max_length=400)),
    AddConstraintNotValid("engineheartbeat", POSITIVE),
    migrations.CreateModel("New", [("id", models.BigAutoField(primary_key=True))]),
]


@pytest.mark.parametrize(("operation", "why"), REFUSED, ids=lambda one: type(one).__name__)
def test_refused(operation: Any, why: str) -> None:
    (line,) = said(operation)
    assert why in line


@pytest.mark.parametrize("operation", ALLOWED, ids=lambda one: type(one).__name__)
def test_allowed(operation: Any) -> None:
    assert said(operation) == []


def test_an_index_beside_the_writes_needs_no_transaction() -> None:
    operation = AddIndexConcurrently("engineheartbeat", INDEX)
    assert said(operation) == ["AddIndexConcurrently on engineheartbeat needs atomic = False"]
    assert said(operation, atomic=False) == []


def test_taking_away_is_allowed_where_it_says_why() -> None:
    assert said(migrations.RemoveField("engineheartbeat", "doing"), contract="nothing names it since 1.4") == []


def test_a_table_made_in_the_same_migration_is_free() -> None:
    made = migrations.CreateModel("New", [("id", models.BigAutoField(primary_key=True)), ("a", models.IntegerField())])
    assert said(made, migrations.AddIndex("new", models.Index(fields=["a"], name="new_a"))) == []


def test_ours_pass() -> None:
    assert guard.faults(MigrationLoader(None), guard.ours()) == []
