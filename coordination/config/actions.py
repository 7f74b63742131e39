"""What does the wiring itself write?"""

from django.db.models.functions import Now

from coordination.config.models import Backup, Canary


def sing(queue: str) -> None:
    """Note, by the database's clock, that a worker of ``queue`` did a task just now."""
    Canary.objects.update_or_create(queue=queue, defaults={"at": Now()})


def backed_up(kind: str, position: str, size: int) -> None:
    """Note, by the database's clock, that one part of the backup went well just now."""
    Backup.objects.update_or_create(
        kind=kind, defaults={"at": Now(), "position": position[:120], "size": size}
    )
