"""Does the exporter show what every process counts and what the dependencies say, to those who may read it?"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from coordination.config.management.commands.metrics import listen
from coordination.config.monitor import exporter, facts, process
from coordination.events import clock
from coordination.notify.models import Delivery

ROOT = Path(__file__).resolve().parents[2]
Shown = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def shown(text: str) -> Shown:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text) for sample in family.samples
    }  # fmt: skip


@pytest.fixture
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ThreadingHTTPServer]:
    server = listen(getattr(request, "param", "127.0.0.1:0").replace("TMP", str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def base(server: ThreadingHTTPServer) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}"


@pytest.mark.django_db(transaction=True)
def test_every_number_is_shown_and_every_part_answers(served: ThreadingHTTPServer) -> None:
    answer = httpx.get(f"{base(served)}/metrics")
    assert answer.status_code == 200
    found = shown(answer.text)
    assert {key[1][0][1]: value for key, value in found.items() if key[0] == "muster_up"} == dict.fromkeys(
        exporter.ASKED, 1.0
    )
    names = {name for name, _labels in found}
    assert {
        "muster_engine_seconds", "muster_deadlines_overdue", "muster_lock_outs", "muster_database_connections",
        "muster_wal_written_bytes", "muster_disk_free_bytes", "muster_tasks_waiting",
    } <= names  # fmt: skip


@pytest.mark.parametrize("served", ["unix:TMP/s"], indirect=True)
@pytest.mark.django_db(transaction=True)
def test_a_private_socket_serves_too(served: ThreadingHTTPServer, tmp_path: Path) -> None:
    assert (tmp_path / "s").stat().st_mode & 0o077 == 0
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(tmp_path / "s"))) as client:
        assert client.get("http://local/metrics").status_code == 200
        assert client.get("http://local/").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_a_token_is_asked_for_where_there_is_one(served: ThreadingHTTPServer, settings: LazySettings) -> None:
    settings.MUSTER_METRICS_TOKEN = "a-token-for-this-test"
    ask = f"{base(served)}/metrics"
    assert httpx.get(ask).status_code == 401
    assert httpx.get(ask, headers={"Authorization": "Bearer another"}).status_code == 401
    assert httpx.get(ask, headers={"Authorization": "Bearer a-token-for-this-test"}).status_code == 200


def test_other_machines_need_a_token(settings: LazySettings) -> None:
    settings.MUSTER_METRICS_TOKEN = ""
    with pytest.raises(CommandError, match="MUSTER_METRICS_TOKEN"):
        listen("0.0.0.0:0")
    with pytest.raises(CommandError, match="host:port or unix:/path"):
        listen("here")
    with pytest.raises(CommandError, match="cannot listen"):
        listen("unix:/no/such/folder/s")


@pytest.mark.django_db(transaction=True)
def test_what_does_not_answer_is_missing_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> None:
        raise OSError("gone")

    monkeypatch.setitem(exporter.ASKED, "disk", (gone, exporter.ASKED["disk"][1]))
    found = shown(exporter.text().decode())
    assert found["muster_up", (("part", "disk"),)] == 0
    assert not [key for key in found if key[0].startswith("muster_disk")]


@pytest.mark.django_db
def test_each_request_is_counted_by_kind_and_class() -> None:
    def count(kind: str, status: str) -> float:
        return REGISTRY.get_sample_value("muster_requests_total", {"kind": kind, "status": status}) or 0.0

    before = [count(*one) for one in (("health", "2xx"), ("page", "4xx"), ("api", "4xx"))]
    Client().get("/health/live")
    Client().get("/no/such/page")
    Client().get("/api/v1/incidents")
    assert [count(*one) for one in (("health", "2xx"), ("page", "4xx"), ("api", "4xx"))] == [n + 1 for n in before]


COUNT = """
import os, sys
os.environ["PROMETHEUS_MULTIPROC_DIR"] = sys.argv[1]
from coordination.config.monitor import process
process.answered("/desk/", 500, 0.2)
process.SOCKETS.inc(3)
print("counted", flush=True)
if sys.argv[2] == "stay":
    sys.stdin.read()
"""


@pytest.mark.django_db(transaction=True)
def test_several_processes_are_added_up_and_the_dead_hold_no_sockets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(how: str) -> subprocess.Popen[str]:
        begun = subprocess.Popen(
            [sys.executable, "-c", COUNT, str(tmp_path), how], cwd=ROOT, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )  # fmt: skip
        assert begun.stdout is not None and begun.stdout.readline() == "counted\n"
        return begun

    alive, dead = start("stay"), start("go")
    dead.communicate()
    monkeypatch.setenv(process.FOLDER, str(tmp_path))
    found = shown(exporter.text().decode())
    alive.communicate("")
    assert found["muster_requests_total", (("kind", "page"), ("status", "5xx"))] == 2
    assert found["muster_request_seconds_count", (("kind", "page"),)] == 2
    assert found["muster_sockets", ()] == 3
    assert os.listdir(tmp_path)


@pytest.mark.django_db
def test_the_one_on_call_sees_what_the_database_does(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("activity")
    said = capsys.readouterr().out
    assert [line for line in said.splitlines() if not line.startswith("  ")] == [
        "longest statements (end one: SELECT pg_cancel_backend(pid)):", "connections:",
        "slots (log kept for whoever fetches it):", "refusals of the last hour:", "sign-ins after wrong passwords:",
    ]  # fmt: skip
    assert "muster-test" in said


@pytest.mark.django_db
@pytest.mark.parametrize("sent", [6_000, 24_000])
def test_messages_are_counted_without_reading_those_that_were_sent(sent: int) -> None:
    now = clock.now()
    states = ["sent"] * sent + ["failed"] * 2_000 + ["pending"] * 3
    Delivery.objects.bulk_create(
        Delivery(dedupe_key=str(n), channel="sms", state=state, object_type="x.y", object_id=n, available_at=now,
                 created_at=now - timedelta(days=n % 30))
        for n, state in enumerate(states)
    )  # fmt: skip
    Delivery.objects.bulk_create(
        Delivery(dedupe_key=f"lately {n}", channel="email", state="failed", object_type="x.y", object_id=n,
                 available_at=now, created_at=now - timedelta(minutes=n))
        for n in (1, 59, 61)
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE notify_delivery")
    with CaptureQueriesContext(connection) as asked:
        found = facts.deliveries()
    assert found == {
        ("sms", "pending"): 3,
        ("sms", "failed"): len([n for n in range(sent, sent + 2_000) if n % 30 == 0]),
        ("email", "failed"): 2,
    }
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + asked.captured_queries[0]["sql"])
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Seq Scan" not in plan and "delivery_hot" in plan and "delivery_failed" in plan, plan
