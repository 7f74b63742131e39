"""Could we really come back? Restores into a blank folder, starts it, checks the log, issues one instruction.

Only PostgreSQL, Redis and a web process are started: no engine, no workers, so that nothing that waited in the lost
system is sent to anybody a second time by a rehearsal.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from coordination.config.backup.restore import Restored, demand_blank, restore
from coordination.config.backup.seal import BackupProblem
from coordination.config.backup.source import Store
from coordination.config.launcher import demo
from coordination.config.launcher.demo import free_port
from coordination.config.launcher.folders import Instance
from coordination.config.launcher.keys import keys
from coordination.config.launcher.roles import BACKUP, OWNER
from coordination.config.launcher.services import start_services, wait_ready
from coordination.config.launcher.stack import Stack, connect
from coordination.events.sealing import fields
from coordination.events.sealing.verify import verify

# nobody outside hears of a rehearsal
SILENT = {
    "MUSTER_REQUIRE_MFA": "0", "MUSTER_SMTP_HOST": "", "MUSTER_SMS_URL": "", "MUSTER_DEADMAN_URL": "",
    "MUSTER_BACKUP_FOLDER": "", "MUSTER_OIDC_ISSUER": "",
}  # fmt: skip


@dataclass(slots=True)
class Report:
    """What the drill found; ``good`` when nothing is in ``problems``. ``newest``: when the last event happened."""

    base: str
    segments: int
    files: int
    entries: int = 0
    newest: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    instruction: int = 0
    restored_seconds: float = 0.0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether the restored system can be relied on."""
        return not self.problems

    def shown(self) -> str:
        """The report as JSON."""
        return json.dumps({"good": self.good, **asdict(self)}, indent=1, ensure_ascii=False)


def drill(
    instance: Instance, store: Store, key: bytes, *, until: datetime | None = None, keep: bool = False,
    say: Callable[[str], None] = print, look: Callable[[Stack], None] | None = None,
) -> Report:  # fmt: skip
    """Restore into the blank folder of ``instance``, try it, remove it (unless ``keep``); return what was found.

    ``look``: called with the running system before it is stopped.
    """
    for name in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(name, None)  # the drill has servers of its own
    began = time.monotonic()
    demand_blank(instance)
    stack = Stack(instance, port=free_port(), environment=SILENT, say=say)
    try:
        restored = restore(instance, store, key, until=until, say=say)
        report = Report(restored.base, restored.segments, restored.files, restored_seconds=time.monotonic() - began)
        stack.keys = keys(instance)
        start(stack)
        say("reading the log")
        check(stack, restored, report)
        say("issuing one instruction")
        try:
            report.instruction = issue(stack)
        except (httpx.HTTPError, BackupProblem, KeyError, ValueError) as error:
            report.problems.append(f"no instruction could be issued: {error}")
        if look is not None:
            look(stack)
    finally:
        stack.stop()
        if not keep:
            demo.reset(instance)
    report.seconds = time.monotonic() - began
    return report


def start(stack: Stack) -> None:
    """Start the servers and the web process, nothing else."""
    stack.supervisor.start(stack.programs())
    start_services(stack.supervisor)
    stack.manage("prepare", role=OWNER)
    stack.supervisor.launch("web")
    wait_ready(stack.supervisor, "web", lambda: stack.web_answers(seconds=15), seconds=180)


def check(stack: Stack, restored: Restored, report: Report) -> None:
    """Compare the log and the counts with what the base said of them."""
    # bases of before the log was sealed counted its chains in another way: of them only the places can be compared
    known = restored.manifest.get("chain") == fields.VERSION
    anchors = {
        stream: (int(seq), bytes.fromhex(made) if known else b"")
        for stream, (seq, made) in restored.manifest["anchors"].items()
    }
    with closing(connect(stack.database(BACKUP))) as connection:
        read = verify(connection, anchors)
        with connection.cursor() as cursor:
            for table in restored.manifest["counts"]:
                cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 - our own names, sealed by us
                report.counts[table] = int(cursor.fetchone()[0])
            cursor.execute("SELECT max(at) FROM events_event")
            newest = cursor.fetchone()[0]
    report.entries, report.newest = read.entries, newest.astimezone(UTC).isoformat() if newest else ""
    report.problems += read.problems
    for table in ("events_event", "events_streamentry"):
        if report.counts[table] < restored.manifest["counts"][table]:
            report.problems.append(f"{table}: {report.counts[table]} rows, the base had more")


def issue(stack: Stack) -> int:
    """Make two departments that exist in this copy alone, and have one give the other an order through the API."""
    made: dict[str, Any] = json.loads(stack.manage("drill_people").strip().splitlines()[-1])
    officer, commander = (Caller(stack.base_url, made[name]) for name in ("officer", "commander"))
    incident = commander.post(
        "incidents",
        {
            "type": made["type"], "headline_zh": "恢复演练", "headline_en": "Restore drill",
            "lead": made["issuer"], "commander_department": made["issuer"],
        },
    )  # fmt: skip
    commander.post(f"incidents/{incident['id']}/participations", {"department": made["executor"], "role": "support"})
    due = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    draft = officer.post(
        "instructions",
        {
            "incident_id": incident["id"], "headline_zh": "恢复演练", "headline_en": "Restore drill",
            "text": "Answer that you have read this.", "urgency": "immediate", "due_at": due,
            "targets": [{"department": made["executor"], "role": "lead"}],
        },
    )  # fmt: skip
    etag = commander.http.get(f"instructions/{draft['id']}").headers["ETag"]
    issued = commander.post(f"instructions/{draft['id']}/issue-first", {"reason": "Restore drill"}, etag=etag)
    if issued["state"] != "issued":
        raise BackupProblem(f"the instruction is {issued['state']}")
    return int(issued["id"])


class Caller:
    """Somebody who is signed in to the API."""

    def __init__(self, base: str, account: dict[str, Any]) -> None:
        self.http = httpx.Client(base_url=f"{base}/api/v1/", timeout=30, trust_env=False, headers={"Origin": base})
        answer = self.http.post("session", json=account)
        if answer.status_code != 201:
            raise BackupProblem(f"sign-in answers {answer.status_code}: {answer.text[:300]}")
        self.http.headers["X-CSRFToken"] = answer.json()["csrf_token"]

    def post(self, path: str, body: dict[str, Any], etag: str = "") -> dict[str, Any]:
        """POST under a new key and return the answer; raises BackupProblem for a refusal."""
        headers = {"Idempotency-Key": str(uuid.uuid4()), **({"If-Match": etag} if etag else {})}
        answer = self.http.post(path, json=body, headers=headers)
        if answer.status_code >= 300:
            raise BackupProblem(f"{path} answers {answer.status_code}: {answer.text[:300]}")
        return dict(answer.json())
