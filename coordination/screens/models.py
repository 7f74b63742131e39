"""Which table remembers where the demo's story stands?"""

from __future__ import annotations

from django.db import models


class StoryRun(models.Model):
    """One telling of the story. ``position`` is the next step; ``elapsed`` the story's seconds up to ``since``.

    ``since`` empty = paused or ended. ``names``: what steps have made, as {name: id}. ``told``: one line per
    step done or passed over (because a person had already acted).
    """

    speed = models.FloatField(default=1)
    position = models.IntegerField(default=0)
    elapsed = models.FloatField(default=0)
    since = models.DateTimeField(null=True)
    names = models.JSONField(default=dict)
    told = models.JSONField(default=list)
    played = models.JSONField(default=list)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"story {self.pk} at step {self.position}"
