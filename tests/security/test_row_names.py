"""Which of the rows S1 to S45 have a test that names them, and do the edges leave objects to the rooms?"""

from __future__ import annotations

import ast
import re

from coordination.config.launcher.folders import REPOSITORY

# what a row speaks of and there is nothing yet; it is taken off this list with the room that brings it
NOT_YET = {
    "S2": "no table is exported",
    "S3": "no XML is read",
    "S19": "nothing is pulled from partners",
}
ROOMS = ("accounts", "incidents", "coordination", "sharing")
EDGES = {"views", "api", "consumers", "tasks"}


def named() -> dict[str, list[str]]:
    """Tests by the row that their docstring (or their file's) names."""
    found: dict[str, list[str]] = {}
    for path in sorted((REPOSITORY / "tests").rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Module):
                continue
            if isinstance(node, ast.Module) and path.name == "test_row_names.py":
                continue
            for row in re.findall(r"\bS\d{1,2}\b", ast.get_docstring(node) or ""):
                found.setdefault(row, []).append(f"{path.name}::{getattr(node, 'name', '')}")
    return found


def test_every_row_that_applies_is_named_by_a_test() -> None:
    rows = {f"S{n}" for n in range(1, 46)}
    found = named()
    assert set(found) - rows == set()
    assert rows - set(found) - set(NOT_YET) == set()
    assert set(NOT_YET) & set(found) == set(), "no longer to be left out"


def test_no_edge_looks_an_object_up_by_itself() -> None:
    """S34: views, API, consumers and tasks ask queries and actions, which ask who may see; none touches a table."""
    looked, found = 0, []
    for room in ROOMS:
        for path in (REPOSITORY / room).rglob("*.py"):
            parts = set(path.relative_to(REPOSITORY).with_suffix("").parts)
            if not parts & EDGES or "migrations" in parts:
                continue
            looked += 1
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                name = ast.unparse(node) if isinstance(node, ast.Attribute | ast.Name) else ""
                if name.endswith(".objects") or name in ("get_object_or_404", "get_list_or_404"):
                    found.append(f"{path.relative_to(REPOSITORY)}:{node.lineno} {name}")
    assert looked > 20
    assert found == []
