"""Is the right process restarted when a queue's canary is silent?"""

from pathlib import Path

import pytest

from coordination.config.launcher import watch
from coordination.config.launcher.folders import Instance, private
from coordination.config.launcher.stack import Stack
from coordination.config.launcher.supervise import NotStarted
from coordination.config.launcher.watch import hung

NONE = {"urgent": 0, "normal": 0, "bulk": 0}


def test_a_worker_hangs_only_when_something_waits_for_it() -> None:
    assert hung({"urgent": 105.0, "normal": 3.0, "bulk": 9.0}, NONE) == {}
    assert hung({"urgent": 105.0, "normal": 3.0, "bulk": 9.0}, NONE | {"urgent": 7}) == {
        "worker-urgent": "took no task for 105 s, 7 wait"
    }
    assert hung({"urgent": 24.0, "normal": 3.0, "bulk": 9.0}, NONE | {"urgent": 7}) == {}


def test_beat_hangs_when_nothing_is_sent_to_anybody() -> None:
    assert hung({"urgent": 105.0, "normal": 50.0, "bulk": 60.0}, NONE) == {"beat": "sent nothing for 50 s"}
    assert set(hung({"urgent": 105.0, "normal": 50.0, "bulk": 60.0}, NONE | {"bulk": 2})) == {"worker-bulk"}


def test_a_canary_that_never_sang_is_silent() -> None:
    assert hung({}, NONE) == {"beat": "sent nothing for inf s"}
    assert set(hung({}, {"urgent": 3, "normal": 1, "bulk": 1})) == {"worker-urgent", "worker-normal", "worker-bulk"}


class Refusing:
    """A supervisor that lives and has no room for one more process just now."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def alive(self) -> bool:
        return True

    def state(self, name: str) -> str:
        return "FATAL" if name in {"beat", "web"} else "RUNNING"

    def launch(self, name: str) -> None:
        self.asked.append(name)
        raise NotStarted(f"{name}: SPAWN_ERROR")


def test_what_cannot_be_started_again_just_now_does_not_end_the_rest(tmp_path: Path) -> None:
    stack = Stack(Instance(private(tmp_path / "instance")), port=0)
    refusing, said = Refusing(), []
    stack.supervisor = refusing  # type: ignore[assignment]
    looking = watch.Watch(stack, said.append)
    looking.last = dict.fromkeys(("web", "sockets", "hearts", "disk"), float("inf"))
    assert looking.tick(), "the launcher goes on watching"
    assert refusing.asked == ["beat", "web"]
    assert "beat: SPAWN_ERROR" in said


def test_what_hangs_is_not_young_because_the_clock_was_set_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = Stack(Instance(private(tmp_path / "instance")), port=0)
    looking = watch.Watch(stack, lambda _text: None)
    for age, young in ((5, True), (500, False), (-3600, False)):
        about = {"statename": "RUNNING", "now": 10_000 + age, "start": 10_000}
        monkeypatch.setattr(stack.supervisor, "information", lambda _name, about=about: about)
        assert looking._young("web") is young


class Told(watch.Watch):
    """A watch that is told how old the hearts are, and notes whom it would start again."""

    ages: dict[str, float] | None = None
    restarted: list[str]

    def _ages(self) -> dict[str, float] | None:
        return self.ages

    def _waiting(self) -> dict[str, int] | None:
        return None

    def _young(self, name: str, seconds: float | None = None) -> bool:
        return False

    def _restart(self, name: str, why: str, *, hangs: bool = True) -> None:
        self.restarted.append(name)


def test_a_heart_is_not_judged_by_the_time_that_postgresql_was_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    monkeypatch.setattr(watch.time, "monotonic", lambda: clock[0])
    told = Told(Stack(Instance(private(tmp_path / "instance")), port=0), lambda _text: None)
    told.restarted = []
    told.ages = {"engine": 11.0}
    told._hearts()
    assert told.restarted == ["engine"]
    told.ages = None
    told._hearts()
    told.ages = {"engine": 40.0}
    for _ in range(3):
        told._hearts()
        clock[0] += 3
    assert told.restarted == ["engine"], "it had no time to beat yet"
    clock[0] += 3
    told._hearts()
    assert told.restarted == ["engine", "engine"]
