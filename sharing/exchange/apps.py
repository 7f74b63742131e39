"""How is this room known to Django?"""

from django.apps import AppConfig


class Config(AppConfig):
    """Deliveries and downloads of records, and the formats they come in."""

    name = "sharing.exchange"
    label = "exchange"
    default_auto_field = "django.db.models.BigAutoField"
