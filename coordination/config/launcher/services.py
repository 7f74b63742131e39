"""How do PostgreSQL and Redis come up, in what order, and when are they ready?"""

import contextlib
import errno
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator

from coordination.config.launcher import leftovers, postgres, redis_server
from coordination.config.launcher.folders import FolderProblem, Instance, emptied, move_aside, private, quoted
from coordination.config.launcher.supervise import GONE_STATES, NotStarted, Program, Supervisor, tail
from coordination.config.launcher.words import Refusal, noted
from coordination.config.launcher.words import gettext as _

LOCK_BYTES = 200
REDIS_RETRIES = 3
POSTGRES_PRIORITY = 1  # stopped last: the others still write while they end
REDIS_PRIORITY = 2
LOCKED = 75  # EX_TEMPFAIL: somebody else does it; try later


class Held(Refusal):
    """Another launcher holds this instance."""


@contextlib.contextmanager
def only_one(instance: Instance, *, wait: float = 0, wait_for_stop: float = 0) -> Iterator[Callable[[], None]]:
    """Hold the instance; raise Held, naming the holder, when another does.

    ``wait``: so many seconds for any other; ``wait_for_stop``: for one that is just stopping. Yields what the holder
    calls when it begins to stop.
    """
    private(instance.folder)
    path = instance.folder / "launcher.lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise FolderProblem(
            _("The lock %(path)s cannot be opened: %(why)s.") % {"path": path, "why": error.strerror},
            move_aside(path),
        ) from error
    began = time.monotonic()
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                said = _said(descriptor)
                waited = time.monotonic() - began
                if waited >= (max(wait, wait_for_stop) if said.get("stopping") else wait):
                    raise Held(
                        _("%(folder)s is in use by %(who)s.") % {"folder": instance.folder, "who": _holder(said)},
                        f"python -m coordination.config.launcher --folder {quoted(instance.folder)} down",
                    ) from None
                time.sleep(0.1)
        about = {"pid": os.getpid(), "since": int(time.time())}
        _say(descriptor, about)
        yield lambda: _say(descriptor, about | {"stopping": 1})
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
            return _said(descriptor).get("pid", 0)
        return 0
    finally:
        os.close(descriptor)


def _said(descriptor: int) -> dict[str, int]:
    """Return what the holder wrote about itself: ``pid``, ``since``, ``stopping``; {} when that cannot be read."""
    try:
        found = json.loads(os.pread(descriptor, LOCK_BYTES, 0))
        return {"pid": int(found["pid"]), "since": int(found["since"]), "stopping": int(found.get("stopping", 0))}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _say(descriptor: int, about: dict[str, int]) -> None:
    # one write of one length: who reads meanwhile sees the old or the new
    os.pwrite(descriptor, json.dumps(about).ljust(LOCK_BYTES).encode(), 0)
    os.ftruncate(descriptor, LOCK_BYTES)


def _holder(said: dict[str, int]) -> str:
    if not said:
        return _("another launcher")
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(said["since"]))
    return _("process %(pid)s since %(since)s") % {"pid": said["pid"], "since": since}


def make_way(instance: Instance) -> None:
    """Make the folders, end what a killed run left at work, and throw its sockets away. The caller holds the instance
    and its supervisor does not answer.
    """
    private(instance.folder)
    private(instance.run)
    private(instance.logs)
    leftovers.clear(instance)
    emptied(instance.run)


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
                priority=POSTGRES_PRIORITY,
            )
        )
    if own_redis:
        command = redis_server.prepare(instance)
        found.append(Program("redis", command, stop_seconds=20, retries=REDIS_RETRIES, priority=REDIS_PRIORITY))
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
            raise not_ready(supervisor, name, state, said)
        time.sleep(0.1)


def not_ready(supervisor: Supervisor, name: str, state: str, said: str) -> NotStarted:
    """Return why a process does not get ready, by what it answers and the end of its log, and where to look."""
    path = supervisor.instance.logs / f"{name}.log"
    log = tail(path)
    remedy = f"less {quoted(path)}"
    if os.strerror(errno.ENOSPC) in f"{said}{log}":
        folders = f"{quoted(supervisor.instance.folder)} {quoted(supervisor.instance.postgres_data)}"
        remedy = noted(f"df -h {folders}", _("make room there, then start again: nothing that was saved is lost"))
    words = _("%(name)s does not get ready (%(state)s): %(said)s")
    return NotStarted(words % {"name": name, "state": state, "said": f"{said}\n{log}"}, remedy)


def start_services(supervisor: Supervisor, *, with_postgres: bool = True, with_redis: bool = True) -> None:
    """Start both in order, each ready before the next, PostgreSQL with its roles and database."""
    instance = supervisor.instance
    if with_postgres:
        supervisor.launch("postgres")
        wait_ready(supervisor, "postgres", lambda: postgres.answers(instance))
        postgres.set_up(instance)
    if with_redis:
        _start_redis(supervisor)


def _start_redis(supervisor: Supervisor) -> None:
    """Start Redis; when it cannot read its files, without them: everything in it is sent again from the tables."""
    instance = supervisor.instance
    supervisor.launch("redis")
    try:
        wait_ready(supervisor, "redis", lambda: redis_server.answers(instance))
    except NotStarted:
        if not any(instance.redis_data.iterdir()):
            raise
        supervisor.stop("redis")
        aside = redis_server.set_aside(instance)
        words = _("note: Redis could not start with its files; they are in %s now, and it starts anew.")
        print(words % aside, flush=True)
        supervisor.launch("redis")
        wait_ready(supervisor, "redis", lambda: redis_server.answers(instance))


def development_services(instance: Instance) -> None:
    """Bring up PostgreSQL and Redis alone and leave them running; nothing to do when they answer."""
    if _both_answer(instance):
        return
    with only_one(instance, wait=120):
        supervisor = Supervisor(instance)
        if supervisor.alive() and any(supervisor.state(name) in GONE_STATES for name in ("postgres", "redis")):
            stop_services(instance)  # what it was told to start is not there any more
        if not supervisor.alive():
            make_way(instance)
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
