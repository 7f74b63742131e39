"""Does anybody read a guarded table past ``sharing.access``, but for the places named here with their reason?"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings

from sharing.access.guarded import Guarded, Opened, UnguardedReadError

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("accounts", "incidents", "coordination", "sharing")
OWN = "sharing/access/"
WRITES = frozenset({"create", "bulk_create", "bulk_update", "update_or_create", "get_or_create"})
"""What is called on ``everything`` to add a row, or to change rows at hand, reads nothing for anybody."""
MANAGERS = frozenset({"everything", "_base_manager", "_default_manager"})
KEPT_APART = ("access.Grant", "access.VisIncident", "access.FieldPolicy", "events.ReadEntry", "catalogue.BreakGlass")
"""Tables that no incident and no dataset guards, and that tell all the same who sees what, and who looked."""

READS = {
    "incidents/actions/links.py everything.filter": "the link that is taken away; both its ends were asked for",
    "coordination/config/retention.py _base_manager.filter": "rows whose time is over, for nobody to read",
    "coordination/events/command.py _base_manager.filter": "what the same command made, for the one who made it",
    "coordination/instructions/deadlines.py everything.filter": "a condition inside a question of the engine's",
    "coordination/instructions/actions/drafting.py everything.filter": "approvals of the draft that is at hand",
    "coordination/instructions/queries/cases.py everything.filter": "conditions inside questions about rows at hand",
    "coordination/instructions/queries/lists.py everything.filter": "a condition inside a question that is scoped",
    "coordination/instructions/queries/rules.py everything.filter": "whether a department takes part, for a rule",
    "sharing/catalogue/actions/delivering.py everything.filter": "records as they stand, for the delivery",
    "sharing/catalogue/queries/reading.py everything.filter": "narrowed by `access.held` before anything is shown",
}
"""Reads by a manager that sees all, outside of ``sharing.access``."""
UNSCOPED = {
    "coordination/instructions/actions/acknowledging.py", "coordination/instructions/actions/declining.py",
    "coordination/instructions/actions/drafting.py", "coordination/instructions/actions/ending.py",
    "coordination/instructions/actions/moving.py", "coordination/instructions/deadlines.py",
    "coordination/instructions/queries/chain.py", "coordination/instructions/queries/charging.py",
    "coordination/instructions/queries/closing.py", "coordination/instructions/queries/contradictions.py",
    "coordination/instructions/queries/discarding.py", "coordination/instructions/queries/finding.py",
    "coordination/instructions/queries/gathered.py", "coordination/instructions/queries/lists.py",
    "coordination/instructions/queries/preview.py", "coordination/instructions/queries/proof.py",
    "coordination/instructions/queries/single.py", "coordination/screens/demo/deeds.py",
    "incidents/actions/acting.py", "incidents/actions/attaching.py", "incidents/actions/command.py",
    "incidents/actions/links.py", "incidents/actions/merging.py",
    "incidents/actions/participation.py", "incidents/actions/purging.py", "incidents/queries/facts.py",
    "incidents/queries/messages.py", "incidents/queries/room.py",
}  # fmt: skip
"""Where ``access.unscoped`` is asked; each use says why."""
TABLES_NAMED = {
    "coordination/instructions/deadlines.py instructions_assignment": "the engine's own question, for nobody to read",
}
"""Where the SQL of a room names a guarded table, with the reason."""


def sources() -> Iterator[tuple[str, ast.Module]]:
    """Every module of the rooms but this room's own and the migrations."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            name = str(path.relative_to(ROOT))
            if not name.startswith(OWN) and "/migrations/" not in name:
                yield name, ast.parse(path.read_text("utf-8"))


def guarded() -> list[type]:
    """Every table that something guards."""
    found = [model for model in apps.get_models() if issubclass(model, Guarded | Opened)]
    named = [apps.get_model(label) for label in KEPT_APART if label.split(".")[1].lower() in apps.all_models[
        label.split(".")[0]
    ]]
    return [model for model in (*found, *named) if model._meta.label != "catalogue.Dataset"]


def calls(tree: ast.AST) -> Iterator[tuple[ast.Attribute, ast.Attribute]]:
    """(manager, method) of each ``….<manager>.<method>`` that is not a write."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.attr not in WRITES:
            yield node.value, node


def test_a_manager_that_sees_all_is_asked_only_where_a_reason_stands() -> None:
    found = {
        f"{name} {manager.attr}.{method.attr}"
        for name, tree in sources()
        for manager, method in calls(tree)
        if manager.attr in MANAGERS
    }
    assert found == set(READS), "new, or no longer there"


def test_unscoped_is_asked_only_where_it_is_listed() -> None:
    found = {
        name
        for name, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "unscoped"
    }
    assert found == UNSCOPED, "new, or no longer there"


def test_grants_visibility_and_who_read_what_are_asked_of_their_own_rooms_alone() -> None:
    names = {label.split(".")[1] for label in KEPT_APART}
    home = {"ReadEntry": "coordination/events/", "BreakGlass": "sharing/catalogue/"}
    found = {
        f"{name} {manager.value.id}"
        for name, tree in sources()
        for manager, _method in calls(tree)
        if manager.attr in ("objects", *MANAGERS) and isinstance(manager.value, ast.Name)
        and manager.value.id in names and not name.startswith(home.get(manager.value.id, OWN))
    }
    assert found == set()


def test_no_sql_of_a_room_names_a_guarded_table() -> None:
    tables = re.compile(rf"\b({'|'.join(sorted(model._meta.db_table for model in guarded()))})\b")
    home = {"events_readentry": "coordination/events/"}
    found = {
        f"{name} {match[1]}"
        for name, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        and re.search(r"\b(SELECT|FROM|JOIN|UPDATE|DELETE)\b", node.value)
        for match in tables.finditer(node.value)
        if not name.startswith(home.get(match[1], OWN))
    }
    assert found == set(TABLES_NAMED)


@pytest.mark.parametrize("model", [model for model in guarded() if issubclass(model, Guarded)], ids=str)
def test_the_plain_manager_of_a_guarded_table_refuses(model: type) -> None:
    with pytest.raises(UnguardedReadError):
        model.objects.all()  # type: ignore[attr-defined]


def test_the_plain_manager_of_records_refuses_too() -> None:
    with pytest.raises(UnguardedReadError):
        apps.get_model("catalogue.Record").objects.count()


def test_there_is_no_stock_administration_that_could_register_a_guarded_table() -> None:
    importing = {
        name
        for name, tree in sources()
        for node in ast.walk(tree)
        if (isinstance(node, ast.ImportFrom) and f"{node.module}." in ("django.contrib.admin.", "django.contrib."))
        and (node.module == "django.contrib.admin" or "admin" in {one.name for one in node.names})
    }
    assert importing == set()
    assert "django.contrib.admin" not in settings.INSTALLED_APPS
