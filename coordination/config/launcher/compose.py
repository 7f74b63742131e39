"""How are roles, tables, rights and static files made on servers that are not ours, once before all processes start?"""

import os
import subprocess
import sys
from dataclasses import replace

from coordination.config.addresses import parse_database_url
from coordination.config.launcher.folders import REPOSITORY, FolderProblem
from coordination.config.launcher.roles import OWNER, ROLES
from coordination.config.launcher.stack import make_roles
from coordination.config.launcher.words import gettext as _


def password(role: str) -> str:
    """Return the password of ``role`` from the environment: ``muster_app`` → ``MUSTER_APP_PASSWORD``."""
    name = f"{role.upper()}_PASSWORD"
    found = os.environ.get(name, "")
    if not found:
        raise FolderProblem(_("%s is not set.") % name, f"export {name}=…")
    return found


def prepare() -> int:
    """Make the roles as the administrator of ``DATABASE_URL``, and the rest as the owner; return 0, or what failed."""
    url = os.environ.get("DATABASE_URL", "")
    if not url:
        raise FolderProblem(
            _("DATABASE_URL is not set: the address of a role that may create roles."),
            "export DATABASE_URL=postgresql://…",
        )
    passwords = {role: password(role) for role in ROLES}
    administrator = parse_database_url(url)
    make_roles(administrator, passwords)
    owner = replace(administrator, user=OWNER, password=passwords[OWNER])
    environment = {**os.environ, "DATABASE_URL": owner.url(), "MUSTER_PROCESS": "command"}
    command = [sys.executable, "manage.py", "prepare"]
    return subprocess.run(command, cwd=REPOSITORY, env=environment, check=False).returncode  # noqa: S603 - our own
