"""How does an instance stand: its processes, its disk, and why it was last refused a start?"""

import json
import re
import time
import traceback
from collections import Counter
from collections.abc import Callable

from coordination.config.launcher.folders import Instance
from coordination.config.launcher.services import holder
from coordination.config.launcher.stack import Stack
from coordination.config.launcher.words import Refusal
from coordination.config.launcher.words import gettext as _
from coordination.events import room

SPAWNED = re.compile(r" spawned: '([^']+)' with pid ")
BEGUN = " supervisord started with pid "
NOTHING_RUNS, SOME_RUN = 3, 1


def show(instance: Instance, say: Callable[[str], None]) -> int:
    """Say how everything stands; return 0 when all run, 3 when none does, 1 otherwise."""
    code = _processes(instance, say)
    folders = [instance.folder, instance.postgres_data]
    say(_("disk: %s") % room.level_at(folders))
    refusal = last_refusal(instance)
    if refusal:
        say(_("last refused start: %s") % refusal["at"])
        say(f"    {refusal['wrong']}")
        if refusal["remedy"]:
            say(_("What mends it:"))
            say(f"    {refusal['remedy']}")
    return code


def _processes(instance: Instance, say: Callable[[str], None]) -> int:
    stack = Stack(instance, port=0)
    pid = holder(instance)
    if not stack.supervisor.alive():
        say(_("stopped") if not pid else _("process %s is starting or stopping it") % pid)
        return NOTHING_RUNS
    again = restarts(instance)
    states = {}
    head = (_("process"), _("state"), _("number"), _("running since"), _("restarts"))
    say("{:16} {:10} {:>8}  {:19}  {}".format(*head))
    for one in stack.supervisor.call.getAllProcessInfo():
        states[one["name"]] = one["statename"]
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(one["start"])) if one["pid"] else "-"
        say(f"{one['name']:16} {one['statename']:10} {one['pid'] or '-':>8}  {since:19}  {again[one['name']]}")
    say(_("launcher: %s") % (pid or "-"))
    return 0 if set(states.values()) == {"RUNNING"} else SOME_RUN


def restarts(instance: Instance) -> Counter[str]:
    """Return how often each process was started again since the supervisor began, as its log tells."""
    try:
        text = (instance.logs / "supervisor.log").read_text(errors="replace")
    except OSError:
        return Counter()
    started = Counter(SPAWNED.findall(text.rpartition(BEGUN)[2]))
    return Counter({name: times - 1 for name, times in started.items()})


def note_refusal(instance: Instance, refusal: Refusal) -> None:
    """Keep why a start was refused, for who asks later; where nothing can be written, nothing is kept."""
    said = {"at": time.strftime("%Y-%m-%d %H:%M:%S"), "wrong": refusal.wrong, "remedy": refusal.remedy}
    try:
        instance.last_refusal.write_text(json.dumps(said, ensure_ascii=False))
    except OSError:
        return


def last_refusal(instance: Instance) -> dict[str, str]:
    """Return ``at``, ``wrong`` and ``remedy`` of the last start that was refused; {} when there is none."""
    try:
        found = json.loads(instance.last_refusal.read_text())
        return {name: str(found[name]) for name in ("at", "wrong", "remedy")}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def refusal_of(error: Exception, instance: Instance) -> Refusal:
    """Put any failure of a start into the one form; what nobody foresaw keeps its traceback in the log."""
    if isinstance(error, Refusal):
        return error
    log = instance.logs / "launcher.log"
    try:
        with log.open("a") as file:
            file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {''.join(traceback.format_exception(error))}\n")
    except OSError:
        log = instance.folder
    words = f"{type(error).__name__}: {error}"
    if isinstance(error, OSError) and error.filename:
        return Refusal(_("The start failed at a file: %s") % words, f"ls -ld {error.filename}; df -h {instance.folder}")
    return Refusal(_("The start failed: %s") % words, f"less {log}")
