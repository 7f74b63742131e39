"""Which address leads where?"""

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

from coordination.config import health

handler400 = "coordination.config.pages.bad_request"
handler403 = "coordination.config.pages.forbidden"
handler404 = "coordination.config.pages.not_found"
handler500 = "coordination.config.pages.server_error"


def _rooms() -> list[URLPattern | URLResolver]:
    prefixes = [
        ("live/", "coordination.live.urls"),
        ("api/v1/", "coordination.config.api_urls"),
        ("", "coordination.instructions.urls"),
        ("", "incidents.urls"),
        ("", "accounts.urls"),
        ("", "coordination.screens.urls"),
    ]
    return [path(prefix, include(name)) for prefix, name in prefixes if find_spec(name)]


urlpatterns: list[URLPattern | URLResolver] = [
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    *_rooms(),
]
