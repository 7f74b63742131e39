"""Which table says that a queue's workers still work?"""

from django.db import models


class Canary(models.Model):
    """The last time a worker of this queue did the canary's task, by the database's clock."""

    queue = models.CharField(max_length=20, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.queue} {self.at:%H:%M:%S}"
