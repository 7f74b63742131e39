"""Which open alarms are over, though nobody said so?"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection

from coordination.deadlines import alarms, queries

#: an alarm about something that is over by itself stands so long
STANDS = timedelta(hours=24)
#: settled in one transaction; the next look takes the next
AT_ONCE = 500

# An empty step is over when its chain (key ``type:id:kind:generation:step``) has been answered: its newest row is
# cancelled, or gone. A jump of the clock, when the process that saw it is gone too and cannot say so. A poisoned
# deadline, when it is held no more; an event, a message or a task was set aside for good.
_OVER = """
SELECT a.id FROM deadlines_alarm a
WHERE a.settled_at IS NULL AND a.kind IN (%(step_empty)s, %(unreached)s, %(clock)s, %(poison)s, %(broken)s) AND CASE
  WHEN a.kind = %(step_empty)s AND a.key ~ '^[^:]*:[0-9]{1,18}:[^:]*:[0-9]{1,9}:' THEN coalesce((
    SELECT d.state FROM deadlines_deadline d
    WHERE d.subject_type = split_part(a.key, ':', 1) AND d.subject_id = split_part(a.key, ':', 2)::bigint
      AND d.kind = split_part(a.key, ':', 3) AND d.generation = split_part(a.key, ':', 4)::int
    ORDER BY d.level DESC LIMIT 1), 'cancelled') = 'cancelled'
  WHEN a.kind = %(clock)s THEN NOT EXISTS (
    SELECT FROM deadlines_engineheartbeat h WHERE h.process = a.key AND h.at > %(lately)s)
  WHEN a.kind = %(poison)s AND a.key ~ '^deadline:[0-9]{1,18}$' THEN NOT EXISTS (
    SELECT FROM deadlines_deadline d WHERE d.id = split_part(a.key, ':', 2)::bigint AND d.state = 'held')
  ELSE a.raised_at < %(long_ago)s END
ORDER BY a.id LIMIT %(at_once)s
"""


def settle(now: datetime) -> int:
    """Settle them; return how many. One question, however many alarms are open."""
    values = {
        "step_empty": alarms.STEP_EMPTY,
        "unreached": alarms.UNREACHED,
        "clock": alarms.CLOCK,
        "poison": alarms.POISON,
        "broken": alarms.LOG_BROKEN,
        "lately": now - queries.SILENT_AFTER,
        "long_ago": now - STANDS,
        "at_once": AT_ONCE,
    }
    with connection.cursor() as cursor:
        cursor.execute(_OVER, values)
        ids = [pk for (pk,) in cursor.fetchall()]
    return alarms.settle_many(ids, now=now) if ids else 0
