"""What does the wiring itself write?"""

from django.db.models.functions import Now

from coordination.config.models import Canary


def sing(queue: str) -> None:
    """Note, by the database's clock, that a worker of ``queue`` did a task just now."""
    Canary.objects.update_or_create(queue=queue, defaults={"at": Now()})
