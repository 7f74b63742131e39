"""How does a person take records away as a file?"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from sharing.access.pages import page
from sharing.catalogue import asking
from sharing.exchange import downloads
from sharing.exchange.answers import as_file


@require_safe
@page()
def download(request: HttpRequest, pk: int) -> HttpResponse:
    """The records that the page shows under the same filter, as a file."""
    begun = downloads.begin(
        actor=request.actor, now=request.now, dataset_id=pk, format=request.GET.get("format", ""),  # type: ignore[attr-defined]
        where=asking.tree_of(request.GET.get("where", "")), purpose=asking.purpose_of(request.GET),
    )
    return as_file(begun, request)  # type: ignore[return-value]
