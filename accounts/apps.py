"""How is this room known to Django?"""

import importlib

from django.apps import AppConfig


class Config(AppConfig):
    """Departments, people, posts, duty rosters, API clients."""

    name = "accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Have the checks of this room known."""
        importlib.import_module("accounts.checks")
