"""When does a loop of the engine take its first round?"""

import threading

from coordination.deadlines.engine.loop import Loop, run_forever


def test_a_loop_may_wait_before_its_first_round() -> None:
    stop = threading.Event()
    rounds: list[str] = []

    def late() -> float:
        rounds.append("late")
        return 1.0

    def at_once() -> float:
        rounds.append("at once")
        stop.set()
        return 1.0

    run_forever(stop, loops=(Loop("late", late, first_after=60.0), Loop("at once", at_once)))
    assert rounds == ["at once"]
