"""Which tables say that a queue's workers still work, and how old the backup is?"""

from django.db import models


class Canary(models.Model):
    """The last time a worker of this queue did the canary's task, by the database's clock."""

    queue = models.CharField(max_length=20, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.queue} {self.at:%H:%M:%S}"


class WorkerCanary(models.Model):
    """The last time one worker, of however many serve a queue, did a task, by the database's clock."""

    worker = models.CharField(max_length=120, primary_key=True)
    queue = models.CharField(max_length=20)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.worker} {self.at:%H:%M:%S}"


class Backup(models.Model):
    """The last time one part of the backup went well, by the database's clock: ``base``, ``wal`` or ``files``.

    ``position``: how far it reaches (a place in the write-ahead log, a number of files); ``size`` in bytes.
    """

    kind = models.CharField(max_length=20, primary_key=True)
    at = models.DateTimeField()
    position = models.CharField(max_length=120, blank=True)
    size = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M:%S} {self.position}"
