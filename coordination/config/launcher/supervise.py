"""How are the processes held, restarted and stopped?

Supervisor holds them; it knows no readiness, so programs do not start by themselves: whoever starts them does so one
by one over its private socket, each when the one before is ready.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any

import psutil
from supervisor import xmlrpc as supervisor_xmlrpc

from coordination.config.launcher import leftovers
from coordination.config.launcher.folders import (
    REPOSITORY,
    FolderProblem,
    Instance,
    check_socket_path,
    private,
    unprivileged,
)
from coordination.config.launcher.words import Refusal
from coordination.config.launcher.words import gettext as _

SHIM = Path(__file__).with_name("shim.py")
RUNNING = "RUNNING"
CALL_SECONDS = 10.0
END_SECONDS = 60.0
GONE_STATES = frozenset({"STOPPED", "EXITED", "FATAL", "UNKNOWN"})


@dataclass(frozen=True)
class Program:
    """One process: its command, the signal that asks it to stop, and the seconds it may take for that.

    ``priority``: when the supervisor ends, what has the highest is stopped first, all of one priority together.
    """

    name: str
    command: Sequence[str]
    stop_signal: str = "TERM"
    stop_seconds: int = 10
    death_signal: str = "TERM"
    as_postgres_user: bool = False
    retries: int = 10
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_group: bool = True
    priority: int = 999


class NotStarted(Refusal):
    """A process that did not start; the message holds the end of its log."""


class Connection(supervisor_xmlrpc.UnixStreamHTTPConnection):  # type: ignore[misc]
    """A connection that gives up: a supervisor that hangs still has a socket that takes calls."""

    def connect(self) -> None:
        """Connect within the time that every call has."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(CALL_SECONDS)
        self.sock.connect(self.socketfile)


class Transport(supervisor_xmlrpc.SupervisorTransport):  # type: ignore[misc]
    """Supervisor's own transport, over such connections."""

    def __init__(self, path: Path) -> None:
        super().__init__(None, None, serverurl=f"unix://{path}")
        self.path = path
        self._get_connection = self.connect

    def connect(self) -> Connection:
        """Return a connection to the socket, not open yet."""
        made = Connection("localhost")
        made.socketfile = str(self.path)
        return made


class Supervisor:
    """The handle on one instance's supervisor."""

    def __init__(self, instance: Instance) -> None:
        """Talk to the supervisor of ``instance``, started or not."""
        self.instance = instance
        self.process: subprocess.Popen[bytes] | None = None
        self._proxy: Any = None
        self._transport: Any = None

    def configure(self, programs: Sequence[Program]) -> Path:
        """Write the configuration for ``programs`` and return its path."""
        private(self.instance.logs)
        check_socket_path(self.instance.supervisor_socket)
        logs = self.instance.logs
        parts = [
            f"[unix_http_server]\nfile={_escaped(str(self.instance.supervisor_socket))}\nchmod=0700\n",
            "[supervisord]\n"
            f"logfile={_escaped(str(logs / 'supervisor.log'))}\nlogfile_maxbytes=5MB\nlogfile_backups=2\n"
            f"pidfile={_escaped(str(self.instance.run / 'supervisor.pid'))}\nnodaemon=true\nidentifier=muster\n"
            + ("user=root\n" if os.getuid() == 0 else ""),
            "[rpcinterface:supervisor]\n"
            "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n",
        ]
        parts += [_section(program, logs) for program in programs]
        path = self.instance.run / "supervisor.conf"
        path.write_text("\n".join(parts))
        path.chmod(0o600)
        return path

    def start(self, programs: Sequence[Program], *, detached: bool = False) -> None:
        """Start the supervisor with ``programs``, none of them running yet.

        ``detached``: it outlives us (the development services); else it stops everything when we die.
        """
        configuration = self.configure(programs)
        command = [sys.executable, "-P", str(leftovers.KEEPER), "-c", str(configuration)]
        if not detached:
            command = [sys.executable, str(SHIM), "TERM", "-", "-", *command]
        self.instance.supervisor_socket.unlink(missing_ok=True)
        with (self.instance.logs / "supervisor.out").open("ab") as out:
            self.process = subprocess.Popen(  # noqa: S603 - our own command
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=REPOSITORY, start_new_session=True,
                env=leftovers.environment(self.instance),
            )  # fmt: skip
        deadline = time.monotonic() + 20
        while not self.alive():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise NotStarted(_("The supervisor did not start: %s") % tail(self.instance.logs / "supervisor.out"))
            time.sleep(0.05)

    @property
    def call(self) -> Any:
        """Supervisor's own calls."""
        if self._proxy is None:
            self._transport = transport = Transport(self.instance.supervisor_socket)
            self._proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport).supervisor
        return self._proxy

    def _forget(self) -> None:
        """Drop a connection that failed; the next call makes a new one."""
        connection = getattr(self._transport, "connection", None)
        if connection is not None and getattr(connection, "sock", None) is not None:
            connection.sock.close()
        self._proxy = self._transport = None

    def alive(self) -> bool:
        """Say whether it answers: asked once more, since a call that a signal cut short spoils its connection."""
        for _try in range(2):
            try:
                self.call.getState()
            except TimeoutError:
                self._forget()
                return False
            except (OSError, HTTPException, xmlrpc.client.Error):
                self._forget()
            else:
                return True
        return False

    def information(self, name: str) -> dict[str, Any]:
        """Return what it knows of a program: ``statename``, ``pid`` (0 when it does not run), ``spawnerr``."""
        try:
            return dict(self.call.getProcessInfo(name))
        except (OSError, HTTPException, xmlrpc.client.Error):
            self._forget()
            return {"statename": "UNKNOWN", "pid": 0, "spawnerr": "the supervisor does not answer"}

    def state(self, name: str) -> str:
        """Return RUNNING, STARTING, BACKOFF, STOPPED, EXITED, FATAL or UNKNOWN."""
        return str(self.information(name)["statename"])

    def pid(self, name: str) -> int:
        """Return the process id of a program, 0 when it does not run."""
        return int(self.information(name)["pid"])

    def launch(self, name: str) -> None:
        """Start a program without waiting until it is ready."""
        try:
            self.call.startProcess(name, False)
        except xmlrpc.client.Fault as fault:
            if "ALREADY_STARTED" not in fault.faultString:
                raise NotStarted(f"{name}: {fault.faultString}") from fault

    def stop(self, *names: str) -> None:
        """Stop programs, all at once, and wait until each has ended; one that does not run or exist is no error."""
        for name in names:
            try:
                self.call.stopProcess(name, False)
            except xmlrpc.client.Fault as fault:
                if not any(said in fault.faultString for said in ("NOT_RUNNING", "BAD_NAME")):
                    raise
        for name in names:
            while self.state(name) == "STOPPING":
                time.sleep(0.05)

    def restart(self, name: str) -> None:
        """Stop and start one program."""
        self.stop(name)
        self.launch(name)

    def shutdown(self, *, seconds: float = 60) -> None:
        """End the supervisor, its programs having been stopped, and wait until it is gone."""
        pid = 0
        try:
            pid = int(self.call.getPID())
            self.call.shutdown()
        except (OSError, HTTPException, xmlrpc.client.Error):
            pass
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process is not None:
                if self.process.poll() is not None:
                    self._forget()
                    return
            elif not pid or not _exists(pid):
                self._forget()
                return
            time.sleep(0.05)
        raise NotStarted(_("The supervisor does not end."), f"kill -TERM {pid}" if pid else "")

    def end(self) -> None:
        """End a supervisor that we hold but that no longer answers: it stops its programs, and then itself.

        Killed when it does not: its programs hear of that, PostgreSQL by the signal that asks it for a fast stop.
        """
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._forget()

    def kill(self, name: str) -> None:
        """Kill a program with its children, by its handle; the supervisor starts it again. Never for PostgreSQL."""
        pid = self.pid(name)
        if pid > 1:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)  # the supervisor gives each program a group of its own


def _exists(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _escaped(text: str) -> str:
    return text.replace("%", "%%")


def _quoted(argument: str) -> str:
    return '"' + argument.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _section(program: Program, logs: Path) -> str:
    uid = gid = "-"
    if program.as_postgres_user:
        runner = unprivileged()
        if runner is not None:
            uid, gid = str(runner.pw_uid), str(runner.pw_gid)
    command = [sys.executable, str(SHIM), program.death_signal, uid, gid, *program.command]
    if "\n" in "".join(command):
        raise FolderProblem(_("A path with a line break cannot be used."))
    environment = ",".join(f"{key}={_quoted(_escaped(value))}" for key, value in program.environment.items())
    return (
        f"[program:{program.name}]\n"
        f"command={_escaped(' '.join(_quoted(argument) for argument in command))}\n"
        + (f"environment={environment}\n" if environment else "")
        + f"directory={_escaped(str(REPOSITORY))}\n"
        "autostart=false\nautorestart=true\nstartsecs=1\n"
        f"startretries={program.retries}\npriority={program.priority}\n"
        f"stopsignal={program.stop_signal}\nstopwaitsecs={program.stop_seconds}\n"
        f"killasgroup={'true' if program.stop_group else 'false'}\n"
        "redirect_stderr=true\n"
        f"stdout_logfile={_escaped(str(logs / (program.name + '.log')))}\n"
        "stdout_logfile_maxbytes=10MB\nstdout_logfile_backups=3\n"
    )


def tail(path: Path, size: int = 1500) -> str:
    """Return the end of a log, for an error message."""
    try:
        return path.read_text(errors="replace")[-size:].strip()
    except OSError:
        return "(no log)"
