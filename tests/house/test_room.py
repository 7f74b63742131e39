"""What is refused when the disk fills, and is it said clearly, in both languages?"""

from __future__ import annotations

import errno
import shutil
import uuid
from collections import namedtuple
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import SimpleUploadedFile

from coordination.config.launcher import watch
from coordination.config.launcher.folders import Instance, private
from coordination.config.launcher.stack import Stack
from coordination.events import room
from tests.api.conftest import Speaker, city, speak, world  # noqa: F401 - fixtures

GB = 1_000_000_000
Usage = namedtuple("Usage", "total used free")
Fill = Callable[[int], None]


@pytest.fixture
def fill(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fill]:
    """Return what leaves so many free bytes of a disk of a terabyte."""

    def so(free: int) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(1_000 * GB, 1_000 * GB - free, free))
        monkeypatch.setattr(room, "_seen", (float("-inf"), room.OK))

    yield so
    monkeypatch.undo()
    room._seen = (float("-inf"), room.OK)


@pytest.mark.parametrize(
    ("free", "total", "level"),
    [
        (11 * GB, 1_000 * GB, room.OK), (9 * GB, 1_000 * GB, room.WARN), (4 * GB, 1_000 * GB, room.BAD),
        (GB - 1, 1_000 * GB, room.CRITICAL), (3 * GB, 20 * GB, room.OK), (int(1.9 * GB), 20 * GB, room.WARN),
        (int(0.9 * GB), 20 * GB, room.BAD), (int(0.39 * GB), 20 * GB, room.CRITICAL),
    ],
)  # fmt: skip
def test_the_smaller_of_share_and_bytes_decides(free: int, total: int, level: str) -> None:
    assert room.level_of(free, total) == level


def upload(speaker: Speaker, language: str = "en") -> Any:
    file = SimpleUploadedFile("note.txt", b"water at the gate", "text/plain")
    headers = speaker._all({"idempotency_key": str(uuid.uuid4()), "accept_language": language})
    return speaker.client.post("/api/v1/attachments", {"file": file}, headers=headers)


@pytest.mark.django_db
def test_almost_full_takes_no_files_and_keeps_the_words(
    speak: Callable[[str], Speaker], fill: Fill  # noqa: F811
) -> None:
    desk = speak("fire/duty_officer")
    fill(4 * GB)
    refused = upload(desk)
    assert (refused.status_code, refused.json()["code"]) == (507, "no_room"), refused.content
    assert refused["Retry-After"] == "60"
    assert "no files" in upload(desk, "en").json()["detail"]
    assert "不接收文件" in upload(desk, "zh-hans").json()["detail"]
    page = desk.client.get("/desk/", headers={"Accept-Language": "zh-hans"})
    assert "磁盘即将写满" in page.content.decode()
    fill(900 * GB)
    assert upload(desk).status_code == 201
    assert "磁盘即将写满" not in desk.client.get("/desk/", headers={"Accept-Language": "zh-hans"}).content.decode()


@pytest.mark.django_db
def test_full_takes_what_people_enter_by_hand_and_nothing_from_machines(
    speak: Callable[[str], Speaker], fill: Fill  # noqa: F811
) -> None:
    report = {"channel": "hotline", "text": "smoke"}
    fill(GB // 2)
    refused = speak("fire/client").post("/reports", report)
    assert (refused.status_code, refused.json()["code"]) == (507, "no_room"), refused.content
    assert speak("fire/duty_officer").post("/reports", report).status_code == 201
    assert speak("fire/client").get("/incidents").status_code == 200
    fill(4 * GB)
    assert speak("fire/client").post("/reports", report).status_code == 201


@pytest.mark.django_db
def test_a_disk_that_is_full_after_all_is_507_and_leaves_nothing(
    speak: Callable[[str], Speaker], monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:
    def full(*_: Any, **__: Any) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(FileSystemStorage, "_save", full)
    refused = upload(speak("fire/duty_officer"))
    assert (refused.status_code, refused.json()["code"]) == (507, "no_room")


class Quiet(Stack):
    """A stack of which only the folders are looked at."""


def test_the_watch_keeps_room_aside_and_gives_it_back(fill: Fill, tmp_path: Path) -> None:
    instance = Instance(private(tmp_path / "instance"))
    said: list[str] = []
    watching = watch.Watch(Quiet(instance, port=0), said.append)
    fill(900 * GB)
    watching._disk()
    assert instance.ballast.stat().st_size == watch.BALLAST_BYTES
    assert said == []
    fill(9 * GB)
    watching._disk()
    fill(4 * GB)
    watching._disk()
    assert instance.ballast.exists()
    fill(GB // 2)
    watching._disk()
    watching._disk()
    assert not instance.ballast.exists()
    assert [line.split(": ")[1].split(";")[0].split(":")[0] for line in said] == ["it fills", "almost full", "full"]
