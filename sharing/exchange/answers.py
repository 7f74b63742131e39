"""How is a download answered?"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

from sharing.access.outlet import outlet_of


def as_file(download: Any, request: HttpRequest) -> HttpResponseBase:
    """Return the download as a file that is saved and never run, nor kept on the way."""
    outlet = outlet_of(request)
    response: HttpResponseBase
    if request.method == "HEAD":
        download.close()
        response = HttpResponse(content_type=download.form.media)
    else:
        if outlet is not None:
            outlet.begin()
            download.pace = outlet.made
        response = StreamingHttpResponse(download, content_type=download.form.media)
    response["Content-Disposition"] = content_disposition_header(True, download.name) or "attachment"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["X-Content-Type-Options"] = "nosniff"
    response["X-Accel-Buffering"] = "no"
    response["Cache-Control"] = "no-store"
    return response
