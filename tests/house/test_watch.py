"""Is the right process restarted when a queue's canary is silent?"""

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
