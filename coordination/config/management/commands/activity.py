"""What is the database busy with, and who is refused?"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection

ASKED = (
    (
        "longest statements (end one: SELECT pg_cancel_backend(pid))",
        "SELECT pid, application_name, state, date_trunc('milliseconds', now() - query_start)::text, "
        "cardinality(pg_blocking_pids(pid)), left(regexp_replace(query, '\\s+', ' ', 'g'), 100) FROM pg_stat_activity "
        "WHERE state <> 'idle' AND pid <> pg_backend_pid() ORDER BY query_start LIMIT 10",
        ("pid", "application", "state", "since", "waits for", "statement"),
    ),
    (
        "connections",
        "SELECT application_name, coalesce(state, ''), count(*) FROM pg_stat_activity GROUP BY 1, 2 ORDER BY 3 DESC",
        ("application", "state", "count"),
    ),
    (
        "slots (log kept for whoever fetches it)",
        "SELECT slot_name, active, wal_status, pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)) "
        "FROM pg_replication_slots",
        ("slot", "active", "status", "kept"),
    ),
    (
        "refusals of the last hour",
        "SELECT actor_key, coalesce(host(address), ''), operation, code, count(*) FROM events_refusal "
        "WHERE at > now() - interval '1 hour' GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC LIMIT 20",
        ("who", "from", "what", "why", "count"),
    ),
    (
        "sign-ins after wrong passwords",
        "SELECT username, coalesce(host(ip_address), ''), sum(failures_since_start), "
        "max(attempt_time)::timestamp(0)::text FROM axes_accessattempt "
        "WHERE attempt_time > now() - interval '1 hour' GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 20",
        ("name", "from", "wrong", "last (UTC)"),
    ),
)


class Command(BaseCommand):
    """Print the longest statements, connections, slots, refusals and wrong passwords of this moment."""

    requires_system_checks = ()
    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        """Print each as lines of columns."""
        with connection.cursor() as cursor:
            for title, statement, names in ASKED:
                cursor.execute(statement)
                rows = [names, *[tuple("" if cell is None else str(cell) for cell in row) for row in cursor.fetchall()]]
                widths = [max(len(row[at]) for row in rows) for at in range(len(names))]
                self.stdout.write(f"{title}:")
                for row in rows:
                    cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
                    self.stdout.write(f"  {'  '.join(cells)}".rstrip())
