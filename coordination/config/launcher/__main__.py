"""What does the command line ask of the launcher?"""

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg2

from coordination.config.launcher import command, compose, demo, status
from coordination.config.launcher.folders import REPOSITORY, FolderProblem, Instance, development
from coordination.config.launcher.services import (
    LOCKED,
    Held,
    development_services,
    holder,
    only_one,
    stop_services,
)
from coordination.config.launcher.stack import PARTS, Stack
from coordination.config.launcher.watch import Watch
from coordination.config.launcher.words import Refusal
from coordination.config.launcher.words import gettext as _

STOP_SECONDS = 330


class Stopped(Exception):
    """Somebody asked us to stop."""


def say(text: str) -> None:
    """Tell the person at the terminal."""
    print(text, flush=True)


def up(instance: Instance, port: int, *, city: bool, accept_clock: bool, parts: Sequence[str] = PARTS) -> int:
    """Start everything, stay until asked to stop, stop everything."""

    def stop(_number: int, _frame: object) -> None:
        raise Stopped

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    with only_one(instance, wait_for_stop=STOP_SECONDS) as leaving:
        stack = (
            demo.stack(instance, port=port, say=say)
            if city
            else Stack(instance, port=port, say=say, accept_clock=accept_clock, parts=parts)
        )
        if "engine" in stack.parts:
            stack.more |= operations()
        try:
            while True:
                run(stack, city=city)
                say(_("the supervisor is gone; starting everything again"))
                stack.stop()
        except Stopped:
            return 0
        finally:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            leaving()
            say(_("stopping"))
            stack.stop()
            say(_("stopped"))


def run(stack: Stack, *, city: bool) -> None:
    """Start everything and watch over it until the supervisor is gone."""
    began = time.monotonic()
    stack.start(load=demo.load(stack.instance) if city else ())
    stack.instance.last_refusal.unlink(missing_ok=True)
    say(f"ready after {time.monotonic() - began:.0f} s")
    say(demo.welcome(stack) if city else f"\n  {stack.base_url}\n")
    watch = Watch(stack, say)
    while watch.tick():
        time.sleep(1)


def run_as(user: str, *, city: bool) -> None:
    """Set who runs PostgreSQL, which refuses root; beyond the demo, whoever starts must name that user."""
    if user:
        os.environ["MUSTER_POSTGRES_USER"] = user
    elif not city and os.getuid() == 0 and not {"MUSTER_POSTGRES_USER", "DATABASE_URL"} & set(os.environ):
        raise FolderProblem(
            _("PostgreSQL does not run as root: name the user that runs it and owns its data."),
            "useradd --system muster\npython -m coordination.config.launcher up --user muster",
        )


def operations() -> dict[str, list[str]]:
    """Return what else runs where people depend on it: the metrics' exporter and, once it has a place, the backup."""
    found = {"metrics": ["metrics"]}
    if os.environ.get("MUSTER_BACKUP_FOLDER"):
        found["backup"] = ["backup", "follow"]
    return found


def down(instance: Instance) -> int:
    """Ask the launcher that holds the instance to stop, and wait until it has."""
    pid = holder(instance)
    if not pid:
        stop_services(instance)
        return 0
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while holder(instance) == pid:
        if time.monotonic() > deadline:
            say(_("process %s does not stop") % pid)
            return 1
        time.sleep(0.2)
    return 0


def main(arguments: list[str]) -> int:
    """Run one command; 0 well, 1 failed, 75 when another launcher holds the instance."""
    parser = argparse.ArgumentParser(prog="launcher", description="Start and stop Muster's processes.")
    parser.add_argument("--folder", type=Path, help="the instance's folder (default: var/demo, services: var/dev)")
    commands = parser.add_subparsers(dest="command", required=True)
    start = commands.add_parser("up", help="start everything and stay until Ctrl-C")
    start.add_argument("--demo", action="store_true", help="with the demo city and its story")
    start.add_argument("--port", type=int, default=int(os.environ.get("PORT") or 8000))
    start.add_argument("--user", default="", help="who runs PostgreSQL when we are root (the demo: nobody)")
    start.add_argument("--accept-clock", action="store_true", help="start with a clock before the newest event")
    start.add_argument(
        "--parts", nargs="+", choices=PARTS, default=PARTS, metavar="PART",
        help=f"which of our processes run here, where others run elsewhere: {' '.join(PARTS)}",
    )  # fmt: skip
    commands.add_parser("prepare", help="roles, tables and rights on the server of DATABASE_URL, then end")
    commands.add_parser("down", help="stop what `up` started")
    commands.add_parser("status", help="the state of each process")
    manage = commands.add_parser("manage", help="a command of manage.py, with the instance's keys and sockets")
    manage.add_argument("words", nargs=argparse.REMAINDER, metavar="command")
    commands.add_parser("reset", help="throw the instance's data away")
    services = commands.add_parser("services", help="PostgreSQL and Redis alone, left running, for tests")
    services.add_argument("--stop", action="store_true")
    asked = parser.parse_args(arguments)
    default = development() if asked.command == "services" else Instance(REPOSITORY / "var" / "demo")
    instance = Instance(asked.folder.absolute()) if asked.folder else default
    try:
        if asked.command == "up":
            run_as(asked.user, city=asked.demo)
            return up(instance, asked.port, city=asked.demo, accept_clock=asked.accept_clock, parts=asked.parts)
        if asked.command == "prepare":
            return compose.prepare()
        if asked.command == "down":
            return down(instance)
        if asked.command == "status":
            return status.show(instance, say)
        if asked.command == "manage":
            return command.manage(instance, asked.words)
        if asked.command == "reset":
            with only_one(instance, wait=5):
                stop_services(instance)
                demo.reset(instance)
            return 0
        if asked.stop:
            stop_services(instance)
        else:
            development_services(instance)
    except Held as error:
        print(error, file=sys.stderr)
        return LOCKED
    except (Refusal, OSError, psycopg2.Error) as error:
        refusal = status.refusal_of(error, instance)
        status.note_refusal(instance, refusal)
        print(refusal, file=sys.stderr)
        return 1
    except Stopped:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
