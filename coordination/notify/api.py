"""What was I told, and have I read it?"""

from __future__ import annotations

from typing import Any

from django.urls import path

from coordination.notify import actions, queries
from coordination.notify import serializers as shapes
from sharing.access.rest import Call, Page, Resource, act_view, lists


class Notices(Resource):
    """My notices."""

    resource = "notices"

    @lists("notices_list", shapes.NoticeShape, query=shapes.NoticeFilters, summary="My notices")
    def get(self, call: Call) -> Page:
        """My notices, newest first; only persons have any."""
        unread = call.query.get("unread")
        return Page(*queries.notices(actor=call.actor, unread=unread, after=call.after, size=call.size))


def show_notice(call: Call, changed: Any) -> Any:
    """Return the notice as it is now."""
    return queries.notice(actor=call.actor, notice_id=changed.pk)


urlpatterns = [
    path("notices", Notices.as_view(), name="api-notices"),
    path(
        "notices/<str:notice_id>/read",
        act_view(
            actions.read_notice,
            resource="notices",
            name="notices_read",
            answer=shapes.NoticeShape,
            show=show_notice,
            text="I have read it.",
        ),
        name="api-notice-read",
    ),
]
