"""How is a private Redis made and started?"""

import sys
import time
from pathlib import Path

import redis

from coordination.config.launcher.binaries import REDIS_PATCHED, redis_program
from coordination.config.launcher.folders import FolderProblem, Instance, check_socket_path, emptied, private
from coordination.config.launcher.postgres import working_in
from coordination.config.launcher.words import gettext as _


def prepare(instance: Instance) -> list[str]:
    """Make its folders and return the command: a socket and no TCP, nothing evicted, flushed each second."""
    program, version = redis_program()
    if version < REDIS_PATCHED:
        print(
            f"note: Redis {'.'.join(map(str, version))} lacks the fix of CVE-2025-49844; it is reachable over a "
            "private socket only. Install a newer redis-server to have it used.",
            file=sys.stderr,
        )
    data = private(instance.redis_data)
    strangers = working_in(data)
    if strangers:
        raise FolderProblem(_("Processes still work in %s.") % data, f"kill -TERM {' '.join(map(str, strangers))}")
    emptied(private(instance.redis_socket.parent))
    check_socket_path(instance.redis_socket)
    return [
        str(program), "--port", "0", "--unixsocket", str(instance.redis_socket), "--unixsocketperm", "700",
        "--dir", str(data), "--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
        "--maxmemory-policy", "noeviction", "--daemonize", "no", "--databases", "16",
    ]  # fmt: skip


def set_aside(instance: Instance) -> Path:
    """Put files that Redis cannot read out of its way, and return where: they hold nothing that is not made again."""
    aside = instance.redis_data.with_name(f"redis-unreadable-{time.strftime('%Y%m%d-%H%M%S')}")
    instance.redis_data.rename(aside)
    private(instance.redis_data)
    return aside


def url(instance: Instance, number: int = 0) -> str:
    """Return the address of one of its numbered databases."""
    return f"unix://{instance.redis_socket}?db={number}"


def answers(instance: Instance) -> str:
    """Return "" when it answers, else what is wrong."""
    client = redis.Redis(unix_socket_path=str(instance.redis_socket), socket_timeout=2, socket_connect_timeout=2)
    try:
        client.ping()
    except redis.RedisError as error:
        return str(error) or "no answer"
    finally:
        client.close()
    return ""
