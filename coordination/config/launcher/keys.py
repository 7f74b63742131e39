"""Which keys does an instance have? Made once, 0600, outside of what is committed."""

import json
import os
import secrets
from pathlib import Path

from coordination.config.launcher.folders import FolderProblem, Instance, quoted
from coordination.config.launcher.roles import ROLES
from coordination.config.launcher.words import gettext as _

ANCHOR_KEY = "MUSTER_ANCHOR_KEY"
"""What the log's anchors are signed with; of no use to read anything, so a lost one is made anew."""


def keys(instance: Instance) -> dict[str, str]:
    """Return the instance's keys as variables of the environment; make them when the instance is new.

    Raises FolderProblem when there is data but no key: new keys would make the old sessions, tokens and sealed values
    unreadable, which must be decided by a person.
    """
    path = instance.secrets
    if not path.exists():
        if (instance.postgres_data / "PG_VERSION").exists():
            raise FolderProblem(
                _("%(data)s holds data, but its keys are missing: %(path)s.")
                % {"data": instance.postgres_data, "path": path},
                restore(path),
            )
        made = {"MUSTER_SECRET_KEY": secrets.token_urlsafe(64), ANCHOR_KEY: secrets.token_hex(32)}
        made |= {f"password:{role}": secrets.token_urlsafe(24) for role in ROLES}
        _write(path, made)
    try:
        found = json.loads(path.read_text())
        if isinstance(found, dict) and ANCHOR_KEY not in found:  # an instance of before anchors were signed
            found[ANCHOR_KEY] = secrets.token_hex(32)
            _write(path, found)
        complete = {"MUSTER_SECRET_KEY", *(f"password:{role}" for role in ROLES)} <= set(found)
    except (OSError, ValueError, TypeError) as error:
        raise FolderProblem(_("The keys in %s cannot be read.") % path, restore(path)) from error
    if not complete:
        raise FolderProblem(_("There are keys missing in %s.") % path, restore(path))
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
    return {str(name): str(value) for name, value in found.items()}


def restore(path: Path) -> str:
    """Return what puts the keys back: they are part of each backup."""
    backup = _("BACKUP")
    return f"install -m 600 {backup}/{path.name} {quoted(path)}"


def _write(path: Path, values: dict[str, str]) -> None:
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(values, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the name too must outlive a power cut
    finally:
        os.close(folder)
