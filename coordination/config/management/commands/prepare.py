"""How are tables, rights and static files brought up to this code?"""

import hashlib
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from coordination.config import rights


class Command(BaseCommand):
    """Migrate, make the cache's table, set the roles' rights, collect static files that changed. Run as the owner."""

    help = __doc__ or ""

    def add_arguments(self, parser: Any) -> None:
        """``--static``: the files alone, where no database is (an image is made)."""
        parser.add_argument("--static", action="store_true", help="collect static files only; asks no database")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do all of it; nothing to do costs about a second."""
        if options["static"]:
            self._collect()
            return
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):  # else it would look at every model for nothing
            call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)
        rights.grant()
        self._collect()

    def _collect(self) -> None:
        root = Path(settings.STATIC_ROOT)
        mark = root / ".collected"
        found = static_digest()
        if mark.exists() and mark.read_text() == found:
            return
        root.mkdir(parents=True, exist_ok=True)
        mark.unlink(missing_ok=True)
        call_command("collectstatic", interactive=False, verbosity=0, clear=True)
        mark.write_text(found)


def static_digest() -> str:
    """Return a digest of name, size and time of every static file: has anything changed since it was collected?"""
    digest = hashlib.sha256(django.get_version().encode())
    for finder in finders.get_finders():
        for name, storage in finder.list([]):
            path = Path(storage.path(name))
            state = path.stat()
            digest.update(f"{name}|{state.st_size}|{state.st_mtime_ns}\n".encode())
    return digest.hexdigest()
