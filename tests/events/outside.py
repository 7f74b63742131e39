"""How does a test start another process on its own database?"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from django.conf import settings
from django.db import connection

from coordination.config.addresses import Database, database_url

ROOT = Path(__file__).resolve().parents[2]


def environment(**more: str) -> dict[str, str]:
    """This process's environment, pointed at its test database and its Redis."""
    said = connection.settings_dict
    address = Database(
        name=said["NAME"],
        user=said["USER"],
        password=said["PASSWORD"],
        host=said["HOST"],
        port=said["PORT"] or None,
    )
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "coordination.config.settings",
        "DATABASE_URL": database_url(address),
        "REDIS_URL": settings.REDIS_URL,
        "MUSTER_REDIS_PREFIX": settings.REDIS_PREFIX,
        "MUSTER_SECRET_KEY": settings.SECRET_KEY,
        "MUSTER_PLAIN_HTTP": "1",
        "PYTHONPATH": str(ROOT),
        "DJANGO_ALLOW_ASYNC_UNSAFE": "",  # that of a test beside a browser is no process's own
        **more,
    }


def start(*arguments: str, **more: str) -> subprocess.Popen[bytes]:
    """Start ``python <arguments>``; the caller waits for it or kills it by this handle."""
    return subprocess.Popen([sys.executable, *arguments], env=environment(**more), cwd=ROOT)
