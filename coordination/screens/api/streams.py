"""What has happened since I last looked? (entries of a stream, by cursor)"""

from __future__ import annotations

from typing import Any

from django.urls import path
from django.utils.translation import gettext_lazy as _

from coordination.events import queries
from coordination.events.refused import NotFound, Refused
from coordination.screens.api import shapes
from sharing import access
from sharing.access.rest import Call, Resource, shows

OPEN_CLASS = 2
"""Above this classification an entry says only that something happened."""


class Reset(Refused):
    """The place asked for is not kept any more, or the numbering began anew: read everything, go on from the head."""

    status = 410
    code = "reset"


class Entries(Resource):
    """The entries of a stream."""

    resource = "streams"

    @shows("streams_entries", shapes.EntriesShape, query=shapes.EntriesFilters, summary="Entries of a stream")
    def get(self, call: Call) -> Any:
        """Entries after a place, oldest first. 410 `reset` gives the head: read all anew and go on from it."""
        return entries(call)


def entries(call: Call) -> dict[str, Any]:
    """Return the entries that ``call`` asks for. Raises `NotFound` for a stream not to be read, `Reset` (410)."""
    stream = call.ids["stream"]
    if not access.may_read_stream(call.actor, stream, call.now):
        raise NotFound(_("There is no such stream."))
    after = call.query.get("after")
    if after is None:
        epoch, seq = queries.heads([stream])[stream][0], 0
    else:
        epoch, seq = (int(part) for part in after.split("."))
    page = queries.entries_after(stream, epoch, seq, call.query["limit"])
    if page.reset:
        raise Reset(
            _("Read everything anew and go on from the head."),
            why=page.reset, stream=stream, epoch=page.epoch, seq=page.seq, next=f"{page.epoch}.{page.seq}",
        )  # fmt: skip
    return {
        "stream": stream,
        "epoch": page.epoch,
        "items": [_entry(entry) for entry in page.entries],
        "next": f"{page.epoch}.{page.seq}",
        "more": page.more,
    }


def _entry(entry: queries.Entry) -> dict[str, Any]:
    if entry.classification > OPEN_CLASS:
        return {"seq": entry.seq}
    return {
        "seq": entry.seq, "type": entry.type, "at": entry.at, "object": entry.object_type, "id": entry.object_id,
        "version": entry.version,
    }  # fmt: skip


urlpatterns = [path("streams/<str:stream>/entries", Entries.as_view(), name="api-stream-entries")]
