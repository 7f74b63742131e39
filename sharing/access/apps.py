"""How is this room known to Django?"""

from django.apps import AppConfig


class Config(AppConfig):
    """Scopes, grants, visibility, projection."""

    name = "sharing.access"
    label = "access"
    default_auto_field = "django.db.models.BigAutoField"
