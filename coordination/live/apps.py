"""How is this room known to Django?"""

from django.apps import AppConfig


class Config(AppConfig):
    """WebSocket pointers to open screens."""

    name = "coordination.live"
    label = "live"
    default_auto_field = "django.db.models.BigAutoField"
