"""Which container engine is there, and what does it say about the containers of one project?"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any


class NoEngineError(RuntimeError):
    """There is no container engine here that answers, or no compose."""


def find() -> list[str]:
    """Return the command of compose: the engine's plug-in, or the older program; raises NoEngineError."""
    if shutil.which("docker") is None:
        raise NoEngineError("there is no docker (or podman's stand-in for it) on PATH")
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode != 0:
        raise NoEngineError("docker is installed, but no engine answers: is it started, and may you use it?")
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]) and _answers([*command, "version"]):
            return command
    raise NoEngineError("docker has no compose: install the package docker-compose-plugin, or docker-compose")


def _answers(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def run(*command: str, folder: Path | None = None, environment: Mapping[str, str] | None = None) -> str:
    """Run a command and return what it printed; raises RuntimeError with its words when it fails."""
    result = subprocess.run(
        command, cwd=folder, env={**os.environ, **(environment or {})}, capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {result.stdout[-3000:]}{result.stderr[-3000:]}")
    return result.stdout


def inspect(*names: str) -> list[dict[str, Any]]:
    """What the engine says of these containers."""
    return list(json.loads(run("docker", "inspect", *names))) if names else []


class Project:
    """One installation in a folder of its own, run as one compose project."""

    def __init__(self, name: str, folder: Path, files: Sequence[str], environment: Mapping[str, str]) -> None:
        self.name, self.folder, self.extra = name, folder, dict(environment)
        self.command = [*find(), "-p", name, *(word for file in files for word in ("-f", file))]

    def compose(self, *words: str) -> str:
        """Run one command of compose."""
        return run(*self.command, *words, folder=self.folder, environment=self.extra)

    def containers(self, service: str = "") -> list[dict[str, Any]]:
        """All containers, or those of one service, in order of their numbers."""
        labels = ["--filter", f"label=com.docker.compose.project={self.name}"]
        if service:
            labels += ["--filter", f"label=com.docker.compose.service={service}"]
        found = inspect(*run("docker", "ps", "--all", "--quiet", *labels).split())
        kept = [one for one in found if one["Config"]["Labels"].get("com.docker.compose.oneoff", "False") == "False"]
        return sorted(kept, key=lambda one: int(one["Config"]["Labels"]["com.docker.compose.container-number"]))

    def wait(self, good: Callable[[], str], seconds: float, what: str) -> None:
        """Wait until ``good()`` returns ""; raises RuntimeError with what it said last."""
        until = time.monotonic() + seconds
        while said := good():
            if time.monotonic() > until:
                raise RuntimeError(f"{what}: {said}")
            time.sleep(1)

    def not_healthy(self, *services: str) -> str:
        """Name the containers that do not run, or do not say that they are well; "" when there are none."""
        found = []
        for one in self.containers():
            service = one["Config"]["Labels"]["com.docker.compose.service"]
            if services and service not in services:
                continue
            state = one["State"]
            if service == "setup":
                good = state["Status"] == "exited" and state["ExitCode"] == 0
            else:
                good = state["Running"] and state.get("Health", {"Status": "healthy"})["Status"] == "healthy"
            if not good:
                found.append(f"{one['Name']} {state['Status']} {state.get('Health', {}).get('Status', '')}")
        return ", ".join(found)

    def kill(self, container: dict[str, Any]) -> None:
        """Kill a container's process, held by the handle the engine gives; its restart is the engine's affair.

        Where the process is not ours to kill (no root, or the engine is elsewhere), the engine kills it, and must then
        be told to start it again.
        """
        try:
            os.kill(int(container["State"]["Pid"]), signal.SIGKILL)
        except (PermissionError, ProcessLookupError):
            run("docker", "kill", "--signal", "KILL", container["Id"])
            run("docker", "start", container["Id"])
