"""How is this room known to Django?"""

from django.apps import AppConfig


class Config(AppConfig):
    """Pages that draw on several rooms."""

    name = "coordination.screens"
    label = "screens"
    default_auto_field = "django.db.models.BigAutoField"
