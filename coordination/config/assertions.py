"""Which settings must be as they are, and what is lost when they are not?

Asked once at each start, so that a change made for convenience does not lose work in the night.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from coordination.config.celery import QUEUES
from coordination.config.celery import app as celery
from coordination.config.serve import SETTINGS as SERVE


def _celery(name: str) -> Any:
    return getattr(celery.conf, name)


def _broker(name: str) -> Any:
    return celery.conf.broker_transport_options[name]


# what is asked, what it must be, why
DEMANDS: list[tuple[str, Callable[[], Any], Any, str]] = [
    ("task_acks_late", lambda: _celery("task_acks_late"), True, "an early acknowledgement loses the task"),
    ("task_reject_on_worker_lost", lambda: _celery("task_reject_on_worker_lost"), True, "a killed worker loses it"),
    ("worker_prefetch_multiplier", lambda: _celery("worker_prefetch_multiplier"), 1, "held tasks wait"),
    ("task_soft_time_limit", lambda: _celery("task_soft_time_limit"), 20, "a stuck task holds its queue"),
    ("task_time_limit", lambda: _celery("task_time_limit"), 30, "a stuck task holds its queue"),
    ("task_ignore_result", lambda: _celery("task_ignore_result"), True, "results live in tables"),
    ("accept_content", lambda: list(_celery("accept_content")), ["json"], "other forms carry code"),
    ("task_publish_retry", lambda: _celery("task_publish_retry"), False, "a page would hang on a lost broker"),
    ("task_queues", lambda: tuple(queue.name for queue in celery.conf.task_queues), QUEUES, "emergency first"),
    ("visibility_timeout", lambda: _broker("visibility_timeout"), 90, "lost tasks return late"),
    ("unacked_restore_interval", lambda: _broker("unacked_restore_interval"), 2, "lost tasks return late"),
    ("unacked_restore_throttle", lambda: _broker("unacked_restore_throttle"), 1, "lost tasks return late"),
    ("health_check_interval", lambda: _broker("health_check_interval"), 10, "a dead broker is not noticed"),
    ("channel layers", lambda: getattr(settings, "CHANNEL_LAYERS", {}), {}, "one message a socket: the hub fans out"),
    ("http", lambda: SERVE["http"], "h11", "a lax parser lets requests be smuggled"),
    ("ws", lambda: SERVE["ws"], "websockets-sansio", "others write without end to a reader that does not read"),
    ("ws_max_size", lambda: SERVE["ws_max_size"], 65_536, "sockets eat memory"),
    ("ws_per_message_deflate", lambda: SERVE["ws_per_message_deflate"], False, "sockets eat memory"),
    ("ws_ping_interval", lambda: SERVE["ws_ping_interval"], 20.0, "dead sockets stay"),
    ("graceful", lambda: SERVE["timeout_graceful_shutdown"], 10, "sockets block the stop"),
    ("sessions", lambda: settings.SESSION_ENGINE, "django.contrib.sessions.backends.db", "a lost Redis signs all out"),
    (
        "cache",
        lambda: settings.CACHES["default"]["BACKEND"],
        "django.core.cache.backends.db.DatabaseCache",
        "a lost Redis lifts the limits",
    ),
    ("reset link", lambda: settings.PASSWORD_RESET_TIMEOUT, 3600, "an old link opens an account"),
    ("body", lambda: settings.DATA_UPLOAD_MAX_MEMORY_SIZE, 1024 * 1024, "a body eats memory"),
    ("upload", lambda: settings.MAX_UPLOAD_SIZE, 25 * 1024 * 1024, "a file eats the disk"),
    ("debug", lambda: settings.DEBUG, False, "error pages show secrets"),
    (
        "api permission",
        lambda: settings.REST_FRAMEWORK["DEFAULT_PERMISSION_CLASSES"],
        ["rest_framework.permissions.IsAuthenticated"],
        "an operation that forgot to ask would be open",
    ),
]


def broken() -> list[str]:
    """Return a sentence for each demand that is not met."""
    found = []
    for name, ask, wanted, why in DEMANDS:
        have = ask()
        if have != wanted:
            found.append(f"{name} is {have!r} and must be {wanted!r}: {why}")
    return found


def demand() -> None:
    """Raise ImproperlyConfigured, naming everything, unless all demands are met."""
    found = broken()
    if found:
        raise ImproperlyConfigured("; ".join(found))
