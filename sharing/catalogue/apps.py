"""How is this room known to Django?"""

from django.apps import AppConfig


class Config(AppConfig):
    """Code tables; later datasets and agreements."""

    name = "sharing.catalogue"
    label = "catalogue"
    default_auto_field = "django.db.models.BigAutoField"
