"""How do PostgreSQL and Redis come up, in what order, and when are they ready?"""

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator

from coordination.config.launcher import postgres, redis_server
from coordination.config.launcher.folders import Instance, private
from coordination.config.launcher.supervise import GONE_STATES, NotStarted, Program, Supervisor, tail

LOCKED = 75  # EX_TEMPFAIL: somebody else does it; try later


class Held(RuntimeError):
    """Another launcher holds this instance."""


@contextlib.contextmanager
def only_one(instance: Instance, *, wait: float = 0) -> Iterator[None]:
    """Hold the instance; raise Held, naming the holder, when another does after ``wait`` seconds."""
    private(instance.folder)
    path = instance.folder / "launcher.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    deadline = time.monotonic() + wait
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise Held(f"{instance.folder} is in use: {_holder(descriptor)}") from None
                time.sleep(0.1)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "since": int(time.time())}).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def holder(instance: Instance) -> int:
    """Return the process id of the launcher that holds the instance, 0 when none does."""
    path = instance.folder / "launcher.lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return 0
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(json.loads(os.pread(descriptor, 200, 0))["pid"])
        return 0
    except (ValueError, KeyError, TypeError):
        return 0
    finally:
        os.close(descriptor)


def _holder(descriptor: int) -> str:
    try:
        said = json.loads(os.pread(descriptor, 200, 0))
        return f"process {said['pid']} since {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(said['since']))}"
    except (ValueError, KeyError, TypeError):
        return "by another launcher"


def service_programs(instance: Instance, *, own_postgres: bool = True, own_redis: bool = True) -> list[Program]:
    """Make the folders and return PostgreSQL and Redis as programs, those that are ours."""
    private(instance.folder)
    private(instance.run)
    private(instance.logs)
    found = []
    if own_postgres:
        # smart stop waits for ever, and a killed server must replay: INT, and time enough never to kill it
        found.append(
            Program(
                "postgres",
                postgres.prepare(instance),
                stop_signal="INT",
                stop_seconds=300,
                death_signal="INT",
                as_postgres_user=True,
                stop_group=False,
            )
        )
    if own_redis:
        found.append(Program("redis", redis_server.prepare(instance), stop_seconds=20))
    return found


def wait_ready(supervisor: Supervisor, name: str, answers: Callable[[], str], *, seconds: float = 60) -> None:
    """Wait until ``answers()`` returns "". A server that replays its log ("starting up") has all the time it needs.

    Raises NotStarted with the end of the program's log.
    """
    deadline = time.monotonic() + seconds
    while True:
        said = answers()
        if not said:
            return
        if "starting up" in said or "recovery" in said:
            deadline = time.monotonic() + seconds
        state = supervisor.state(name)
        if state in GONE_STATES or time.monotonic() > deadline:
            log = tail(supervisor.instance.logs / f"{name}.log")
            raise NotStarted(f"{name} is not ready ({state}; {said})\n{log}")
        time.sleep(0.1)


def start_services(supervisor: Supervisor, *, with_postgres: bool = True, with_redis: bool = True) -> None:
    """Start both in order, each ready before the next, PostgreSQL with its roles and database."""
    instance = supervisor.instance
    if with_postgres:
        supervisor.launch("postgres")
        wait_ready(supervisor, "postgres", lambda: postgres.answers(instance))
        postgres.set_up(instance)
    if with_redis:
        supervisor.launch("redis")
        wait_ready(supervisor, "redis", lambda: redis_server.answers(instance))


def development_services(instance: Instance) -> None:
    """Bring up PostgreSQL and Redis alone and leave them running; nothing to do when they answer."""
    if _both_answer(instance):
        return
    with only_one(instance, wait=120):
        supervisor = Supervisor(instance)
        if not supervisor.alive():
            supervisor.start(service_programs(instance), detached=True)
        start_services(supervisor)


def _both_answer(instance: Instance) -> bool:
    if not instance.redis_socket.exists() or not instance.postgres_run.exists():
        return False
    return not postgres.answers(instance) and not redis_server.answers(instance)


def stop_services(instance: Instance) -> None:
    """Stop what ``development_services`` started."""
    supervisor = Supervisor(instance)
    if not supervisor.alive():
        return
    for name in ("redis", "postgres"):
        supervisor.stop(name)
    supervisor.shutdown()
