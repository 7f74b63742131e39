"""What does the wiring itself write?"""

from datetime import datetime, timedelta
from typing import Any

from django.db.models.functions import Now

from coordination.config.models import Backup, Canary, WorkerCanary
from coordination.deadlines import alarms

FORGET_AFTER = timedelta(days=1)


def sing(queue: str, worker: str = "") -> None:
    """Note, by the database's clock, that a worker of ``queue`` did a task just now; ``worker``: which one."""
    Canary.objects.update_or_create(queue=queue, defaults={"at": Now()})
    if worker:
        made = WorkerCanary.objects.update_or_create(worker=worker[:120], defaults={"queue": queue, "at": Now()})[1]
        if made:  # with each new one those go that are long gone
            WorkerCanary.objects.filter(at__lt=Now() - FORGET_AFTER).delete()


def park(name: str, task_id: str, args: list[Any], kwargs: dict[str, Any], *, now: datetime) -> bool:
    """Alarm that a task is tried no more, with what is needed to send it again; whether the alarm is new."""
    detail = {"task": name, "args": args, "kwargs": kwargs}
    return alarms.raise_alarm(alarms.POISON, f"task:{task_id}", detail, now=now)


def backed_up(kind: str, position: str, size: int) -> None:
    """Note, by the database's clock, that one part of the backup went well just now."""
    Backup.objects.update_or_create(
        kind=kind, defaults={"at": Now(), "position": position[:120], "size": size}
    )
