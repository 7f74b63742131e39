"""What has this person been told?"""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from coordination.events import streams
from coordination.events.actor import Actor
from coordination.instructions.queries import telling
from coordination.live import queries as live
from coordination.notify import actions
from coordination.notify import queries as notify
from sharing.access.pages import page


@require_safe
@page(department=False)
def notices(request: HttpRequest) -> HttpResponse:
    """Notices, newest first; unread ones stand out."""
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    own = streams.user(actor.id)
    cursor = live.cursor(actor, [own], now)
    after = request.GET.get("after", "")
    if after and not (after.isdecimal() and len(after) < 19):
        raise Http404
    unread = request.GET.get("show") == "unread"
    rows, following = notify.notices(actor=actor, unread=True if unread else None, after=int(after) if after else None)
    kept = {
        "rows": _with_links(actor, rows, now),
        "next": following,
        "newest": rows[0].id if rows else 0,
        "unread": notify.unread_count(actor=actor),
        "only_unread": unread,
        "live": cursor,
        "live_streams": own,
    }
    template = "notices/rows.html" if request.headers.get("X-Part") else "notices/list.html"
    return render(request, template, kept)


def _with_links(actor: Actor, rows: list[notify.NoticeRow], now: object) -> list[dict[str, object]]:
    about = telling.subjects(actor=actor, objects=[(row.object_type, row.object_id) for row in rows], now=now)  # type: ignore[arg-type]
    found = []
    for row in rows:
        subject = about.get((row.object_type, row.object_id))
        href = ""
        if subject:
            href = reverse("instruction", args=[subject["instruction_id"]])
        elif row.object_type == "incidents.report":
            href = reverse("report", args=[row.object_id])
        elif row.object_type == "catalogue.sharerequest":
            href = reverse("share-request", args=[row.object_id])
        elif row.object_type == "catalogue.agreement":
            href = reverse("agreement", args=[row.object_id])
        elif row.object_type == "access.grant":
            href = reverse("grant", args=[row.object_id])
        elif row.incident_id:
            href = reverse("room", args=[row.incident_id])
        found.append({"row": row, "href": href})
    return found


@require_POST
@page(department=False)
def read(request: HttpRequest) -> HttpResponse:
    """Mark as read what was on the screen, and nothing that came later."""
    up_to = request.POST.get("up_to", "")
    if not (up_to.isdecimal() and len(up_to) < 19):
        raise Http404
    actions.read_all(actor=request.actor, now=request.now, up_to=int(up_to))  # type: ignore[attr-defined]
    return HttpResponseRedirect(reverse("notices"), status=303)
