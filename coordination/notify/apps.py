"""How is this room known to Django?"""

from django.apps import AppConfig


class Config(AppConfig):
    """Notices, mail, SMS and webhooks."""

    name = "coordination.notify"
    label = "notify"
    default_auto_field = "django.db.models.BigAutoField"
