"""Which PostgreSQL and Redis do the tests use? Loaded before Django reads its settings.

``DATABASE_URL`` and ``REDIS_URL`` when set; else the private services of the development instance, started here under a
lock when they do not answer and left running for the next run. Each test process has a database of its own.
"""

import os
import re

import psutil
import psycopg2
from psycopg2 import sql

from coordination.config.addresses import parse_database_url
from coordination.config.launcher import postgres
from coordination.config.launcher.folders import development
from coordination.config.launcher.roles import ensure_roles
from coordination.config.launcher.services import development_services

os.environ["MUSTER_PROCESS"] = "test"
os.environ.setdefault("MUSTER_PLAIN_HTTP", "1")
os.environ.setdefault("MUSTER_REDIS_PREFIX", f"test{os.getpid()}-")
DATABASE_NAME = f"test_muster_{os.getpid()}"


def _start() -> None:
    own = not os.environ.get("DATABASE_URL")
    if own or not os.environ.get("REDIS_URL"):
        development_services(development())
    address = postgres.database(development()) if own else parse_database_url(os.environ["DATABASE_URL"])
    connection = psycopg2.connect(
        host=address.host, port=address.port, user=address.user, password=address.password, dbname=address.name
    )
    connection.autocommit = True
    try:
        if not own:
            ensure_roles(connection)
        _drop_abandoned(connection)
    finally:
        connection.close()


def _drop_abandoned(connection: psycopg2.extensions.connection) -> None:
    """Drop the databases of test processes that were killed before they could."""
    with connection.cursor() as cursor:
        cursor.execute(r"SELECT datname FROM pg_database WHERE datname LIKE 'test\_muster\_%'")
        for (name,) in cursor.fetchall():
            match = re.match(r"test_muster_(\d+)", name)
            if match and not psutil.pid_exists(int(match[1])):
                cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


_start()
