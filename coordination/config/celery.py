"""How do workers find their tasks and queues?"""

import os

from celery import Celery
from kombu import Exchange, Queue

from coordination.config.schedule import SCHEDULE

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coordination.config.settings")

QUEUES = ("urgent", "normal", "bulk")

app = Celery("muster")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.task_queues = [Queue(name, Exchange(name), routing_key=name) for name in QUEUES]
app.conf.task_default_exchange = "normal"
app.conf.task_default_routing_key = "normal"
app.conf.beat_schedule = SCHEDULE
app.autodiscover_tasks()
