"""What does the environment say?"""

import os
from pathlib import Path
from urllib.parse import urlsplit

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


def provider_address(url: str, *, plain: bool) -> bool:
    """Say whether ``url`` may be an identity provider's: over TLS, or (``plain``) on this machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    near = plain and parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost", "::1"}
    return bool(parts.hostname and (parts.scheme == "https" or near) and not parts.query and not parts.fragment)


def words(name: str, *, default: list[str]) -> list[str]:
    """Return a list of the environment, written with commas."""
    said = os.environ.get(name, "")
    return [word.strip() for word in said.split(",") if word.strip()] or default


def secret(name: str) -> str:
    """Return a secret of the environment, or of the file that ``<name>_FILE`` names."""
    path = os.environ.get(f"{name}_FILE", "")
    if not path:
        return os.environ.get(name, "").strip()
    try:
        return Path(path).read_text().strip()
    except OSError as error:
        raise BadSetting(f"{name}_FILE cannot be read") from error


# What runs here: it decides how long a statement may take and how many connections are kept.
PROCESSES = ("web", "worker", "beat", "engine", "command", "test")
PROCESS = os.environ.get("MUSTER_PROCESS", "command")
if PROCESS not in PROCESSES:
    raise BadSetting(f"MUSTER_PROCESS must be one of {', '.join(PROCESSES)}")

# plain http on loopback: the embedded default; everything else is behind TLS
PLAIN_HTTP = flag("MUSTER_PLAIN_HTTP", default=False)
