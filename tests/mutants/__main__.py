"""Do the tests see it when the code that says who may see and do what is wrong? (S42)

``make mutants N=40 SEED=1``: so many faults are drawn, each is put into a copy of the repository, and the tests of
what it concerns are run there. A mutant that lives is printed, and the end is 1.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time

from coordination.config.launcher.folders import REPOSITORY
from tests.mutants import drawing

COPY = REPOSITORY / "var" / "mutants"
ACCESS = ("tests/access", "tests/permissions")
STATES = ("tests/instructions", "tests/model", "tests/permissions")
OTHERS = ("__init__.py", "apps.py", "models.py", "forms.py", "widgets.py")
"""Lists of names, tables, and how a form is drawn: who may see what is not decided there."""
SECONDS = 1200


def files() -> dict[str, tuple[str, ...]]:
    """The files that are put wrong, and the tests that must see it."""
    access = sorted((REPOSITORY / "sharing" / "access").glob("*.py"))
    access += sorted((REPOSITORY / "sharing" / "access" / "queries").glob("*.py"))
    states = sorted((REPOSITORY / "coordination" / "instructions" / "states").glob("*.py"))
    found = {str(path.relative_to(REPOSITORY)): ACCESS for path in access if path.name not in OTHERS}
    found |= {str(path.relative_to(REPOSITORY)): STATES for path in states}
    return {**found, "sharing/access/rights.yaml": ACCESS}


def lives(mutant: drawing.Mutant, tests: tuple[str, ...]) -> bool:
    """Whether no test sees it: first those of every day, then with every cell of the matrix."""
    path = COPY / mutant.path
    right = path.read_text(encoding="utf-8")
    path.write_text(mutant.text, encoding="utf-8")
    try:
        return all(_green(tests, cells) for cells in ("", "all"))
    finally:
        path.write_text(right, encoding="utf-8")


def _green(tests: tuple[str, ...], cells: str) -> bool:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "2", "-m", "not long and not whole_system", *tests]
    environment = {**os.environ, "MUSTER_CELLS": cells, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(command, cwd=COPY, env=environment, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return False  # it hangs: seen
    return done.returncode == 0


def copied() -> None:
    """A copy of what is committed, to be put wrong."""
    shutil.rmtree(COPY, ignore_errors=True)
    subprocess.run(["git", "clone", "-q", str(REPOSITORY), str(COPY)], check=True)


def main() -> int:
    """Draw, try, say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="files whose path contains this")
    given = parser.parse_args()
    copied()
    wanted = {path: tests for path, tests in files().items() if given.only in path}
    mutants = drawing.drawn(COPY, list(wanted), given.count, given.seed)
    for tests in sorted(set(wanted.values())):
        if not _green(tests, ""):
            print(f"the tests are red without a mutant: {' '.join(tests)}")
            return 2
    living = []
    for number, mutant in enumerate(mutants, 1):
        began = time.monotonic()
        alive = lives(mutant, wanted[mutant.path])
        living += [mutant] if alive else []
        took = time.monotonic() - began
        print(f"{number:3} of {len(mutants)} {'LIVES' if alive else 'dead '} {took:5.0f} s {mutant}", flush=True)
    print(f"seed {given.seed}: {len(mutants) - len(living)} of {len(mutants)} dead")
    return 1 if living else 0


if __name__ == "__main__":
    sys.exit(main())
