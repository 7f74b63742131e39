"""How do other systems take records away as a file?"""

from __future__ import annotations

from typing import Any

from django.urls import path

from sharing.access.rest import Call, Resource, shows
from sharing.exchange import downloads
from sharing.exchange import serializers as shapes
from sharing.exchange.answers import as_file


class Export(Resource):
    """Records of a dataset as a file."""

    resource = "records"

    @shows("records_export", None, query=shapes.DownloadFilters, media="application/octet-stream",
           summary="Export records")  # fmt: skip
    def get(self, call: Call) -> Any:
        """Current records that are open to me as CSV, XLSX, JSON or GeoJSON; ends early, and says so, if that ends."""
        done = downloads.begin(**call.who, **call.ids, **call.query, purpose=call.purpose)
        return as_file(done, call.request._request)


urlpatterns = [path("datasets/<str:dataset_id>/records/export", Export.as_view(), name="api-records-export")]
