"""Which PostgreSQL and Redis do the tests use? Loaded before Django reads its settings.

``DATABASE_URL`` and ``REDIS_URL`` when set; else the private services of the development instance, started here under a
lock when they do not answer and left running for the next run. Each test process has a database of its own: a copy of
one that was migrated once for this state of the migrations.
"""

import fcntl
import hashlib
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import psycopg2
from psycopg2 import sql

from coordination.config.addresses import Database, parse_database_url
from coordination.config.launcher import postgres
from coordination.config.launcher.folders import REPOSITORY, development
from coordination.config.launcher.roles import ensure_roles
from coordination.config.launcher.services import development_services

os.environ["MUSTER_PROCESS"] = "test"
os.environ.setdefault("MUSTER_PLAIN_HTTP", "1")
os.environ["MUSTER_REDIS_PREFIX"] = f"test{os.getpid()}-"  # a worker's own, not that of the run that started it
DATABASE_NAME = f"test_muster_{os.getpid()}"
VACUUM_SECONDS = 30.0


@contextmanager
def _server() -> Iterator[psycopg2.extensions.cursor]:
    """Return a cursor on the server's first database, each statement its own transaction."""
    url = os.environ.get("DATABASE_URL")
    address = parse_database_url(url) if url else postgres.database(development())
    connection = psycopg2.connect(
        host=address.host, port=address.port, user=address.user, password=address.password, dbname=address.name
    )
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def _start() -> None:
    (REPOSITORY / "var" / "static").mkdir(parents=True, exist_ok=True)  # WhiteNoise looks there
    if not os.environ.get("DATABASE_URL") or not os.environ.get("REDIS_URL"):
        development_services(development())
    with _server() as cursor:
        if os.environ.get("DATABASE_URL"):
            ensure_roles(cursor.connection)
        _drop_abandoned(cursor)


def _digest() -> str:
    """Return what stands for this state of the tables."""
    digest = hashlib.sha256()
    files = [path for pattern in ("*/migrations/*.py", "*/*/migrations/*.py") for path in REPOSITORY.glob(pattern)]
    files = [path for path in files if not path.parts[len(REPOSITORY.parts)].startswith(".")]
    for path in [*sorted(files), REPOSITORY / "requirements.lock", REPOSITORY / "coordination/config/rights.py"]:
        digest.update(str(path.relative_to(REPOSITORY)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def template_name() -> str:
    """Return the name of the database with all tables of this state of the migrations, made or not."""
    return f"muster_template_{_digest()}"


def template_address() -> Database | None:
    """Return where that database is; None while it is not made, or on a server that is not ours."""
    if os.environ.get("DATABASE_URL"):
        return None
    with (REPOSITORY / "var" / "template.lock").open("w") as lock, _server() as cursor:
        fcntl.flock(lock, fcntl.LOCK_EX)
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [template_name()])
        return postgres.database(development(), name=template_name()) if cursor.fetchone() else None


def make_database() -> None:
    """Make this process's database and point Django at it."""
    from django.db import connection  # not before the settings are chosen

    template = template_name()
    with (REPOSITORY / "var" / "template.lock").open("w") as lock, _server() as cursor:
        fcntl.flock(lock, fcntl.LOCK_EX)
        cursor.execute(r"SELECT datname FROM pg_database WHERE datname LIKE 'muster\_template\_%'")
        present = {row[0] for row in cursor.fetchall()}
        if template not in present:
            for old in present:
                _drop(cursor, old)
            _migrated(cursor, template)
        _drop(cursor, DATABASE_NAME)
        cursor.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(DATABASE_NAME), sql.Identifier(template))
        )
    connection.close()
    connection.settings_dict["NAME"] = DATABASE_NAME


def _migrated(cursor: psycopg2.extensions.cursor, template: str) -> None:
    """Make ``template`` with all tables and rights; half-made, it is removed again."""
    from django.core.management import call_command
    from django.db import connection

    from coordination.config import rights

    cursor.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(sql.Identifier(template)))
    connection.close()
    connection.settings_dict["NAME"] = template
    try:
        call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)
        rights.grant()
    except BaseException:
        connection.close()
        _drop(cursor, template)
        raise
    connection.close()


def drop_database() -> None:
    """Remove this process's database."""
    from django.db import connections

    connections.close_all()
    with _server() as cursor:
        _drop(cursor, DATABASE_NAME)


def _drop(cursor: psycopg2.extensions.cursor, name: str) -> None:
    """Drop a database with whoever is still in it; autovacuum is not ours to end, and gone in a moment."""
    statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    end = time.monotonic() + VACUUM_SECONDS
    while True:
        try:
            cursor.execute(statement)
        except psycopg2.errors.InsufficientPrivilege:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)
        else:
            return


def _drop_abandoned(cursor: psycopg2.extensions.cursor) -> None:
    """Drop the databases of test processes that were killed before they could."""
    cursor.execute(r"SELECT datname FROM pg_database WHERE datname LIKE 'test\_muster\_%'")
    for (name,) in cursor.fetchall():
        match = re.match(r"test_muster_(\d+)", name)
        if match and not psutil.pid_exists(int(match[1])):
            _drop(cursor, name)


_start()
