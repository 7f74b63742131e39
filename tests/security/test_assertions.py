"""Does an unsafe setting stop the start, and is it named? (S10, S12, S13, S22, S24, S26, S36, S38, S40)"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test import override_settings

from coordination.config import assertions, serve, servers
from coordination.config.celery import app as celery
from coordination.config.launcher.folders import REPOSITORY

# the name by which each demand is said: how to break it (a setting of Django and its unsafe value)
UNSAFE: dict[str, tuple[str, Any]] = {
    "sessions": ("SESSION_ENGINE", "django.contrib.sessions.backends.cache"),
    "cache": ("CACHES", {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}),
    "channel layers": ("CHANNEL_LAYERS", {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}),
    "reset link": ("PASSWORD_RESET_TIMEOUT", 86_400),
    "body": ("DATA_UPLOAD_MAX_MEMORY_SIZE", None),
    "upload": ("MAX_UPLOAD_SIZE", 10**9),
    "debug": ("DEBUG", True),
    "api permission": ("REST_FRAMEWORK", {"DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"]}),
    "web threads": ("DATABASES", {"default": {"ATOMIC_REQUESTS": True}}),
    "clock": ("MUSTER_MOVABLE_CLOCK", True),
    "second factors": ("MFA_SUPPORTED_TYPES", ["recovery_codes"]),
    "sealed secrets": ("MFA_ADAPTER", "allauth.mfa.adapter.DefaultMFAAdapter"),
    "insecure keys": ("MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN", True),
    "password hash": ("PASSWORD_HASHERS", ["django.contrib.auth.hashers.MD5PasswordHasher"]),
    "password length": ("AUTH_PASSWORD_VALIDATORS", []),
    "lock-out": ("AXES_LOCKOUT_PARAMETERS", ["ip_address"]),
    "sign-up": ("SOCIALACCOUNT_ADAPTER", "allauth.socialaccount.adapter.DefaultSocialAccountAdapter"),
    "token life": ("OAUTH2_PROVIDER", {"ACCESS_TOKEN_EXPIRE_SECONDS": 86_400, "OAUTH2_SERVER_CLASS": "x"}),
    "grant types": ("OAUTH2_PROVIDER", {"ACCESS_TOKEN_EXPIRE_SECONDS": 60, "OAUTH2_SERVER_CLASS": "oauthlib.Server"}),
    "hosts": ("ALLOWED_HOSTS", [".example"]),
    "plain http": ("ALLOWED_HOSTS", ["muster.example"]),
    "session cookie": ("SESSION_COOKIE_HTTPONLY", False),
    "csrf cookie": ("CSRF_COOKIE_SAMESITE", "None"),
    "session age": ("SESSION_COOKIE_AGE", 14 * 86_400),
    "nosniff": ("SECURE_CONTENT_TYPE_NOSNIFF", False),
    "referrer": ("SECURE_REFERRER_POLICY", "unsafe-url"),
    "opener": ("SECURE_CROSS_ORIGIN_OPENER_POLICY", None),
    "csrf": ("MIDDLEWARE", []),
    "secret key": ("SECRET_KEY", "short"),
}
POLICIES = {
    "script policy": {"script-src": ["'self'", "'unsafe-inline'"]},
    "frame policy": {"frame-ancestors": ["*"]},
}
OF_TLS = {
    "second factor": ("MUSTER_REQUIRE_MFA", False),
    "secure cookies": ("SESSION_COOKIE_SECURE", False),
    "cookie names": ("CSRF_COOKIE_NAME", "csrf"),
    "hsts": ("SECURE_HSTS_SECONDS", 60),
    "hsts everywhere": ("SECURE_HSTS_INCLUDE_SUBDOMAINS", False),
}
OF_CELERY = {
    "task_acks_late": False, "task_reject_on_worker_lost": False, "task_retry_on_worker_lost": False,
    "worker_prefetch_multiplier": 4,
    "task_soft_time_limit": None, "task_time_limit": None, "task_ignore_result": False,
    "accept_content": ["json", "pickle"], "task_publish_retry": True, "task_queues": [],
}  # fmt: skip
OF_BROKER = {"visibility_timeout": 3600, "unacked_restore_interval": 100, "unacked_restore_throttle": 10,
             "health_check_interval": 0}  # fmt: skip
OF_SERVER = {
    "http": ("http", "httptools"), "ws": ("ws", "websockets"), "ws_max_size": ("ws_max_size", 2**24),
    "ws_per_message_deflate": ("ws_per_message_deflate", True), "ws_ping_interval": ("ws_ping_interval", None),
    "graceful": ("timeout_graceful_shutdown", None),
}  # fmt: skip
SECURE = {
    "SECURE": True, "ALLOWED_HOSTS": ["muster.example"], "MUSTER_REQUIRE_MFA": True, "MUSTER_DEMO": False,
    "SESSION_COOKIE_SECURE": True, "CSRF_COOKIE_SECURE": True, "LANGUAGE_COOKIE_SECURE": True,
    "SESSION_COOKIE_NAME": "__Host-session", "CSRF_COOKIE_NAME": "__Host-csrf",
    "LANGUAGE_COOKIE_NAME": "__Host-language", "SECURE_HSTS_SECONDS": 31_536_000,
    "SECURE_HSTS_INCLUDE_SUBDOMAINS": True,
}  # fmt: skip


def refused(name: str) -> bool:
    """Whether the start is refused by this name."""
    with pytest.raises(ImproperlyConfigured) as said:
        assertions.demand()
    return re.search(rf"(^|; ){name} is ", str(said.value)) is not None


def test_every_demand_has_an_unsafe_value_here() -> None:
    tried = {*UNSAFE, *POLICIES, *OF_TLS, *OF_CELERY, *OF_BROKER, *OF_SERVER}
    assert {name for name, *_more in assertions.DEMANDS + assertions.TLS} == tried


@pytest.mark.parametrize("name", UNSAFE)
def test_an_unsafe_setting_is_refused_and_named(name: str) -> None:
    """S38: each setting that must be so is asked at start."""
    setting, value = UNSAFE[name]
    assert assertions.broken() == []
    with override_settings(**{setting: value}):
        assert refused(name)


@pytest.mark.parametrize("name", POLICIES)
def test_a_loose_content_policy_is_refused_and_named(name: str, settings: Any) -> None:
    """S13: no foreign script, no frame."""
    kept = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    settings.CONTENT_SECURITY_POLICY = {"DIRECTIVES": {**kept, **POLICIES[name]}}
    assert refused(name)


@pytest.mark.parametrize("name", OF_TLS)
def test_what_tls_needs_is_demanded_where_pages_come_over_tls(name: str) -> None:
    """S10, S12, S24: cookies, HSTS and the second factor of a real installation."""
    setting, value = OF_TLS[name]
    with override_settings(**SECURE):
        assert assertions.broken() == []
    with override_settings(**{**SECURE, setting: value}):
        assert refused(name)


@pytest.mark.parametrize("name", OF_CELERY)
def test_workers_that_lose_tasks_are_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(celery.conf, name, OF_CELERY[name])
    assert refused(name)


@pytest.mark.parametrize("name", OF_BROKER)
def test_a_broker_that_is_slow_to_return_tasks_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(celery.conf.broker_transport_options, name, OF_BROKER[name])
    assert refused(name)


@pytest.mark.parametrize("name", OF_SERVER)
def test_a_web_server_that_can_be_worn_down_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    key, value = OF_SERVER[name]
    monkeypatch.setitem(serve.SETTINGS, key, value)
    assert refused(name)


GOOD = {
    "fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "data_checksums": "on",
    "max_slot_wal_keep_size": "2048", "server_encoding": "UTF8", "is_superuser": "off", "lock_timeout": "2000",
    "statement_timeout": "2500", "idle_in_transaction_session_timeout": "10000", "transaction_timeout": "30000",
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("fsync", "off", "fsync"), ("full_page_writes", "off", "full_page_writes"),
        ("data_checksums", "off", "data_checksums"), ("synchronous_commit", "off", "synchronous_commit"),
        ("synchronous_commit", "local", "synchronous_commit"), ("max_slot_wal_keep_size", "-1", "max_slot_wal_keep"),
        ("server_encoding", "LATIN1", "server_encoding"), ("is_superuser", "on", "superuser"),
        *((name, value, name) for name in servers.LIMITS for value in ("0", "60000")),
    ],
)  # fmt: skip
def test_a_postgresql_that_loses_or_hangs_is_refused_and_named(name: str, value: str, said: str) -> None:
    """S40: the running server is asked, whatever its files say; the web process is no superuser."""
    assert servers.unsafe_postgres(GOOD) == []
    (sentence,) = servers.unsafe_postgres({**GOOD, name: value})
    assert said in sentence


@pytest.mark.parametrize(
    ("said", "word"),
    [({"maxmemory-policy": "allkeys-lru", "appendonly": "yes"}, "noeviction"),
     ({"maxmemory-policy": "noeviction", "appendonly": "no"}, "appendonly")],
)  # fmt: skip
def test_a_redis_that_forgets_is_refused_and_named(said: dict[str, str], word: str) -> None:
    (sentence,) = servers.unsafe_redis(said)
    assert word in sentence


@pytest.mark.django_db
def test_the_running_servers_are_asked() -> None:
    """What stands behind the tests answers; a limit taken away on the connection itself is seen."""
    assert set(servers.postgres_says()) == set(servers.ASKED)
    assert servers.unsafe_redis(servers.redis_says()) == []
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = 0")
    assert any("lock_timeout is 0" in one for one in servers.unsafe_postgres(servers.postgres_says()))


def test_servers_that_are_away_are_not_judged(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(servers, "postgres_says", lambda: GOOD)
    assert servers.broken() == []


def test_an_unsafe_server_stops_the_web_process_with_a_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(servers, "broken", lambda: ["Redis's appendonly is off"])
    assert serve.main(["--port", "1"]) == serve.EX_CONFIG
    assert "not started: Redis's appendonly is off" in capsys.readouterr().err


def test_of_a_demo_city_it_is_only_said(
    settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(servers, "broken", lambda: ["Redis's appendonly is off"])
    settings.MUSTER_DEMO = True
    servers.demand()
    assert "Redis's appendonly is off" in caplog.text


def run(**variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MUSTER_")}
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"], cwd=REPOSITORY,
        env={**environment, **variables}, capture_output=True, text=True, check=False,
    )  # fmt: skip


PRODUCTION = {
    "MUSTER_PROCESS": "command", "MUSTER_HOSTS": "muster.example", "MUSTER_ORIGINS": "https://muster.example",
    "MUSTER_SECRET_KEY": "a key of more than fifty letters, made for this check and for nothing else",
}  # fmt: skip


def test_the_deployment_check_is_clean() -> None:
    """S38: `check --deploy` finds nothing in a real installation's settings."""
    found = run(**PRODUCTION)
    assert (found.returncode, found.stdout.strip()) == (0, "System check identified no issues (0 silenced)."), found


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"MUSTER_OIDC_ISSUER": "https://id.example"}, "needs MUSTER_OIDC_CLIENT_ID"),
        ({"MUSTER_OIDC_ISSUER": "http://id.example", "MUSTER_OIDC_CLIENT_ID": "x", "MUSTER_OIDC_SECRET": "y"},
         "must begin with https://"),
        ({"MUSTER_REQUIRE_MFA": "0"}, "second factor is False"),
        ({"MUSTER_HSTS_SECONDS": "60"}, "hsts is False"),
        ({"MUSTER_SECRET_KEY": "short"}, "secret key is False"),
        ({"MUSTER_PLAIN_HTTP": "1"}, "plain http is False"),
    ],
)  # fmt: skip
def test_a_wrong_environment_stops_the_start_with_a_clear_word(variables: dict[str, str], said: str) -> None:
    result = run(**{**PRODUCTION, **variables})
    assert result.returncode != 0
    assert said in result.stderr


def test_the_content_policy_lets_the_sign_in_form_lead_to_the_provider_alone() -> None:
    code = ("import django, json; django.setup(); from django.conf import settings; "
            "print(json.dumps(settings.CONTENT_SECURITY_POLICY['DIRECTIVES']['form-action']))")  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MUSTER_")}
    environment |= {**PRODUCTION, "DJANGO_SETTINGS_MODULE": "coordination.config.settings"}
    environment |= {"MUSTER_OIDC_ISSUER": "https://id.example/realm", "MUSTER_OIDC_CLIENT_ID": "x",
                    "MUSTER_OIDC_SECRET": "y"}  # fmt: skip
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=True
    )
    assert json.loads(said.stdout) == ["'self'", "https://id.example"]
