"""How are pages served, and what is written down about it?"""

import os

from coordination.config.settings.data import STATIC_ROOT
from coordination.config.settings.environment import PROCESS, number

# which scripts and styles this process serves: an open page that hears of others offers to load them
_collected = STATIC_ROOT / ".collected"
MUSTER_BUILD = os.environ.get("MUSTER_BUILD") or (_collected.read_text()[:12] if _collected.exists() else "unbuilt")

# pages and API run in this many threads of each web process; more wait in line, then hear 503
WEB_THREADS = int(number("MUSTER_WEB_THREADS", default=12))
WEB_WAIT_SECONDS = 2.0

WHITENOISE_USE_FINDERS = PROCESS in {"command", "test"}
WHITENOISE_AUTOREFRESH = False
WHITENOISE_MAX_AGE = 60

# named, because Celery sets the root's level to what its own lines may have
_ours = {} if PROCESS in {"command", "test"} else {name: {"level": "INFO"} for name in ("muster", "coordination")}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "coordination.config.logs.JsonFormatter"}},
    "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stdout"}},
    "root": {"handlers": ["out"], "level": "WARNING" if PROCESS in {"command", "test"} else "INFO"},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "uvicorn.access": {"level": "WARNING"},
        "celery": {"level": "WARNING"},
        "axes": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},
        **_ours,
    },
}
