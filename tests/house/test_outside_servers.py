"""Does the system run on a PostgreSQL and a Redis that are not its own?"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace

import httpx
import psycopg2
import pytest
from psycopg2 import sql

from coordination.config.addresses import Database, parse_database_url
from coordination.config.launcher import postgres, redis_server
from coordination.config.launcher.folders import REPOSITORY, development
from coordination.config.launcher.roles import ROLES
from coordination.config.launcher.stack import connect
from tests import stacks

pytestmark = pytest.mark.stack


@pytest.fixture
def outside() -> Iterator[Database]:
    """Return a database of its own on the server the tests use, as its administrator reaches it."""
    url = os.environ.get("DATABASE_URL")
    administrator = (
        parse_database_url(url) if url else postgres.database(development(), user="postgres", name="postgres")
    )
    made = replace(administrator, name=f"outside_{os.getpid()}")
    connection = connect(administrator)
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(made.name))
    with connection.cursor() as cursor:
        cursor.execute(drop)
        cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(made.name)))
    yield made
    with connection.cursor() as cursor:
        cursor.execute(drop)
    connection.close()


def prepare(environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "coordination.config.launcher", "prepare"]
    return subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True)


def test_prepare_makes_everything_and_the_system_runs_on_it(
    outside: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From an empty database: the first makes all tables, the start of the system prepares once more."""
    environment = {
        **os.environ,
        "DATABASE_URL": outside.url(),
        "MUSTER_STATIC_ROOT": str(stacks.FOLDER / "static"),
        **{f"{role.upper()}_PASSWORD": "for this test only" for role in ROLES},
    }
    refused = prepare({name: value for name, value in environment.items() if name != "MUSTER_APP_PASSWORD"})
    assert refused.returncode == 1
    assert "MUSTER_APP_PASSWORD" in refused.stderr
    result = prepare(environment)
    assert result.returncode == 0, result.stderr

    monkeypatch.setenv("DATABASE_URL", outside.url())
    monkeypatch.setenv("REDIS_URL", os.environ.get("REDIS_URL") or redis_server.url(development(), 9))
    system = stacks.start("-outside", city=False, environment={"MUSTER_REDIS_PREFIX": f"outside{os.getpid()}-"})
    try:
        assert system.names[0] == "engine"
        assert httpx.get(f"{system.base_url}/health/ready").status_code == 200
        assert not system.instance.postgres_data.exists()
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            connection = system.connect("muster_app")
            try:
                connection.cursor().execute("UPDATE events_event SET type = 'x'")
            finally:
                connection.close()
    finally:
        stacks.end(system)
