"""How is this room known to Django?"""

from django.apps import AppConfig


class Config(AppConfig):
    """The log: audit, outbox and replay in one."""

    name = "coordination.events"
    label = "events"
    default_auto_field = "django.db.models.BigAutoField"
