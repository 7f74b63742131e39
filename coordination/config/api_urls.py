"""Which address of the API leads to which room?"""

from django.urls import URLPattern, path, re_path

from coordination.screens.api import departments, description, nothing, streams

urlpatterns: list[URLPattern] = [
    *departments.urlpatterns,
    *streams.urlpatterns,
    *description.urlpatterns,
    re_path(r"^", nothing.Nothing.as_view(), name="api-nothing"),
]
