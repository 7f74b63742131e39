"""Where is the socket?"""

from django.urls import path

from coordination.live.consumers import LiveConsumer

websocket_urlpatterns = [path("live/ws", LiveConsumer.as_asgi())]
