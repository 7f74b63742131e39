"""Does the ledger decide every requirement of ASVS 5.0 at level 1 and 2, and is there what it names?"""

from __future__ import annotations

import ast
import re
from collections import Counter

from coordination.config.launcher.folders import REPOSITORY

LEDGER = REPOSITORY / "docs" / "security" / "asvs.md"
# chapter.section: the numbers of its requirements at level 1 or 2 (5.0.0); gaps are requirements of level 3
WANTED = {
    "1.1": "1-2", "1.2": "1-9", "1.3": "1-11", "1.4": "1-3", "1.5": "1-2", "2.1": "1-3", "2.2": "1-3", "2.3": "1-4",
    "2.4": "1", "3.2": "1-2", "3.3": "1-4", "3.4": "1-6", "3.5": "1-5", "3.7": "1-2", "4.1": "1-3", "4.2": "1",
    "4.3": "1-2", "4.4": "1-4", "5.1": "1", "5.2": "1-3", "5.3": "1-2", "5.4": "1-3", "6.1": "1-3", "6.2": "1-12",
    "6.3": "1-4", "6.4": "1-4", "6.5": "1-5", "6.6": "1-3", "6.8": "1-4", "7.1": "1-3", "7.2": "1-4", "7.3": "1-2",
    "7.4": "1-5", "7.5": "1-2", "7.6": "1-2", "8.1": "1-2", "8.2": "1-3", "8.3": "1", "8.4": "1", "9.1": "1-3",
    "9.2": "1-4", "10.1": "1-2", "10.2": "1-2", "10.3": "1-4", "10.4": "1-11", "10.5": "1-5", "10.6": "1-2",
    "10.7": "1-3", "11.1": "1-2", "11.2": "1-3", "11.3": "1-3", "11.4": "1-4", "11.5": "1", "11.6": "1", "12.1": "1-3",
    "12.2": "1-2", "12.3": "1-4", "13.1": "1", "13.2": "1-5", "13.3": "1-2", "13.4": "1-5", "14.1": "1-2",
    "14.2": "1-4", "14.3": "1-3", "15.1": "1-3", "15.2": "1-3", "15.3": "1-7", "16.1": "1", "16.2": "1-5",
    "16.3": "1-4", "16.4": "1-3", "16.5": "1-3", "17.1": "1", "17.2": "1-4", "17.3": "1-2",
}  # fmt: skip


def wanted() -> list[str]:
    found = []
    for section, numbers in WANTED.items():
        first, _dash, last = numbers.partition("-")
        found += [f"V{section}.{n}" for n in range(int(first), int(last or first) + 1)]
    return found


def rows() -> list[tuple[str, str, str, str]]:
    lines = LEDGER.read_text(encoding="utf-8").splitlines()
    return [tuple(line.strip("|").split("|", 3)) for line in lines if line.startswith("|V")]  # type: ignore[misc]


def test_each_of_the_253_is_decided_once() -> None:
    ids = [row[0] for row in rows()]
    assert len(wanted()) == 253
    assert Counter(ids) == Counter(wanted())
    assert {row[1] for row in rows()} == {"1", "2"}
    assert {row[2] for row in rows()} == {"pass", "n/a", "open"}


def test_the_sums_are_those_of_the_rows() -> None:
    said = re.search(r"pass (\d+), n/a (\d+), open (\d+)\.", LEDGER.read_text(encoding="utf-8"))
    assert said is not None
    counted = Counter(row[2] for row in rows())
    assert [int(one) for one in said.groups()] == [counted["pass"], counted["n/a"], counted["open"]]


def test_every_test_it_names_exists_and_every_reason_is_a_sentence() -> None:
    missing, known = [], {}
    headings = re.findall(r"^## (.+)$", (LEDGER.parent / "controls.md").read_text(encoding="utf-8"), re.M)
    anchors = {one.lower().replace(" ", "-") for one in headings}
    for name, _level, verdict, where in rows():
        tests = re.findall(r"`(tests/[^`]+)::([^`]+)`", where)
        pages = re.findall(r"\(controls\.md#([a-z-]+)\)", where)
        if verdict != "pass":
            assert len(where) > 5, name
            continue
        assert tests or pages, name
        missing += [(name, page) for page in pages if page not in anchors]
        for file, test in tests:
            if file not in known:
                path = REPOSITORY / file
                tree = ast.parse(path.read_text(encoding="utf-8")) if path.exists() else ast.Module([], [])
                kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
                known[file] = {node.name for node in ast.walk(tree) if isinstance(node, kinds)}
            if test not in known[file]:
                missing.append((name, f"{file}::{test}"))
    assert missing == []
