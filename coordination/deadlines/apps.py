"""How is this room known to Django?"""

from django.apps import AppConfig


class Config(AppConfig):
    """Due rows, ladders, engine, watchdog."""

    name = "coordination.deadlines"
    label = "deadlines"
    default_auto_field = "django.db.models.BigAutoField"
