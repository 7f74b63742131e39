"""What do the rooms get handed at start that they may not reach for themselves?"""

from django.apps import AppConfig
from django.utils.module_loading import import_string

from coordination.config import assertions, patience
from coordination.config.celery import app as celery_app
from coordination.config.settings.data import WAIT_SECONDS


class Config(AppConfig):
    """The wiring."""

    name = "coordination.config"
    label = "config"
    celery = celery_app  # tasks find their app by this import

    def ready(self) -> None:
        """Refuse settings that lose work, set the deadline towards PostgreSQL, hand out the plain lists."""
        assertions.demand()
        patience.install(WAIT_SECONDS)
        self.celery.set_current()
        import_string("coordination.config.wiring.hand_out")()  # by name: its imports need the models, ready now
