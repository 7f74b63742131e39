"""Which tests prove a fault row, and did they?

``make chaos ROW=F13`` (or ``ROWS=F8,F11``, ``ROWS=all``), or ``python -m tests.faults.rows F13``. A test says what it
measured by the fixture ``figure``; the table at the end shows it beside the row.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

INDEX = Path(__file__).with_name("rows.yaml")
MEASURED = "measured"


@dataclass(frozen=True)
class Row:
    """One fault row: what is hurt, what is required, the node ids of the tests that prove it."""

    name: str
    hurt: str
    required: str
    tests: tuple[str, ...]


def read() -> dict[str, Row]:
    """Return the rows of the index, by name."""
    found = yaml.safe_load(INDEX.read_text(encoding="utf-8"))
    return {name: Row(name, one["hurt"], one["required"], tuple(one["tests"])) for name, one in found.items()}


def chosen(words: Sequence[str], rows: dict[str, Row]) -> list[Row]:
    """Return the rows that ``words`` name (``F2 F13``, ``F2,F13``, ``all``); raise SystemExit for one unknown."""
    names = [name.upper() for word in words for name in word.split(",") if name]
    if names == ["ALL"]:
        return list(rows.values())
    unknown = [name for name in names if name not in rows]
    if unknown or not names:
        raise SystemExit(f"rows are F1 to F{len(rows)}, or all; not {' '.join(unknown) or 'none'}")
    return [rows[name] for name in names]


class Results:
    """A plugin of pytest: what became of each test, and what it measured."""

    def __init__(self) -> None:
        self.ended: dict[str, list[str]] = {}
        self.figures: dict[str, list[str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take note of one test's setup, call or teardown."""
        name = report.nodeid.split("[")[0]
        if report.when == "call" or report.outcome != "passed":
            self.ended.setdefault(name, []).append(report.outcome)
        if report.when == "call":
            said = self.figures.setdefault(name, [])
            said += [str(value) for key, value in report.user_properties if key == MEASURED]

    def line(self, row: Row) -> tuple[bool, str]:
        """Whether each of the row's tests ran and passed, and the row's line for people."""
        outcomes = [outcome for test in row.tests for outcome in self.ended.get(test, ["did not run"])]
        good = set(outcomes) == {"passed"}
        said = "; ".join(figure for test in row.tests for figure in self.figures.get(test, ()))
        word = "passed" if good else "FAILED"
        return good, f"{row.name:4} {word}  {row.hurt}: {row.required}\n             {said or len(outcomes)}"


def main(words: Sequence[str]) -> int:
    """Run the tests of the rows named, each once; print a line a row; 1 when one did not hold."""
    wanted = chosen(words, read())
    results = Results()
    tests = list(dict.fromkeys(test for row in wanted for test in row.tests))
    pytest.main(["-q", *tests], plugins=[results])
    lines: list[tuple[bool, Any]] = [results.line(row) for row in wanted]
    print("\n".join(["", *(text for _good, text in lines)]))
    held = sum(good for good, _text in lines)
    print(f"{held} of {len(lines)} rows hold")
    return 0 if held == len(lines) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
