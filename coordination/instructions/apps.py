"""How is this room known to Django?"""

from django.apps import AppConfig


class Config(AppConfig):
    """The closed loop and its time ledger."""

    name = "coordination.instructions"
    label = "instructions"
    default_auto_field = "django.db.models.BigAutoField"
