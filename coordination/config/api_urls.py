"""Which address of the API leads to which room?"""

from django.urls import URLPattern, re_path

from coordination.instructions import api as instructions
from coordination.notify import api as notify
from coordination.screens.api import access_log, departments, description, nothing, session, streams, token
from incidents import api as incidents
from sharing.catalogue import api as codes
from sharing.exchange import api as exchange

urlpatterns: list[URLPattern] = [
    *access_log.urlpatterns,
    *departments.urlpatterns,
    *session.urlpatterns,
    *streams.urlpatterns,
    *token.urlpatterns,
    *codes.urlpatterns,
    *exchange.urlpatterns,
    *incidents.urlpatterns,
    *instructions.urlpatterns,
    *notify.urlpatterns,
    *description.urlpatterns,
    re_path(r"^", nothing.Nothing.as_view(), name="api-nothing"),
]
