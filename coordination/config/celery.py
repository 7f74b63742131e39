"""How do workers find their tasks and queues?"""

import os
from typing import Any

from celery import Celery
from celery.app.amqp import AMQP
from kombu import Connection, Exchange, Queue

from coordination.config.schedule import SCHEDULE

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coordination.config.settings")
# `prepare` has run the checks; a worker that comes back after a crash must not spend its time on them
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

QUEUES = ("urgent", "normal", "bulk")


class QuickConnection(Connection):
    """Looks for a Redis that is away at least every 5 s; the library would wait up to 30 s after a long absence."""

    def _ensure_connection(self, *args: Any, **kwargs: Any) -> Any:
        return super()._ensure_connection(*args, **{"interval_start": 1, "interval_max": 5, **kwargs})


class Quick(AMQP):
    """What workers and beat speak through."""

    Connection = QuickConnection


app = Celery("muster", amqp=Quick, task_cls="coordination.config.carried:Carried")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.task_queues = [Queue(name, Exchange(name), routing_key=name) for name in QUEUES]
app.conf.task_default_exchange = "normal"
app.conf.task_default_routing_key = "normal"
app.conf.beat_schedule = SCHEDULE
app.autodiscover_tasks()
