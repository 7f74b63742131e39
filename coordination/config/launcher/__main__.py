"""What does the command line ask of the launcher?"""

import argparse
import sys
from pathlib import Path

from coordination.config.launcher.folders import FolderProblem, Instance, development
from coordination.config.launcher.services import LOCKED, Held, development_services, stop_services
from coordination.config.launcher.supervise import NotStarted


def main(arguments: list[str]) -> int:
    """Run one command; 0 well, 1 failed, 75 when another launcher holds the instance."""
    parser = argparse.ArgumentParser(prog="launcher", description="Start and stop Muster's processes.")
    parser.add_argument("--folder", type=Path, help="the instance's folder (default: var/dev)")
    commands = parser.add_subparsers(dest="command", required=True)
    services = commands.add_parser("services", help="PostgreSQL and Redis alone, left running, for tests")
    services.add_argument("--stop", action="store_true")
    asked = parser.parse_args(arguments)
    instance = Instance(asked.folder.absolute()) if asked.folder else development()
    try:
        if asked.stop:
            stop_services(instance)
        else:
            development_services(instance)
    except Held as error:
        print(error, file=sys.stderr)
        return LOCKED
    except (FolderProblem, NotStarted) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
