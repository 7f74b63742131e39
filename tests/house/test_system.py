"""Does the whole system start, answer, survive and stop?"""

import contextlib
import time

import httpx
import psutil
import pytest

from coordination.config.launcher import postgres, status
from coordination.config.launcher.watch import Watch
from tests import stacks

pytestmark = pytest.mark.stack


def test_every_process_runs_and_pages_answer(stack: stacks.System) -> None:
    for name in stack.names:
        assert stack.supervisor.state(name) == "RUNNING", name
    assert httpx.get(f"{stack.base_url}/health/live").json() == {"status": "ok"}
    ready = httpx.get(f"{stack.base_url}/health/ready")
    assert ready.status_code == 200
    assert ready.json()["checks"] == {"database": "ok", "migrations": "ok", "disk": "ok"}


def test_nothing_listens_but_the_web_on_loopback(stack: stacks.System) -> None:
    """S40: nothing listens but the web on loopback."""
    listening = set()
    for name in stack.names:
        process = psutil.Process(stack.supervisor.pid(name))
        for one in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):  # PostgreSQL's processes come and go
                listening |= {
                    (found.laddr.ip, found.laddr.port)
                    for found in one.net_connections(kind="tcp")
                    if found.status == psutil.CONN_LISTEN
                }
    assert listening == {("127.0.0.1", stack.port)}


def test_postgres_is_not_root_and_safe(stack: stacks.System) -> None:
    server = psutil.Process(stack.supervisor.pid("postgres"))
    assert server.uids().real != 0
    for name in postgres.MUST_BE_ON:
        assert stack.query("SELECT current_setting(%s)", name) == [("on",)], name
    assert stack.query("SELECT rolsuper FROM pg_roles WHERE rolname LIKE 'muster%%' AND rolsuper") == []


def test_folders_are_private(stack: stacks.System) -> None:
    instance = stack.instance
    for folder in (instance.folder, instance.run, instance.logs, instance.files, instance.postgres_data):
        assert folder.stat().st_mode & 0o777 == 0o700, folder
    assert instance.secrets.stat().st_mode & 0o777 == 0o600


def test_application_may_not_rewrite_the_log(stack: stacks.System) -> None:
    rights = stack.query(
        "SELECT table_name, privilege_type FROM information_schema.role_table_grants WHERE grantee = 'muster_app'"
    )
    held: dict[str, set[str]] = {}
    for table, right in rights:
        held.setdefault(table, set()).add(right)
    assert held["events_event"] == {"SELECT", "INSERT"}
    assert held["events_streamentry"] == {"SELECT", "INSERT"}
    assert held["events_refusal"] == {"SELECT", "INSERT"}
    assert held["events_streamhead"] == {"SELECT", "INSERT"}
    assert held["incidents_incident"] == {"SELECT", "INSERT", "UPDATE", "DELETE"}
    owners = dict(stack.query("SELECT tablename, tableowner FROM pg_tables WHERE schemaname = 'public'"))
    assert owners["events_event"] == "muster_log_owner"


@pytest.mark.parametrize("name", ["web", "engine", "worker-urgent", "beat", "redis", "postgres"])
def test_a_killed_process_comes_back(stack: stacks.System, name: str) -> None:
    old = stack.kill(name)
    stack.until(
        lambda: stack.supervisor.state(name) == "RUNNING" and stack.supervisor.pid(name) != old, what=f"{name} again"
    )
    stack.wait_ready()
    assert httpx.get(f"{stack.base_url}/health/ready").status_code == 200


def test_pages_are_ready_without_redis(stack: stacks.System) -> None:
    stack.stop_one("redis")
    try:
        assert httpx.get(f"{stack.base_url}/health/ready").status_code == 200
    finally:
        stack.start_one("redis")
        stack.until(lambda: stack.supervisor.state("redis") == "RUNNING", what="redis")


def test_ready_says_503_while_postgres_is_frozen_and_recovers(stack: stacks.System) -> None:
    server = psutil.Process(stack.supervisor.pid("postgres"))
    frozen = [server, *server.children(recursive=True)]
    for process in frozen:
        process.suspend()
    try:
        began = time.monotonic()
        answer = httpx.get(f"{stack.base_url}/health/ready", timeout=20)
        taken = time.monotonic() - began
    finally:
        for process in reversed(frozen):
            process.resume()
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
    assert taken < 12  # far from for ever; the exact figure belongs to the measurements
    stack.until(lambda: stack.web_answers() == "", what="recovery")


def test_what_hangs_or_lost_its_socket_is_restarted_by_its_handle(stack: stacks.System) -> None:
    """A frozen web process and engine answer nobody; Redis's socket is removed, PostgreSQL's is replaced."""
    said: list[str] = []
    watch = Watch(stack, said.append, grace=5)
    stack.until(lambda: stack.web_answers() == "", what="a web process to freeze")
    old = {name: stack.supervisor.pid(name) for name in ("web", "engine", "redis", "postgres")}
    for name in ("web", "engine"):
        psutil.Process(old[name]).suspend()
    stack.instance.redis_socket.unlink()
    began = time.monotonic()
    stack.until(lambda: watch.tick() and stack.supervisor.pid("redis") not in {0, old["redis"]}, what="Redis again")
    assert time.monotonic() - began < 10
    for name in ("engine", "web"):
        stack.until(
            lambda name=name: watch.tick() and stack.supervisor.pid(name) not in {0, old[name]},  # type: ignore[misc]
            what=f"{name} again", seconds=40,
        )  # fmt: skip
    stack.wait_ready()

    socket = stack.instance.postgres_run / ".s.PGSQL.5432"
    socket.unlink()
    socket.mkdir()
    stack.until(
        lambda: watch.tick() and stack.supervisor.pid("postgres") not in {0, old["postgres"]}, what="PostgreSQL again"
    )
    stack.until(lambda: stack.web_answers() == "", what="recovery")
    assert {line.split(":")[0] for line in said} == {"web", "engine", "redis", "postgres"}, said
    assert status.restarts(stack.instance)["web"] >= 1
