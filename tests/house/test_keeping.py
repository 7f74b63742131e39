"""Is what must outlive a power cut on the disk in time, and does a full disk of logs end nothing?"""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from supervisor import loggers

from coordination.config import files
from coordination.config.launcher import keeper
from coordination.config.management.commands.prepare import static_digest


def test_a_file_is_on_the_disk_with_its_folders_before_it_counts_as_kept(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MEDIA_ROOT = tmp_path
    flushed: list[str] = []
    real = os.fsync

    def note(descriptor: int) -> None:
        flushed.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    name = default_storage.save("2026/11/note.txt", ContentFile(b"water at the gate"))
    assert isinstance(default_storage._wrapped, files.DurableFiles)
    assert (tmp_path / name).read_bytes() == b"water at the gate"
    assert flushed == [str(tmp_path / one) for one in (name, "2026/11", "2026", ".")][:3] + [str(tmp_path)]


def test_half_a_list_of_static_files_is_made_anew(settings: Any, tmp_path: Path) -> None:
    settings.STATIC_ROOT = str(tmp_path)
    settings.STORAGES = {
        **settings.STORAGES, "staticfiles": {"BACKEND": "coordination.config.static.HashedStaticFiles"}
    }
    names = tmp_path / "staticfiles.json"
    names.write_text('{"paths": {"a.js": ')
    (tmp_path / ".collected").write_text(static_digest())
    call_command("prepare", "--static")
    assert json.loads(names.read_text())["paths"]
    assert (tmp_path / ".collected").read_text() == static_digest()


class Full:
    """A file on a full disk."""

    mode = "ab"

    def __init__(self) -> None:
        self.closed = 0

    def write(self, _text: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    def tell(self) -> int:
        raise ValueError("I/O operation on closed file")

    def flush(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def close(self) -> None:
        self.closed += 1
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_line_that_cannot_be_written_is_dropped_and_the_next_ones_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loggers.Handler, "handleError", keeper._drop)
    log = keeper.Lenient(str(tmp_path / "web.log"), "ab", 1000, 1)
    log.setFormat("%(message)s")
    log.stream.close()
    log.stream = Full()
    log.emit(loggers.LogRecord(loggers.LevelsByName.INFO, b"lost\n"))
    log.emit(loggers.LogRecord(loggers.LevelsByName.INFO, b"kept\n"))
    assert (tmp_path / "web.log").read_bytes() == b"kept\n"
    log.stream.close()
