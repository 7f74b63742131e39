"""Which roles does the database know, and what may each do?

``muster_owner`` owns the tables and migrates; ``muster_app`` works with rows; ``muster_log_owner`` owns the log, so
that not even the owner of the rest can change it unnoticed; ``muster_sealer`` chains the log's hashes;
``muster_backup`` reads everything, copies the server and changes nothing.
"""

import contextlib
from collections.abc import Mapping

import psycopg2.errors
import psycopg2.extensions
from psycopg2 import sql

OWNER = "muster_owner"
LOG_OWNER = "muster_log_owner"
SEALER = "muster_sealer"
APP = "muster_app"
BACKUP = "muster_backup"
ROLES = (OWNER, LOG_OWNER, SEALER, APP, BACKUP)
ROLES_LOCK = 7_305_017  # any number of ours: two starts at once must not both make a role


def ensure_roles(connection: psycopg2.extensions.connection, passwords: Mapping[str, str] | None = None) -> None:
    """Make the roles that are missing; with ``passwords`` (a server reached over the network) set those too.

    ``connection`` is in autocommit mode and its role may create roles.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [ROLES_LOCK])
        try:
            cursor.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", [list(ROLES)])
            present = {row[0] for row in cursor.fetchall()}
            for role in ROLES:
                if role not in present:
                    cursor.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
                if passwords:
                    cursor.execute(
                        sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(passwords[role]))
                    )
            if OWNER not in present:
                cursor.execute(sql.SQL("ALTER ROLE {} CREATEDB").format(sql.Identifier(OWNER)))
            _let_copy(cursor)
            # the owner hands tables to the log's owner, and tests look with the eyes of each
            for role in (LOG_OWNER, SEALER, APP):
                cursor.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(role), sql.Identifier(OWNER)))
            cursor.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(OWNER)))
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [ROLES_LOCK])


def _let_copy(cursor: psycopg2.extensions.cursor) -> None:
    """Let the backup's role stream the log; where we may not give that, the backup says what to do."""
    with contextlib.suppress(psycopg2.errors.InsufficientPrivilege):
        cursor.execute(sql.SQL("ALTER ROLE {} REPLICATION").format(sql.Identifier(BACKUP)))


def ensure_database(connection: psycopg2.extensions.connection, name: str) -> None:
    """Make the database ``name``, owned by the owner role, if it is not there."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if cursor.fetchone() is None:
            cursor.execute(
                sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8'").format(
                    sql.Identifier(name), sql.Identifier(OWNER)
                )
            )
