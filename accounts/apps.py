"""How is this room known to Django?"""

from django.apps import AppConfig


class Config(AppConfig):
    """Departments, people, posts, duty rosters, API clients."""

    name = "accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"
