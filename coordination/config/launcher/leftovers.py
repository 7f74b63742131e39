"""What still works of a run that was killed, and how is it ended before the next begins?

Children end by themselves when their parent dies. One that hangs, or whose supervisor lost its socket, does not: it is
found by a mark in its environment and ended. PostgreSQL is never killed (see ``postgres.clear_stale_pid``).
"""

import contextlib
import os
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from coordination.config.launcher.folders import Instance

KEEPER = Path(__file__).with_name("keeper.py")
MARK = "MUSTER_LAUNCHED_FROM"
SECONDS = 8.0  # children that heard of their parent's death need this long to end well
SHUTTING_DOWN_SECONDS = 1.5  # a supervisor looks once a second what it was told
SUPERVISOR_SECONDS = 25.0


def environment(instance: Instance) -> dict[str, str]:
    """Return the environment of a supervisor, which its programs inherit."""
    return {**os.environ, MARK: str(instance.folder)}


def find(instance: Instance) -> list[psutil.Process]:
    """Return the processes of earlier runs of ``instance``, PostgreSQL's own not among them."""
    found = []
    wanted = str(instance.folder)
    own = {os.getpid(), *(process.pid for process in psutil.Process().parents())}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if (
                process.pid not in own
                and process.environ().get(MARK) == wanted
                and process.status() != psutil.STATUS_ZOMBIE
                and process.name() != "postgres"
            ):
                found.append(process)
    return found


def clear(instance: Instance) -> list[int]:
    """Wait for what is ending, end the rest, and return the ids of those that had to be killed."""
    if not find(instance):
        return []
    _until_gone(instance, SECONDS)
    # a supervisor restarts whatever ends beside it until it is told to end itself: it goes first, and the rest, who had
    # their time, are killed, so that it need not wait for them; PostgreSQL it stops in good order
    supervisors = [process for process in find(instance) if _supervises(process)]
    for process in supervisors:
        with contextlib.suppress(psutil.Error):
            process.resume()
            process.terminate()
    if supervisors:
        time.sleep(SHUTTING_DOWN_SECONDS)
    killed = _kill([process for process in find(instance) if not _supervises(process)])
    _until_gone(instance, SUPERVISOR_SECONDS)
    killed += _kill(find(instance))
    _until_gone(instance, SECONDS)
    return killed


def _kill(processes: Sequence[psutil.Process]) -> list[int]:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    return [process.pid for process in processes]


def _until_gone(instance: Instance, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while find(instance) and time.monotonic() < deadline:
        time.sleep(0.1)


def _supervises(process: psutil.Process) -> bool:
    try:
        return str(KEEPER) in process.cmdline()
    except psutil.Error:
        return False
