"""Who did and read what, when and by which grant, and is the log the one that was written?"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import queries as accounts
from coordination.events import checking
from coordination.events.searching import Asked
from coordination.screens import actions, audit_files, audit_lines, audit_words
from coordination.screens.audit_forms import SearchForm
from sharing import access
from sharing.access.pages import page
from sharing.access.rest.paging import seal, unseal

SIZE = 50
LATE = 60.0
EXTENSIONS = {"csv": ("csv", "text/csv; charset=utf-8"), "bundle": ("jsonl", "application/jsonl")}


@require_safe
@page()
def audit(request: HttpRequest) -> HttpResponse:
    """The auditor's page: search, check, export."""
    return _audit(request)


def _audit(request: HttpRequest, refused: str = "", status: int = 200) -> HttpResponse:
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    access.require(actor, "audit", at=now)
    form = _form(request)
    kept: dict[str, Any] = {"form": form, "acts": sorted({str(words) for words in audit_words.ACTS.values()})}
    if form.is_valid():
        kept |= _rows(request, form.cleaned_data["asked"], "audit")
    else:
        status = 422 if status == 200 else status
    kept |= {
        "narrowed": any(value for name, value in request.GET.items() if name != "after"),
        "query": [(name, value) for name, value in request.GET.items() if name in form.fields and value],
        "standing": checking.standing(), "late": LATE, "files": audit_files.files(actor), "refused": refused,
    }  # fmt: skip
    return render(request, "audit/page.html", kept, status=status)


@require_safe
@page()
def access_log(request: HttpRequest) -> HttpResponse:
    """What a department's own people read, and who of others read what it keeps."""
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    access.require(actor, "access_log", at=now)
    ours = request.GET.get("show") != "others"
    if ours:
        kept = _rows(request, Asked(source="read", department=actor.department_id), "audit")
    else:
        grants = audit_lines.own_grants(actor, now)
        asked = Asked(source="read", grants=grants, strangers_to=actor.department_id)
        kept = _rows(request, asked, "audit", everywhere=True)
    return render(request, "audit/access_log.html", kept | {"ours": ours})


def _form(request: HttpRequest) -> SearchForm:
    scope = audit_lines.within(request.actor, request.now)  # type: ignore[attr-defined]
    places = accounts.departments(ids=scope, active=None)
    return SearchForm(request.GET, places=places, auto_id="audit-%s")


def _rows(request: HttpRequest, asked: Asked, operation: str, *, everywhere: bool = False) -> dict[str, Any]:
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    after = unseal(request.GET.get("after"), "audit")
    rows, following = audit_lines.page(
        actor=actor, now=now, asked=asked, after=tuple(after) if after else None, size=SIZE, operation=operation,
        everywhere=everywhere,
    )  # fmt: skip
    given = {name: value for name, value in request.GET.items() if name != "after" and value}
    return {
        "rows": rows, "following": bool(after),
        "next": "?" + urlencode(given | {"after": seal(list(following), "audit")}) if following else "",
    }  # fmt: skip


@require_POST
@page()
def check(request: HttpRequest) -> HttpResponse:
    """Have the log checked now."""
    actions.ask_check(actor=request.actor, now=request.now)  # type: ignore[attr-defined]
    messages.success(request, _("The log is being checked. The result will stand here."))
    return HttpResponseRedirect(reverse("audit"), status=303)


@require_POST
@page()
def export(request: HttpRequest) -> HttpResponse:
    """Have what was searched for made into a file."""
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    access.require(actor, "audit", at=now)
    form = SearchForm(request.POST, places=accounts.departments(ids=audit_lines.within(actor, now), active=None))
    if not form.is_valid():
        return _audit(request, _("This search cannot be exported. Search again first."), 422)
    actions.ask_export(actor=actor, now=now, asked=form.cleaned_data["asked"], form=request.POST.get("form", "csv"))
    messages.success(request, _("The file is being made. It will stand here when it is ready."))
    query = urlencode([(name, value) for name, value in request.POST.items() if name in form.fields and value])
    return HttpResponseRedirect(f"{reverse('audit')}?{query}#files" if query else reverse("audit"), status=303)


@require_safe
@page()
def export_file(request: HttpRequest, pk: int) -> HttpResponse:
    """One file that is ready."""
    row, content = audit_files.fetch(actor=request.actor, now=request.now, export_id=pk)  # type: ignore[attr-defined]
    ending, media = EXTENSIONS[row.form]
    response = HttpResponse(content, content_type=media)
    response["Content-Disposition"] = f'attachment; filename="muster-log-{_stamp(row.asked_at)}.{ending}"'
    return response


def _stamp(at: datetime) -> str:
    return at.strftime("%Y%m%d-%H%M%S")
