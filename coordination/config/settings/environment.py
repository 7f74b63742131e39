"""What does the environment say?"""

import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parents[3]
TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off"})


class BadSetting(ValueError):
    """A variable of the environment that cannot be understood; named, never shown."""


def flag(name: str, *, default: bool) -> bool:
    """Return a yes or no of the environment."""
    said = os.environ.get(name, "").strip().lower()
    if not said:
        return default
    if said in TRUE:
        return True
    if said in FALSE:
        return False
    raise BadSetting(f"{name} must be one of 1, 0, true, false, yes, no, on, off")


def number(name: str, *, default: float) -> float:
    """Return a number of the environment."""
    said = os.environ.get(name, "").strip()
    if not said:
        return default
    try:
        return float(said)
    except ValueError as error:
        raise BadSetting(f"{name} must be a number") from error


def words(name: str, *, default: list[str]) -> list[str]:
    """Return a list of the environment, written with commas."""
    said = os.environ.get(name, "")
    return [word.strip() for word in said.split(",") if word.strip()] or default


# What runs here: it decides how long a statement may take and how many connections are kept.
PROCESSES = ("web", "worker", "beat", "engine", "command", "test")
PROCESS = os.environ.get("MUSTER_PROCESS", "command")
if PROCESS not in PROCESSES:
    raise BadSetting(f"MUSTER_PROCESS must be one of {', '.join(PROCESSES)}")

# plain http on loopback: the embedded default; everything else is behind TLS
PLAIN_HTTP = flag("MUSTER_PLAIN_HTTP", default=False)
