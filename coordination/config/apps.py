"""What do the rooms get handed at start that they may not reach for themselves?"""

from importlib import import_module
from importlib.util import find_spec

from django.apps import AppConfig

from coordination.config import assertions, deadline_handlers, incident_facts, patience, subscribers
from coordination.config.celery import app as celery_app
from coordination.config.settings.data import WAIT_SECONDS


class Config(AppConfig):
    """The wiring."""

    name = "coordination.config"
    label = "config"
    celery = celery_app  # tasks find their app by this import

    def ready(self) -> None:
        """Set the deadline towards PostgreSQL and hand out the plain lists."""
        assertions.demand()
        patience.install(WAIT_SECONDS)
        self.celery.set_current()
        if hasattr(deadline_handlers, "install"):
            deadline_handlers.install()
        import_module("coordination.events.relay").configure(subscribers.SUBSCRIBERS, subscribers.ON_POISON)
        if find_spec("incidents.closing"):
            import_module("incidents.closing").use_named(incident_facts.FORBIDS_CLOSING)
