"""How is this room known to Django?"""

from django.apps import AppConfig


class Config(AppConfig):
    """Code tables and the catalogue of datasets."""

    name = "sharing.catalogue"
    label = "catalogue"
    default_auto_field = "django.db.models.BigAutoField"
