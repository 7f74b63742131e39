"""Where do screens poll that cannot have a socket?"""

from django.urls import path

from coordination.live import views

urlpatterns = [path("since", views.since, name="live-since")]
