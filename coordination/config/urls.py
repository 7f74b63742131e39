"""Which address leads where?"""

from django.urls import URLPattern, URLResolver, include, path

from coordination.config import health

handler400 = "coordination.config.pages.bad_request"
handler403 = "coordination.config.pages.forbidden"
handler404 = "coordination.config.pages.not_found"
handler500 = "coordination.config.pages.server_error"


urlpatterns: list[URLPattern | URLResolver] = [
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("health/deep", health.deep, name="health-deep"),
    path("live/", include("coordination.live.urls")),
    path("api/v1/", include("coordination.config.api_urls")),
    path("", include("coordination.instructions.urls")),
    path("", include("sharing.catalogue.urls")),
    path("", include("sharing.exchange.urls")),
    path("", include("accounts.urls")),
    path("", include("coordination.screens.urls")),
]
