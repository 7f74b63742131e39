"""Is what must be so asserted, and does a wrong setting stop the start?"""

import os
import subprocess
import sys
import time
from typing import Any

import psycopg2
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from psycopg2 import extensions

from coordination.config import assertions, patience
from coordination.config.addresses import BadAddress, Database, parse_database_url
from coordination.config.launcher.folders import REPOSITORY


def test_every_demand_is_met() -> None:
    assert assertions.broken() == []


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("SESSION_ENGINE", "django.contrib.sessions.backends.cache", "sessions"),
        ("MAX_UPLOAD_SIZE", 10**9, "upload"),
        ("DEBUG", True, "debug"),
    ],
)
def test_a_convenient_change_is_refused(settings: Any, name: str, value: Any, word: str) -> None:
    setattr(settings, name, value)
    with pytest.raises(ImproperlyConfigured, match=word):
        assertions.demand()


def run(**variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MUSTER_")}
    return subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=REPOSITORY,
        env={**environment, **variables},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"MUSTER_PROCESS": "web"}, "MUSTER_SECRET_KEY is not set"),
        ({"MUSTER_PROCESS": "other"}, "MUSTER_PROCESS must be one of"),
        ({"MUSTER_HOSTS": "*"}, "must name the hosts"),
        ({"MUSTER_REQUIRE_MFA": "perhaps"}, "MUSTER_REQUIRE_MFA must be one of"),
        ({"DATABASE_URL": "mysql://x/y"}, "must begin with postgresql://"),
        ({"MUSTER_DEBUG": "1"}, "debug is True"),
    ],
)
def test_a_wrong_environment_stops_the_start_with_a_clear_word(variables: dict[str, str], said: str) -> None:
    result = run(**variables)
    assert result.returncode != 0
    assert said in result.stderr


def test_staff_need_a_second_factor_unless_the_installation_says_otherwise() -> None:
    code = "from django.conf import settings; print(settings.MUSTER_REQUIRE_MFA)"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MUSTER_")}
    environment["DJANGO_SETTINGS_MODULE"] = "coordination.config.settings"
    for more, wanted in (({}, "True"), ({"MUSTER_REQUIRE_MFA": "0"}, "False")):
        said = subprocess.run(
            [sys.executable, "-c", code], cwd=REPOSITORY, env={**environment, **more}, capture_output=True, text=True
        )
        assert said.stdout.strip() == wanted


@pytest.mark.django_db
def test_connections_carry_the_server_side_limits() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout'), current_setting('statement_timeout')")
        assert cursor.fetchone() == ("2s", "15s")


def own_connection() -> extensions.connection:
    parameters = connection.get_connection_params()
    return psycopg2.connect(
        host=parameters.get("host"),
        port=parameters.get("port"),
        user=parameters.get("user"),
        password=parameters.get("password"),
        dbname=parameters["dbname"],
    )


@pytest.mark.django_db
def test_a_request_waits_in_vain_but_once() -> None:
    """What it asks after that must be answered at once, until the next request begins on that thread."""
    first, second, third, fourth = (own_connection() for _ in range(4))
    before = extensions.get_wait_callback()
    try:
        patience.begin()
        patience.install(0.3)
        with pytest.raises(patience.NoAnswer), first.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(5)")
        patience.install(60.0)
        with pytest.raises(patience.NoAnswer), second.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(1)")
        patience.begin(59.5)  # it stood in line so long
        with pytest.raises(patience.NoAnswer), third.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(3)")
        patience.begin()
        with fourth.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_sleep(1)")
            assert cursor.fetchone() == (1,)
    finally:
        patience.install(None)
        extensions.set_wait_callback(before)
        for one in (first, second, third, fourth):
            one.close()


@pytest.mark.django_db
def test_a_silent_server_is_given_up_after_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    own = own_connection()
    before = extensions.get_wait_callback()
    patience.install(0.3)
    try:
        began = time.monotonic()
        with pytest.raises(patience.NoAnswer), own.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(5)")
        assert time.monotonic() - began < 4
        assert own.closed
    finally:
        patience.install(None)
        extensions.set_wait_callback(before)
        own.close()


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("postgresql://u:p%40ss@db:5433/m", Database("m", "u", "p@ss", "db", 5433)),
        ("postgres://u@/m?host=/run/pg", Database("m", "u", "", "/run/pg")),
        ("postgresql:///m", Database("m")),
        ("postgresql://u@db/m?sslmode=require", Database("m", "u", "", "db", None, {"sslmode": "require"})),
    ],
)
def test_database_addresses_are_read_and_written(url: str, wanted: Database) -> None:
    assert parse_database_url(url) == wanted
    assert parse_database_url(wanted.url()) == wanted


@pytest.mark.parametrize("url", ["", "sqlite:///x", "postgresql://host/", "postgresql://h/m?port=x", "m"])
def test_bad_database_addresses_are_refused(url: str) -> None:
    with pytest.raises(BadAddress):
        parse_database_url(url)
