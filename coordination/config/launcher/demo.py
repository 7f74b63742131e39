"""How does the demo city start, what is said when it is ready, and how is it thrown away?"""

import json
import shutil
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from coordination.config.launcher.folders import Instance
from coordination.config.launcher.stack import Stack

# in the demo city the list of sign-ins must be enough to come in
ENVIRONMENT = {"MUSTER_REQUIRE_MFA": "0", "MUSTER_DEMO": "1"}
# those who have the most to do in the story
SHOWN = (
    "city-commander",
    "city-duty1",
    "city-approver",
    "fire-duty1",
    "transport-duty1",
    "transport-head",
    "eco-duty1",
    "jw-eco-duty1",
    "jinwan-duty1",
    "haiqu-duty1",
    "water-duty1",
    "city-administrator",
)


def accounts_file(instance: Instance) -> Path:
    """Where the sign-ins and the clients' secrets are written."""
    return instance.folder / "accounts.json"


def stack(instance: Instance, *, port: int, say: Callable[[str], None]) -> Stack:
    """Return the demo city's system, not started: with its story, with nobody's mailbox and nobody's telephone."""
    telephones = free_port()
    environment = {
        **ENVIRONMENT,
        "MUSTER_MAIL_FOLDER": str(instance.folder / "mail"),
        "MUSTER_SMS_URL": f"http://127.0.0.1:{telephones}/messages",
    }
    more = {
        "telephones": ["sms_gateway", "--port", str(telephones), "--file", str(instance.folder / "sms.jsonl")],
        "story": ["story", "--begin"],
    }
    return Stack(instance, port=port, environment=environment, more=more, say=say)


def free_port() -> int:
    """Return a port of loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def load(instance: Instance) -> Sequence[str]:
    """Return the command of manage.py that makes the city or keeps it."""
    return ("load_demo", "--accounts", str(accounts_file(instance)))


def welcome(running: Stack) -> str:
    """Return what a new user needs: the address and some sign-ins."""
    lines = ["", f"  {running.base_url}/", ""]
    path = accounts_file(running.instance)
    try:
        people = json.loads(path.read_text())["people"]
    except (OSError, ValueError, KeyError):
        people = []
    lines += [
        f"  {person.get('user', ''):22} {person.get('password', ''):26} {person.get('department', '')} "
        f"· {person.get('post', '')}"
        for person in sorted((p for p in people if p.get("user") in SHOWN), key=lambda p: SHOWN.index(p["user"]))
    ]
    if people:
        lines.append(f"  all {len(people)} sign-ins, and the clients of other systems: {path}")
    lines += ["", "  Ctrl-C stops everything; the data stay. make demo-reset starts over.", ""]
    return "\n".join(lines)


def reset(instance: Instance) -> None:
    """Remove the data of a stopped instance."""
    for folder in (
        instance.postgres_data,
        instance.postgres_data.with_name(instance.postgres_data.name + "-programs"),
        instance.folder,
        instance.run,
        instance.postgres_run,
    ):
        if folder.exists() and not folder.is_symlink():
            shutil.rmtree(folder)
