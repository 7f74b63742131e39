"""Which keys does an instance have? Made once, 0600, outside of what is committed."""

import json
import os
import secrets
from pathlib import Path

from coordination.config.launcher.folders import FolderProblem, Instance
from coordination.config.launcher.roles import ROLES


def keys(instance: Instance) -> dict[str, str]:
    """Return the instance's keys as variables of the environment; make them when the instance is new.

    Raises FolderProblem when there is data but no key: new keys would make the old sessions, tokens and sealed values
    unreadable, which must be decided by a person.
    """
    path = instance.secrets
    if not path.exists():
        if (instance.postgres_data / "PG_VERSION").exists() and (instance.folder / "started").exists():
            raise FolderProblem(
                f"{instance.postgres_data} holds data, but {path} is missing: put it back from the backup"
            )
        made = {"MUSTER_SECRET_KEY": secrets.token_urlsafe(64)}
        made |= {f"password:{role}": secrets.token_urlsafe(24) for role in ROLES}
        _write(path, made)
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise FolderProblem(f"{path} cannot be read: put it back from the backup") from error
    return {str(name): str(value) for name, value in found.items()}


def _write(path: Path, values: dict[str, str]) -> None:
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(values, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
