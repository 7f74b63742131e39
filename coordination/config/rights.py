"""What may each role of the database do with each table?

The application works with rows but may not rewrite history: of the log it may read and append, and of the streams'
heads it may move the counter; seals and anchors it may read. The log belongs to a role of its own, and is sealed by
another, which may append seals and move where it stands, and nothing else.
"""

from collections.abc import Callable, Mapping

from django.db import connection, transaction
from psycopg2 import sql

from coordination.config import migrating
from coordination.config.launcher.roles import APP, BACKUP, LOG_OWNER, SEALER

# table → what the application may do there; every other table: SELECT, INSERT, UPDATE, DELETE
APPEND_ONLY: Mapping[str, str] = {
    "events_event": "SELECT, INSERT",
    "events_streamentry": "SELECT, INSERT",
    "events_streamhead": "SELECT, INSERT, UPDATE (last_seq)",
    "events_refusal": "SELECT, INSERT",
    "events_readentry": "SELECT, INSERT",
    "events_seal": "SELECT",
    "events_sealhead": "SELECT",
    "events_anchor": "SELECT",
    "events_anchorhead": "SELECT",
    "django_migrations": "SELECT",
}
# table → what the sealer may do there; nothing anywhere else
SEALED: Mapping[str, str] = {
    "events_event": "SELECT",
    "events_streamentry": "SELECT",
    "events_streamhead": "SELECT",
    "events_refusal": "SELECT",
    "events_readentry": "SELECT",
    "events_seal": "SELECT, INSERT",
    "events_sealhead": "SELECT, INSERT, UPDATE",
    "events_anchor": "SELECT, INSERT",
    "events_anchorhead": "SELECT, INSERT",
}
LOG_TABLES = tuple(SEALED)


def grant(say: Callable[[str], None] = lambda _text: None) -> None:
    """Set the rights of all roles on all tables of this database; run as the owner after each migration.

    All at once: people work meanwhile, and in between the application could do nothing, or rewrite history.
    """
    migrating.patiently(_set, say)


@transaction.atomic
def _set() -> None:
    app, log, sealer, backup = map(sql.Identifier, (APP, LOG_OWNER, SEALER, BACKUP))
    everything = [
        sql.SQL("GRANT USAGE ON SCHEMA public TO {}, {}, {}, {}").format(app, log, sealer, backup),
        sql.SQL("GRANT CREATE ON SCHEMA public TO {}").format(log),
        sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}").format(app),
        sql.SQL("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}").format(app),
        sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}").format(backup),
        sql.SQL("GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {}").format(backup),
    ]
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename, tableowner FROM pg_tables WHERE schemaname = 'public'")
        owners = dict(cursor.fetchall())
        for statement in everything:
            cursor.execute(statement)
        for name in sorted(APPEND_ONLY.keys() & owners):
            table = sql.Identifier(name)
            cursor.execute(sql.SQL("REVOKE ALL ON {} FROM {}").format(table, app))
            # the rights are our own constants above
            cursor.execute(sql.SQL("GRANT {} ON {} TO {}").format(sql.SQL(APPEND_ONLY[name]), table, app))
        for name in sorted(owners.keys() & set(LOG_TABLES)):
            table = sql.Identifier(name)
            if owners[name] != LOG_OWNER:  # the change wants the table for itself, even where it changes nothing
                cursor.execute(sql.SQL("ALTER TABLE {} OWNER TO {}").format(table, log))
            cursor.execute(sql.SQL("GRANT {} ON {} TO {}").format(sql.SQL(SEALED[name]), table, sealer))
