"""Where are rows, files and cached values kept, and how long may they be waited for?"""

import os
from pathlib import Path

from coordination.config.addresses import parse_database_url
from coordination.config.launcher import postgres
from coordination.config.launcher.folders import development
from coordination.config.launcher.roles import APP, SEALER
from coordination.config.settings.environment import BASE_DIR, PROCESS, flag, secret

_development = development()
_address = (
    parse_database_url(os.environ["DATABASE_URL"])
    if os.environ.get("DATABASE_URL")
    else postgres.database(_development)
)

# milliseconds; the client's own deadline (seconds) lies a little above, for a server that no longer answers at all
STATEMENT_TIMEOUT = {"web": 2_500, "beat": 2_500, "command": 0}.get(PROCESS, 15_000)
LOCK_TIMEOUT = 0 if PROCESS == "command" else 2_000
TRANSACTION_TIMEOUT = {"command": 0, "test": 0}.get(PROCESS, 30_000)
IDLE_IN_TRANSACTION_TIMEOUT = {"command": 0, "test": 0}.get(PROCESS, 10_000)
WAIT_SECONDS = {"web": 2.7, "worker": 18.0, "engine": 18.0, "beat": 3.0}.get(PROCESS)

_server_options = {
    "lock_timeout": LOCK_TIMEOUT,
    "statement_timeout": STATEMENT_TIMEOUT,
    "idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION_TIMEOUT,
    "transaction_timeout": TRANSACTION_TIMEOUT,
    # what a page asks again and again is planned once for a connection, not five times before that is thought of
    "plan_cache_mode": "force_generic_plan",
    # nothing here runs long enough to be worth compiling
    "jit": "off",
}

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _address.name,
        "USER": _address.user,
        "PASSWORD": _address.password or secret("DATABASE_PASSWORD"),
        "HOST": _address.host,
        "PORT": _address.port or "",
        # kept where threads stay; a development server's come and go, and would leave theirs behind
        "CONN_MAX_AGE": None if PROCESS in {"worker", "engine"} or flag("MUSTER_LASTING_THREADS", default=False) else 0,
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
        "OPTIONS": {
            "connect_timeout": 3,
            "application_name": f"muster-{PROCESS}",
            "options": " ".join(f"-c {name}={value}" for name, value in _server_options.items()),
            **_address.options,
        },
        "TEST": {"TEMPLATE": "template0"},
    }
}

# The log is sealed by a role of its own, over connections of its own, where the roles are ours (empty: they are not).
MUSTER_SEALER_ROLE = SEALER
MUSTER_SEALER_LOGIN = SEALER if _address.user == APP else ""
MUSTER_SEALER_PASSWORD = secret("MUSTER_SEALER_PASSWORD")

# A lost Redis must sign nobody out and lift no limit: both live in PostgreSQL.
SESSION_ENGINE = "coordination.config.sessions"
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "muster_cache",
        "OPTIONS": {"MAX_ENTRIES": 20_000, "CULL_FREQUENCY": 4},
    }
}

# Attachments: outside the repository's own folders; never served directly.
MEDIA_ROOT = Path(os.environ.get("MUSTER_FILES") or _development.files)
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024  # JSON and forms
MAX_UPLOAD_SIZE = 25 * 1024 * 1024  # one file
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1_000
DATA_UPLOAD_MAX_NUMBER_FILES = 20

STATIC_ROOT = Path(os.environ.get("MUSTER_STATIC_ROOT") or BASE_DIR / "var" / "static")
STORAGES = {
    "default": {"BACKEND": "coordination.config.files.DurableFiles"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if PROCESS in {"command", "test"} and not os.environ.get("MUSTER_HASHED_STATIC")
            else "coordination.config.static.HashedStaticFiles"
        )
    },
}
