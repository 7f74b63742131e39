"""Which benchmark runs alone? ``python -m tests.benchmarks deadlines [--full]``, in a database of its own."""

import sys
from importlib import import_module

import django
from django.conf import settings
from django.test.utils import setup_databases, setup_test_environment, teardown_databases

from tests import services


def main() -> None:
    """Make a database, measure, print, and remove it."""
    django.setup()
    settings.DATABASES["default"]["TEST"]["NAME"] = services.DATABASE_NAME
    setup_test_environment()
    made = setup_databases(verbosity=0, interactive=False)
    try:
        bench = import_module(f"tests.benchmarks.bench_{sys.argv[1]}")
        sys.stdout.write(bench.table(bench.measure(full="--full" in sys.argv)) + "\n")
    finally:
        teardown_databases(made, verbosity=0)


main()
