"""Which address of the API leads to which room?"""

from django.urls import URLPattern, re_path

from coordination.screens.api import departments, description, nothing, session, streams, token
from incidents import api as incidents
from sharing.catalogue import api as codes

urlpatterns: list[URLPattern] = [
    *departments.urlpatterns,
    *session.urlpatterns,
    *streams.urlpatterns,
    *token.urlpatterns,
    *codes.urlpatterns,
    *incidents.urlpatterns,
    *description.urlpatterns,
    re_path(r"^", nothing.Nothing.as_view(), name="api-nothing"),
]
