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


LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]", "testserver"})


def _csp(name: str) -> list[str]:
    return [str(one) for one in settings.CONTENT_SECURITY_POLICY["DIRECTIVES"][name]]


def _password_length() -> int:
    name = "django.contrib.auth.password_validation.MinimumLengthValidator"
    found = [one for one in settings.AUTH_PASSWORD_VALIDATORS if one["NAME"] == name]
    return int(found[0].get("OPTIONS", {}).get("min_length", 8)) if found else 0


# what is asked, what it must be, why
DEMANDS: list[tuple[str, Callable[[], Any], Any, str]] = [
    ("task_acks_late", lambda: _celery("task_acks_late"), True, "an early acknowledgement loses the task"),
    ("task_reject_on_worker_lost", lambda: _celery("task_reject_on_worker_lost"), True, "a killed worker loses it"),
    ("task_retry_on_worker_lost", lambda: _celery("task_retry_on_worker_lost"), True, "a crash loops"),
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
    ("sessions", lambda: settings.SESSION_ENGINE, "coordination.config.sessions", "a lost Redis signs all out"),
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
    ("web threads", lambda: settings.DATABASES["default"]["ATOMIC_REQUESTS"], False, "a page would hold its locks"),
    ("second factor", lambda: settings.MUSTER_REQUIRE_MFA or settings.MUSTER_DEMO or not settings.SECURE, True,
     "a password alone would open the command of a city"),
    ("clock", lambda: settings.MUSTER_MOVABLE_CLOCK and not settings.MUSTER_DEMO, False,
     "a row could move every deadline"),
    ("second factors", lambda: {"totp", "webauthn"} <= set(settings.MFA_SUPPORTED_TYPES), True, "staff need one"),
    ("sealed secrets", lambda: settings.MFA_ADAPTER, "accounts.mfa.Adapter", "a copy of the tables would make codes"),
    ("insecure keys", lambda: getattr(settings, "MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN", False), False,
     "keys would answer any site"),
    ("password hash", lambda: settings.PASSWORD_HASHERS[0], "django.contrib.auth.hashers.Argon2PasswordHasher",
     "a stolen table would be guessed"),
    ("password length", lambda: _password_length() >= 15, True, "short passwords are guessed"),
    ("lock-out", lambda: (settings.AXES_HANDLER, settings.AXES_LOCKOUT_PARAMETERS, "AxesStandalone" in str(
        settings.AUTHENTICATION_BACKENDS[0])), ("accounts.lockout.LadderHandler", [["username", "ip_address"]], True),
     "passwords could be tried without end, or a control room locked out"),
    ("sign-up", lambda: settings.SOCIALACCOUNT_ADAPTER, "accounts.identity.Adapter", "a stranger would get an account"),
    ("token life", lambda: settings.OAUTH2_PROVIDER["ACCESS_TOKEN_EXPIRE_SECONDS"] <= 600, True, "a stolen one stays"),
    ("grant types", lambda: settings.OAUTH2_PROVIDER["OAUTH2_SERVER_CLASS"],
     "oauthlib.oauth2.BackendApplicationServer", "other grants would be reachable"),
    ("hosts", lambda: any("*" in host or host.startswith(".") for host in settings.ALLOWED_HOSTS), False,
     "a forged Host header would lead people away"),
    ("plain http", lambda: settings.SECURE or set(settings.ALLOWED_HOSTS) <= LOOPBACK, True,
     "passwords would cross the network in the clear"),
    ("script policy", lambda: _csp("script-src"), ["'self'"], "a planted script would run"),
    ("frame policy", lambda: (_csp("default-src"), _csp("frame-ancestors"), _csp("base-uri")), (["'none'"],) * 3,
     "a page could be framed, or load from elsewhere"),
    ("session cookie", lambda: (settings.SESSION_COOKIE_HTTPONLY, settings.SESSION_COOKIE_SAMESITE), (True, "Lax"),
     "a script, or another site, could use it"),
    ("csrf cookie", lambda: (settings.CSRF_COOKIE_HTTPONLY, settings.CSRF_COOKIE_SAMESITE), (True, "Lax"),
     "a script, or another site, could use it"),
    ("session age", lambda: settings.SESSION_COOKIE_AGE <= 12 * 3600, True, "a forgotten session stays open"),
    ("nosniff", lambda: settings.SECURE_CONTENT_TYPE_NOSNIFF, True, "a file could run as a script"),
    ("referrer", lambda: settings.SECURE_REFERRER_POLICY, "same-origin", "addresses would be told to others"),
    ("opener", lambda: settings.SECURE_CROSS_ORIGIN_OPENER_POLICY, "same-origin", "another page could steer ours"),
    ("csrf", lambda: "django.middleware.csrf.CsrfViewMiddleware" in settings.MIDDLEWARE, True, "other sites could act"),
    ("secret key", lambda: len(settings.SECRET_KEY) >= 50 and len(set(settings.SECRET_KEY)) >= 5, True,
     "sessions and links could be forged"),
    (
        "api permission",
        lambda: settings.REST_FRAMEWORK["DEFAULT_PERMISSION_CLASSES"],
        ["rest_framework.permissions.IsAuthenticated"],
        "an operation that forgot to ask would be open",
    ),
]  # fmt: skip


# where pages come over TLS: everywhere but on plain loopback
TLS: list[tuple[str, Callable[[], Any], Any, str]] = [
    ("secure cookies", lambda: (settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE,
                                settings.LANGUAGE_COOKIE_SECURE), (True,) * 3, "they would be sent in the clear"),
    ("cookie names", lambda: all(one.startswith("__Host-") for one in (
        settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, settings.LANGUAGE_COOKIE_NAME)), True,
     "another host of the domain could plant one"),
    ("hsts", lambda: settings.SECURE_HSTS_SECONDS >= 31_536_000, True, "the first request could be read and changed"),
    ("hsts everywhere", lambda: settings.SECURE_HSTS_INCLUDE_SUBDOMAINS, True, "a neighbour could plant cookies"),
]  # fmt: skip


def broken() -> list[str]:
    """Return a sentence for each demand that is not met."""
    found = []
    for name, ask, wanted, why in DEMANDS + (TLS if settings.SECURE else []):
        have = ask()
        if have != wanted:
            found.append(f"{name} is {have!r} and must be {wanted!r}: {why}")
    return found


def demand() -> None:
    """Raise ImproperlyConfigured, naming everything, unless all demands are met."""
    found = broken()
    if found:
        raise ImproperlyConfigured("; ".join(found))
