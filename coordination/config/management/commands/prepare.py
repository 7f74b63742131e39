"""How are tables, rights and static files brought up to this code?"""

import hashlib
import json
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from coordination.config import migrating, rights
from coordination.config.files import flush


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
            migrating.migrate(self.stdout.write)
        call_command("createcachetable", verbosity=0)
        rights.grant(self.stdout.write)
        self._collect()

    def _collect(self) -> None:
        root = Path(settings.STATIC_ROOT)
        mark, names = root / ".collected", root / "staticfiles.json"
        found = static_digest()
        readable = is_json(names)
        if mark.exists() and mark.read_text() == found and readable:
            return
        root.mkdir(parents=True, exist_ok=True)
        mark.unlink(missing_ok=True)
        if not readable:
            names.unlink(missing_ok=True)  # a power cut left half of it, which nothing starts with
        call_command("collectstatic", interactive=False, verbosity=0, clear=True)
        for path in (*root.rglob("*"), root):
            flush(path)  # before the mark says that they are there
        mark.write_text(found)


def is_json(path: Path) -> bool:
    """Whether a file is absent, or can be read as JSON."""
    try:
        json.loads(path.read_bytes())
    except FileNotFoundError:
        return True
    except (OSError, ValueError):
        return False
    return True


def static_digest() -> str:
    """Return a digest of name, size and time of every static file: has anything changed since it was collected?"""
    digest = hashlib.sha256(django.get_version().encode())
    for finder in finders.get_finders():
        for name, storage in finder.list([]):
            path = Path(storage.path(name))
            state = path.stat()
            digest.update(f"{name}|{state.st_size}|{state.st_mtime_ns}\n".encode())
    return digest.hexdigest()
