"""What does beat send, to which queue, how often? Each line is a nudge: the engine does the same without it."""

from typing import Any

SCHEDULE: dict[str, dict[str, Any]] = {
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
