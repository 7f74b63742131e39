"""How are roles, tables, rights and static files made on servers that are not ours, once before all processes start?"""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from coordination.config.addresses import parse_database_url
from coordination.config.launcher.folders import REPOSITORY, FolderProblem, quoted
from coordination.config.launcher.roles import OWNER, ROLES
from coordination.config.launcher.stack import make_roles
from coordination.config.launcher.words import gettext as _


def secret(name: str) -> str:
    """Return a secret of the environment, or of the file that ``<name>_FILE`` names; "" when there is neither."""
    path = os.environ.get(f"{name}_FILE", "")
    if not path:
        return os.environ.get(name, "")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise FolderProblem(_("The file of %s cannot be read.") % f"{name}_FILE", f"ls -l {quoted(path)}") from error


def password(role: str) -> str:
    """Return the password of ``role``: ``muster_app`` → ``MUSTER_APP_PASSWORD``, or ``MUSTER_APP_PASSWORD_FILE``."""
    name = f"{role.upper()}_PASSWORD"
    found = secret(name)
    if not found:
        raise FolderProblem(_("%s is not set.") % name, f"export {name}=…")
    return found


def prepare() -> int:
    """Make the roles as the administrator of ``DATABASE_URL``, and the rest as the owner; return 0, or what failed.

    The administrator's password stands in the address, or in ``DATABASE_PASSWORD`` (``DATABASE_PASSWORD_FILE``).
    """
    url = os.environ.get("DATABASE_URL", "")
    if not url:
        raise FolderProblem(
            _("DATABASE_URL is not set: the address of a role that may create roles."),
            "export DATABASE_URL=postgresql://…",
        )
    passwords = {role: password(role) for role in ROLES}
    administrator = parse_database_url(url)
    if not administrator.password:
        administrator = replace(administrator, password=secret("DATABASE_PASSWORD"))
    make_roles(administrator, passwords)
    owner = replace(administrator, user=OWNER, password=passwords[OWNER])
    environment = {**os.environ, "DATABASE_URL": owner.url(), "MUSTER_PROCESS": "command"}
    command = [sys.executable, "manage.py", "prepare"]
    return subprocess.run(command, cwd=REPOSITORY, env=environment, check=False).returncode  # noqa: S603 - our own
