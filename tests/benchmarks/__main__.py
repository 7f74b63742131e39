"""How are the figures measured? ``make bench``, or one section: ``make bench ONLY=pages SIZES=small ROUNDS=3``.

Each section has a database of its own, is measured beside its floor, printed, and written into docs/performance.md.
"""

import argparse
import os
import sys
from importlib import import_module

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coordination.config.settings")
os.environ["MUSTER_PROCESS"] = "test"

import django

from tests import services  # before Django reads its settings

SECTIONS = {
    "live": "1. Live fan-out",
    "whole": "1b. From commit to the changed page",
    "deadlines": "2. Deadlines",
    "pages": "3. Pages filtered by permission",
    "records": "3b. Records of a dataset",
    "api": "4. API and pages",
    "log": "5. Writing the log",
    "units": "6. What one of each costs",
    "tenfold": "7. Ten times the largest",
}
LONG = {"tenfold"}
"""Measured only when named: it takes half an hour and 20 GB."""


def main() -> int:
    """Measure what was named (or all), print it and write the document."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("only", nargs="*", help=", ".join(SECTIONS))
    parser.add_argument("--sizes", default="full", choices=("small", "full"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--print", action="store_true", dest="silent", help="print alone; leave the document as it is")
    asked = parser.parse_args()
    names = [name for word in asked.only for name in word.split(",") if name]
    names = names or [name for name in SECTIONS if name not in LONG]
    unknown = sorted(set(names) - set(SECTIONS))
    if unknown:
        sys.stderr.write(f"no such section: {', '.join(unknown)}; there are {', '.join(SECTIONS)}\n")
        return 2
    django.setup()
    from django.test.utils import setup_test_environment

    setup_test_environment()
    for name in names:
        _one(name, full=asked.sizes == "full", rounds=asked.rounds, write=not asked.silent)
    return 0


def _one(name: str, *, full: bool, rounds: int, write: bool) -> None:
    from tests.benchmarks import figures

    before = figures.load_now()
    services.make_database()
    try:
        bench = import_module(f"tests.benchmarks.bench_{name}")
        found = bench.measure(full=full, rounds=rounds)
        versions = figures.versions()
    finally:
        services.drop_database()
    command = f"make bench ONLY={name}" + ("" if full else " SIZES=small")
    section = figures.Section(
        name, SECTIONS[name], found, command, rounds, load=(before, figures.load_now()), versions=versions
    )
    sys.stdout.write(figures.table(section) + "\n\n")
    sys.stdout.flush()
    if write:
        figures.save(section)
        figures.write(SECTIONS)


sys.exit(main())
