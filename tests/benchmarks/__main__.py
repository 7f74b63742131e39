"""How are the figures measured? ``python -m tests.benchmarks [live] [deadlines] [--full]``."""

import sys
from importlib import import_module

import django
from django.conf import settings
from django.test.utils import setup_databases, setup_test_environment, teardown_databases

from tests import services

ALL = ("deadlines", "live")


def main() -> int:
    """Make a database, measure what was named (or all), print, and remove it."""
    names = [word for word in sys.argv[1:] if not word.startswith("-")] or list(ALL)
    unknown = sorted(set(names) - set(ALL))
    if unknown:
        sys.stderr.write(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(ALL)}\n")
        return 2
    django.setup()
    settings.DATABASES["default"]["TEST"]["NAME"] = services.DATABASE_NAME
    setup_test_environment()
    made = setup_databases(verbosity=0, interactive=False)
    try:
        for name in names:
            bench = import_module(f"tests.benchmarks.bench_{name}")
            sys.stdout.write(bench.table(bench.measure(full="--full" in sys.argv)) + "\n\n")
            sys.stdout.flush()
    finally:
        teardown_databases(made, verbosity=0)
    return 0


sys.exit(main())
