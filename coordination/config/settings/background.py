"""How do background work and live hints travel?"""

import os
from urllib.parse import quote

from coordination.config.launcher import redis_server
from coordination.config.launcher.folders import development
from coordination.config.settings.environment import flag, secret


def _with_password(url: str) -> str:
    # the password may stand in a file of its own: REDIS_PASSWORD_FILE
    password, (scheme, _, where) = secret("REDIS_PASSWORD"), url.partition("://")
    return f"{scheme}://:{quote(password, safe='')}@{where}" if password and "@" not in where else url


REDIS_URL = _with_password(os.environ.get("REDIS_URL") or redis_server.url(development()))

REDIS_PREFIX = os.environ.get("MUSTER_REDIS_PREFIX") or "muster"  # installations and tests beside each other


def _broker(url: str) -> str:
    # kombu names a socket by a scheme of its own
    if not url.startswith("unix://"):
        return url
    return "redis+socket://" + url.removeprefix("unix://").replace("?db=", "?virtual_host=")


CELERY_BROKER_URL = _broker(REDIS_URL)
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # the second net: the lease of the work's own row (10 s) is the first
    "visibility_timeout": 90,
    "unacked_restore_interval": 2,
    "unacked_restore_throttle": 1,
    "socket_timeout": 5,
    "socket_connect_timeout": 1,
    "socket_keepalive": True,
    "health_check_interval": 10,
    "global_keyprefix": os.environ.get("MUSTER_REDIS_PREFIX", ""),
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CONNECTION_TIMEOUT = 1
CELERY_TASK_PUBLISH_RETRY = False  # publishing is a hint: a page must not hang on it
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_RETRY_ON_WORKER_LOST = True  # and counted: `coordination.config.parked`
CELERY_TASK_REJECT_ON_WORKER_LOST = True  # where it could not be sent again
CELERY_TASK_SOFT_TIME_LIMIT = 20
CELERY_TASK_TIME_LIMIT = 30
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_BACKEND = None
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_DEFAULT_QUEUE = "normal"
CELERY_TASK_QUEUES_NAMES = ("urgent", "normal", "bulk")
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_ENABLE_UTC = True
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "coordination.config.beat:Scheduler"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_ALWAYS_EAGER = flag("MUSTER_EAGER", default=False)
