"""How is this room known to Django?"""

from django.apps import AppConfig


class Config(AppConfig):
    """Incidents, reports, participation, log."""

    name = "incidents"
    label = "incidents"
    default_auto_field = "django.db.models.BigAutoField"
