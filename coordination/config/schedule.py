"""What does beat send, to which queue, how often? Each line is a nudge: the engine does the same without it."""

from typing import Any

SCHEDULE: dict[str, dict[str, Any]] = {
    "relay": {"task": "events.relay", "schedule": 1.0, "options": {"queue": "urgent", "expires": 5}},
    "deadlines": {"task": "deadlines.sweep", "schedule": 1.0, "options": {"queue": "urgent", "expires": 5}},
    "delivery": {"task": "notify.deliver", "schedule": 1.0, "options": {"queue": "normal", "expires": 5}},
    "watchdog": {"task": "deadlines.watchdog", "schedule": 10.0, "options": {"queue": "urgent", "expires": 9}},
    "deadlines-archive": {"task": "deadlines.archive", "schedule": 86_400.0, "options": {"queue": "bulk"}},
    "ladder-proof": {"task": "instructions.prove_ladders", "schedule": 86_400.0, "options": {"queue": "bulk"}},
    "old-sessions": {"task": "accounts.purge", "schedule": 3_600.0, "options": {"queue": "bulk"}},
    "old-rows": {"task": "config.purge", "schedule": 86_400.0, "options": {"queue": "bulk"}},
    "visibility": {"task": "config.visibility", "schedule": 86_400.0, "options": {"queue": "bulk"}},
    "loose-files": {"task": "incidents.purge_loose", "schedule": 3_600.0, "options": {"queue": "bulk"}},
    **{
        f"canary-{queue}": {
            "task": "config.canary",
            "schedule": 10.0,
            "args": (queue,),
            "options": {"queue": queue, "expires": 9},
        }
        for queue in ("urgent", "normal", "bulk")
    },
}
