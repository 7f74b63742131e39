"""How does an operator run a command of manage.py against one instance, with its keys and its sockets?"""

import os
import subprocess
import sys
from collections.abc import Sequence

from coordination.config.launcher.folders import REPOSITORY, FolderProblem, Instance
from coordination.config.launcher.keys import keys
from coordination.config.launcher.stack import Stack
from coordination.config.launcher.words import gettext as _


def manage(instance: Instance, words: Sequence[str]) -> int:
    """Run ``manage.py <words>`` for ``instance`` in this terminal and return how it ended."""
    if not instance.secrets.exists():
        raise FolderProblem(
            _("%s holds no instance.") % instance.folder,
            "python -m coordination.config.launcher --folder <folder of the instance> manage <command>",
        )
    stack = Stack(instance, port=int(os.environ.get("PORT") or 8000))
    stack.keys = keys(instance)
    environment = {**os.environ, **stack.environment("command")}
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "manage.py", *words], cwd=REPOSITORY, env=environment, check=False
    ).returncode
