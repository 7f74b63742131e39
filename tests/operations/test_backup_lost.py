"""Backup under load, the machine lost, the system back: at most a minute is missing, and the log holds together.

The load writes through the REST API and notes what was acknowledged and when. Then every process is killed and every
folder of the machine removed; only the backup's folder and its key are left.
"""

from __future__ import annotations

import json
import shutil
import signal
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from coordination.config.backup import seal
from coordination.config.backup.drill import drill
from coordination.config.backup.source import Store
from coordination.config.launcher import demo
from coordination.config.launcher.folders import Instance
from coordination.config.launcher.roles import OWNER
from coordination.config.launcher.stack import Stack, connect
from tests import stacks
from tests.api.client import Api, City, Party, photo
from tests.browser.window import patience

pytestmark = pytest.mark.long

LOAD_SECONDS = 75.0
MOST_LOST_SECONDS = 60.0
RESTORE_SECONDS, RESTORE_BYTES = 15 * 60, 10 * 1024**3
START_SECONDS = 60
"""What a start takes however little there is to restore."""
EVERY = "5"
TOKEN = "a-token-for-this-test"


class Load:
    """People who write log lines, reports and photos, and remember what was acknowledged: (when, kind, id)."""

    def __init__(self, system: stacks.System) -> None:
        self.system, self.stop, self.kept, self.lock = system, threading.Event(), [], threading.Lock()
        city = City(Api(system.base_url), system.accounts)
        writers = [city.person(department, "duty_officer") for department in ("city", "fire", "health")]
        self.threads = [threading.Thread(target=self._write, args=pair, daemon=True) for pair in enumerate(writers)]

    def _write(self, number: int, writer: Party) -> None:
        count = 0
        while not self.stop.is_set():
            count += 1
            try:
                if count % 20 == 0:
                    files = {"file": ("p.png", photo(), "image/png")}
                    answer = writer.http.post(
                        f"{self.system.base_url}/api/v1/attachments", files=files,
                        headers={"Idempotency-Key": f"photo-{number}-{count}-backup-test"},
                    )  # fmt: skip
                    kind = "attachment"
                else:
                    body = {"channel": "hotline", "text": f"line {number}-{count}", "place": "quay"}
                    answer = writer.send("POST", "/api/v1/reports", body)
                    kind = "report"
            except Exception:  # the machine is being lost
                return
            if answer.status_code in (200, 201):
                with self.lock:
                    self.kept.append((time.time(), kind, int(answer.json()["id"])))
            else:
                time.sleep(0.5)

    def __enter__(self) -> Load:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join(30)


def lose(system: stacks.System) -> None:
    """Kill every process by its handle and remove every folder: what a fire in the machine room leaves."""
    held = [psutil.Process(pid) for name in system.names if (pid := system.supervisor.pid(name))]
    supervisor = system.supervisor.process
    assert supervisor is not None
    everybody = {one.pid: one for root in [*held, psutil.Process(supervisor.pid)] for one in
                 [root, *root.children(recursive=True)]}  # fmt: skip
    supervisor.kill()
    for process in everybody.values():
        if process.is_running():
            process.kill()
    psutil.wait_procs(everybody.values(), timeout=20)
    supervisor.wait(20)
    demo.reset(system.instance)
    assert not system.instance.folder.exists() and not system.instance.postgres_data.exists()


def deep(system: stacks.System) -> dict[str, Any]:
    """What the deep health page says; it must answer within 3 s, whatever hangs."""
    began = time.monotonic()
    answer = httpx.get(
        f"{system.base_url}/health/deep", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30, trust_env=False
    )
    took = time.monotonic() - began
    assert answer.status_code == 200 and took < 3.0, (answer.status_code, took)
    return dict(answer.json())


def frozen(system: stacks.System) -> None:
    """PostgreSQL stands still for a moment: the page says so in time."""
    system.kill("postgres", signal.SIGSTOP)
    try:
        parts = deep(system)["parts"]
    finally:
        system.kill("postgres", signal.SIGCONT)
    assert parts["postgresql"]["status"] == "bad" and parts["redis"]["status"] == "ok", parts
    system.until(lambda: deep(system)["parts"]["postgresql"]["status"] == "ok", seconds=30, what="the database again")


def test_a_lost_machine_comes_back(
    start_stack: Callable[..., stacks.System], tmp_path: Path, figure: Callable[[str], None]
) -> None:
    key_file, store = tmp_path / "safe" / "backup.key", Store(tmp_path / "other-disk")
    seal.make_key(key_file)
    system = start_stack(
        environment={
            "MUSTER_BACKUP_FOLDER": str(store.folder), "MUSTER_BACKUP_KEY_FILE": str(key_file),
            "MUSTER_BACKUP_EVERY": EVERY, "MUSTER_API_WRITES": "1000000", "MUSTER_METRICS_TOKEN": TOKEN,
        },
        more={"backup": ["backup", "follow"]},
    )  # fmt: skip
    with Load(system) as load:
        try:
            system.until(store.base_names, seconds=120, what="the first base")
            loaded_from = time.time()
            assert deep(system)["parts"]["backup"]["status"] == "ok"
            frozen(system)
            time.sleep(LOAD_SECONDS)
            ages = dict(system.query("SELECT kind, extract(epoch FROM now() - at)::float8 FROM config_backup"))
        finally:
            print(system.log("backup").read_text()[-2000:])
        lost_at = time.time()
        lose(system)
    assert set(ages) == {"base", "wal", "files"} and max(ages["wal"], ages["files"]) < MOST_LOST_SECONDS, ages

    for path in store.folder.rglob("*"):  # nothing there can be read by who finds the disk
        if path.is_file() and path.stat().st_size:
            assert path.read_bytes()[:16] == seal.MARK, path

    found: dict[str, set[int]] = {}

    def look(stack: Stack) -> None:
        for kind, table in (("report", "incidents_report"), ("attachment", "incidents_attachment")):
            with closing(connect(stack.database(OWNER))) as connection, connection.cursor() as cursor:
                cursor.execute(f"SELECT id FROM {table}")
                found[kind] = {row[0] for row in cursor.fetchall()}

    report = drill(Instance(tmp_path / "new" / "instance"), store, seal.read_key(key_file), look=look)
    print(report.shown())
    assert report.good, report.problems
    assert report.instruction > 0 and report.entries > 0
    acknowledged = [one for one in load.kept if one[0] <= lost_at]
    missing = [one for one in acknowledged if one[2] not in found[one[1]]]
    lost = max((lost_at - at for at, _kind, _id in missing), default=0.0)
    print(json.dumps({
        "acknowledged": len(acknowledged), "missing": len(missing), "lost_seconds": round(lost, 2),
        "load_seconds": round(lost_at - loaded_from, 1), "restore_seconds": round(report.restored_seconds, 1),
    }))  # fmt: skip
    older = [one for one in acknowledged if one[0] < lost_at - MOST_LOST_SECONDS]
    size = sum(path.stat().st_size for path in store.folder.rglob("*") if path.is_file())
    longest = START_SECONDS * patience() + RESTORE_SECONDS * size / RESTORE_BYTES
    figure(
        f"{len(missing)} of {len(acknowledged)} missing, of the last {lost:.1f} s; {size / 1e6:.0f} MB restored in "
        f"{report.restored_seconds:.0f} s (bound {longest:.0f})"
    )
    assert older and len(acknowledged) > 200
    assert lost <= MOST_LOST_SECONDS
    assert report.restored_seconds <= longest
    shutil.rmtree(tmp_path / "new", ignore_errors=True)
