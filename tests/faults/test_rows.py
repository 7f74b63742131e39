"""Has each fault row tests that exist?"""

from __future__ import annotations

import subprocess
import sys

import pytest

from coordination.config.launcher.folders import REPOSITORY
from tests.faults import rows

ROWS = 33


def test_each_row_has_its_tests_and_each_of_them_exists() -> None:
    found = rows.read()
    assert list(found) == [f"F{number}" for number in range(1, ROWS + 1)]
    assert [name for name, row in found.items() if not (row.hurt and row.required and row.tests)] == []
    tests = sorted({test for row in found.values() for test in row.tests})
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", *tests]
    collected = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    there = {line.split("[")[0] for line in collected.stdout.splitlines() if "::" in line}
    assert collected.returncode == 0, collected.stdout[-3000:] + collected.stderr[-3000:]
    assert set(tests) - there == set()


def test_rows_are_chosen_by_name() -> None:
    found = rows.read()
    assert [row.name for row in rows.chosen(["F2,f13"], found)] == ["F2", "F13"]
    assert len(rows.chosen(["all"], found)) == ROWS
    with pytest.raises(SystemExit, match="F99"):
        rows.chosen(["F99"], found)


def test_a_row_holds_when_all_its_tests_ran_and_passed() -> None:
    row = rows.Row("F1", "this", "that", ("a.py::test_x", "a.py::test_y"))
    results = rows.Results()
    results.ended = {"a.py::test_x": ["passed", "passed"]}
    assert results.line(row)[0] is False
    results.ended["a.py::test_y"] = ["passed"]
    results.figures["a.py::test_y"] = ["ready after 2.1 s"]
    good, text = results.line(row)
    assert good
    assert "ready after 2.1 s" in text
    results.ended["a.py::test_x"].append("failed")
    assert results.line(row)[0] is False
