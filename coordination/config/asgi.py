"""Which callable serves sockets, and pages beside them?"""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coordination.config.settings")
os.environ.setdefault("MUSTER_PROCESS", "web")

from coordination.config.wsgi import application as pages  # noqa: I001 - Django must be set up before the rest

from channels.routing import ProtocolTypeRouter
from django.conf import settings

from coordination.config.pool import Pool
from coordination.config.sockets import sockets

application = ProtocolTypeRouter(
    {
        "http": Pool(pages, threads=settings.WEB_THREADS, wait_seconds=settings.WEB_WAIT_SECONDS),
        "websocket": sockets,
    }
)
