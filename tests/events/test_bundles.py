"""Can a part of the log be proven by who has nothing but the file and a key, and is no change of it overlooked?"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import Department
from coordination.events import clock
from coordination.events.sealing import anchoring, anchors, bundle, line, sealer
from tests.events.deeds import PERSON, department, note
from tests.events.outside import ROOT
from tests.events.sealed import long_ago

pytestmark = pytest.mark.django_db(transaction=True)
KEY = "22" * 32


@pytest.fixture(autouse=True)
def _signed(settings: Any) -> Iterator[None]:
    settings.MUSTER_ANCHOR_KEY = KEY
    yield
    line.close()


def written(*names: str, times: int = 4) -> None:
    row = Department.objects.filter(code="fire").first() or department()
    for _ in range(times):
        note(actor=PERSON, now=clock.now(), department_id=row.pk, streams=names)


def sealed() -> None:
    while sealer.run_once().entries:
        pass


@pytest.fixture
def log() -> None:
    """An incident with eight lines, four of them in its brief stream too, another's lines between, anchored."""
    written("incident:5", "incident:5:brief")
    written("incident:6")
    written("incident:5")
    sealed()
    assert anchoring.make_due() is not None


def exported(path: Path, *words: str) -> list[dict[str, Any]]:
    call_command("export_log", str(path), *words)
    return [orjson.loads(one) for one in path.read_bytes().splitlines()]


def verified(*words: str) -> int:
    try:
        call_command("verify_log", *words)
    except SystemExit as ended:
        return int(ended.code or 0)
    except CommandError as error:
        return error.returncode
    return 0


def test_an_incident_goes_out_and_is_proven_without_a_database(log: None, tmp_path: Path) -> None:
    path, key = tmp_path / "five.jsonl", tmp_path / "key"
    lines = exported(path, "--incident", "5")
    assert [(one["stream"], one["seq"]) for one in lines if "record" in one] == [
        *(("incident:5", n) for n in range(1, 9)), *(("incident:5:brief", n) for n in range(1, 5)),
    ]  # fmt: skip
    assert b"incident:6" not in b"".join(
        one for one in path.read_bytes().splitlines() if b'"anchor"' not in one
    ), "nothing of another incident but where its chain stood"
    own = anchoring.key()
    assert own is not None
    key.write_text(anchors.raw(own.public_key()).hex() + "\n")
    environment = {**os.environ, "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing", "MUSTER_ANCHOR_KEY": "",
                   "DJANGO_SETTINGS_MODULE": "coordination.config.settings", "MUSTER_PROCESS": "command"}  # fmt: skip
    command = [sys.executable, "manage.py", "verify_log", "--bundle", str(path), "--key", str(key)]
    result = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, "proven: 12 entries in 2 chains\n"), result.stderr
    key.write_text("33" * 32)
    assert subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, check=False).returncode == 1


def test_a_part_leads_to_the_next_anchor_and_tells_nothing_of_what_lies_between(log: None, tmp_path: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE events_streamentry SET at = at - interval '1 hour' WHERE stream = 'incident:5'"
                       " AND seq < 4;"
                       "DELETE FROM events_seal; DELETE FROM events_sealhead; DELETE FROM events_anchor;"
                       "DELETE FROM events_anchorhead")  # fmt: skip
    sealed()
    anchoring.make_due()
    until = (datetime.now(UTC) - timedelta(minutes=30)).isoformat()
    lines = exported(tmp_path / "a", "--stream", "incident:5", "--to", until)
    assert [one["seq"] for one in lines if "record" in one] == [1, 2, 3]
    assert [one["seq"] for one in lines if "leaf" in one] == [4, 5, 6, 7, 8]
    assert verified("--bundle", str(tmp_path / "a")) == 0
    later = exported(tmp_path / "b", "--stream", "incident:5", "--from", until)
    assert [one["seq"] for one in later if "record" in one] == [4, 5, 6, 7, 8]
    assert verified("--bundle", str(tmp_path / "b")) == 0


def test_what_no_anchor_covers_yet_is_said(log: None, tmp_path: Path) -> None:
    written("incident:5", times=1)
    sealed()
    exported(tmp_path / "a", "--stream", "incident:5")
    assert verified("--bundle", str(tmp_path / "a")) == 2


def resigned(lines: list[dict[str, Any]]) -> bytes:
    """The lines as somebody would write them who has the key too."""
    body = b"".join(orjson.dumps(one) + b"\n" for one in lines[:-1])
    digest = bundle.hashlib.sha256(body).digest()
    key = anchoring.key()
    assert key is not None
    last = {"lines": len(lines) - 1, "digest": digest.hex(), "signature": anchors.sign(key, digest).hex()}
    return body + orjson.dumps(last) + b"\n"


def edited(lines: list[dict[str, Any]]) -> None:
    lines[3]["record"] = lines[3]["record"].replace("department", "departmenx")


def dropped(lines: list[dict[str, Any]]) -> None:
    del lines[3]


def swapped(lines: list[dict[str, Any]]) -> None:
    lines[2]["record"], lines[3]["record"] = lines[3]["record"], lines[2]["record"]


def moved(lines: list[dict[str, Any]]) -> None:
    lines[1]["record"] = lines[1]["record"].replace("10:incident:5", "10:incident:9")


def anew(lines: list[dict[str, Any]]) -> None:
    """Change one and reckon every seal after it anew."""
    edited(lines)
    prev = bytes.fromhex(lines[3]["prev"])
    for one in lines[3:]:
        if "record" in one:
            made = bundle.fields.sealed(prev, bundle.fields.leaf_of(one["record"]))
            one["prev"], one["hash"], prev = prev.hex(), made.hex(), made


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (edited, "content: incident:5 3: this is not what was sealed"),
        (dropped, "gap: incident:5 4: 2 is followed by 4"),
        (swapped, "content: incident:5 2: its record is that of another place"),
        (moved, "content: incident:5 1: its record is that of another place"),
        (anew, "anchor: incident:5 8: something up to here is not what was anchored"),
    ],
)  # fmt: skip
def test_every_change_of_a_bundle_is_found_and_named(
    log: None, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: Callable[[Any], None], says: str
) -> None:
    lines = exported(tmp_path / "a", "--stream", "incident:5")
    change(lines)
    (tmp_path / "a").write_bytes(b"".join(orjson.dumps(one) + b"\n" for one in lines))
    assert verified("--bundle", str(tmp_path / "a")) == 1
    assert "its lines are not those that were signed" in capsys.readouterr().out
    (tmp_path / "a").write_bytes(resigned(lines))
    assert verified("--bundle", str(tmp_path / "a")) == 1
    assert says in capsys.readouterr().out


def test_a_bundle_cut_off_is_not_taken_for_a_whole_one(log: None, tmp_path: Path) -> None:
    exported(tmp_path / "a", "--stream", "incident:5")
    whole = (tmp_path / "a").read_bytes().splitlines(keepends=True)
    (tmp_path / "a").write_bytes(b"".join(whole[:-1]))
    assert verified("--bundle", str(tmp_path / "a")) == 1
    for nonsense in (b"", b"{}\n", b"[1]\n", b"\x00\xff"):
        (tmp_path / "a").write_bytes(nonsense)
        assert verified("--bundle", str(tmp_path / "a")) == 2
    assert verified("--bundle", str(tmp_path / "absent")) == 2


def test_what_cannot_go_out_is_said(log: None, tmp_path: Path, settings: Any) -> None:
    with pytest.raises(CommandError, match="no sealed line"):
        exported(tmp_path / "a", "--incident", "99")
    with pytest.raises(CommandError, match="no moment"):
        exported(tmp_path / "a", "--from", "yesterday")
    assert not list(tmp_path.iterdir())
    (tmp_path / "a").touch()
    with pytest.raises(CommandError, match="there already"):
        exported(tmp_path / "a")
    settings.MUSTER_ANCHOR_KEY = ""
    with pytest.raises(CommandError, match="no key"):
        exported(tmp_path / "b")


def test_the_command_ends_with_what_it_found(log: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verified() == 0 and verified("--since-anchor") == 0 and verified("--stream", "incident:6") == 0
    assert capsys.readouterr().out.startswith("proven: 16 entries in 3 chains")
    assert verified("--stream", "incident:7") == 2
    kept = tmp_path / "witness"
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM events_anchor; DELETE FROM events_anchorhead")
        anchor = long_ago()
        kept.write_bytes(b'{"number": 1, "at\n' + orjson.dumps(anchor.shown()) + b"\n")
        assert verified("--anchors", str(kept)) == 0
        cursor.execute("DELETE FROM events_anchor; DELETE FROM events_anchorhead")
    assert verified() == 0
    assert verified("--anchors", str(kept)) == 1
    assert verified("--anchors", str(tmp_path / "absent")) == 2
    with connection.cursor() as cursor:
        cursor.execute("UPDATE events_event SET type = 'x'")
    assert verified() == 1
    capsys.readouterr()
    assert verified("--show-key") == 0
    assert len(capsys.readouterr().out.strip()) == 64


def test_a_chain_that_is_wholly_gone_is_changed_and_not_absent(log: None) -> None:
    with connection.cursor() as cursor:
        for table in ("streamentry", "seal", "streamhead", "sealhead"):
            cursor.execute(f"DELETE FROM events_{table} WHERE stream = 'incident:6'")
    assert verified("--stream", "incident:6") == 1
    assert verified("--stream", "incident:6", "--since-anchor") == 1


def test_nothing_is_proven_of_a_chain_that_never_was_nor_by_a_file_without_anchors(log: None, tmp_path: Path) -> None:
    assert verified("--stream", "incident:7", "--since-anchor") == 2
    assert verified("--stream", "incident:6", "--since-anchor") == 0
    for text in ("", "another file\n"):
        wrong = tmp_path / "wrong"
        wrong.write_text(text)
        assert verified("--anchors", str(wrong)) == 2, text
