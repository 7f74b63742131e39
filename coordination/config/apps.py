"""What do the rooms get handed at start that they may not reach for themselves?"""

from django.apps import AppConfig

from coordination.config import patience
from coordination.config.celery import app as celery_app
from coordination.config.settings.data import WAIT_SECONDS


class Config(AppConfig):
    """The wiring."""

    name = "coordination.config"
    label = "config"
    celery = celery_app  # tasks find their app by this import

    def ready(self) -> None:
        """Set the deadline towards PostgreSQL and hand out the plain lists."""
        patience.install(WAIT_SECONDS)
        self.celery.set_current()
