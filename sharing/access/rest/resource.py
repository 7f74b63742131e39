"""How does one operation of the API run, from the request to the answer?

The order is the same for all: who → how often → what was sent → which key, which version → ONE call → answer.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from coordination.events import reads
from coordination.events.actor import ANONYMOUS, Actor
from coordination.events.refused import Forbidden, NotFound
from sharing.access import pages
from sharing.access.rest import accepting, keys, limits, paging, versions
from sharing.access.rest.operation import Call, Operation, read
from sharing.access.rest.problems import BadInput, Unauthenticated
from sharing.access.rest.reading import StrictJson
from sharing.access.rest.rendering import AnyAnswer, Json, dump
from sharing.access.rest.schema import Description
from sharing.access.rest.shapes import cut
from sharing.access.rest.who import SAFE, SessionWho, TokenWho, scope_reaches


class Resource(APIView):
    """Base of every address of the API. Methods are made by `lists`, `shows`, `writes`.

    ``resource``: the noun in OAuth2 scopes and in the record of refusals. ``people``: it answers with people's names
    and numbers, so that no wall may ask. ``noted_from``: the class from which on a read is kept, and
    ``noted_as`` what was read, where that is not the resource. ``restricted``: what
    it answers hangs on grants, so that nobody between may keep a copy, not even to ask whether it still holds.
    """

    resource: ClassVar[str] = ""
    people: ClassVar[bool] = False
    restricted: ClassVar[bool] = False
    noted_from: ClassVar[int] = reads.KEPT_FROM
    noted_as: ClassVar[str] = ""
    authentication_classes = (TokenWho, SessionWho)
    permission_classes = ()
    parser_classes = (StrictJson,)
    renderer_classes = (Json,)
    content_negotiation_class = AnyAnswer
    metadata_class = None
    schema = Description()
    counted: limits.Count | None = None

    def operation(self, method: str) -> Operation | None:
        """Return what this address does on ``method``."""
        return getattr(getattr(self, method.lower(), None), "operation", None)

    def operation_name(self, request: Any) -> str:
        """Name the operation, for the record."""
        operation = self.operation(request.method)
        return operation.name if operation else f"{request.method} {self.resource}"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Find out who calls and whether they call too often; only then is anything read."""
        actor: Actor = getattr(request.user, "actor", ANONYMOUS)
        request.who = actor  # type: ignore[attr-defined]
        operation = self.operation("get" if request.method == "HEAD" else request.method or "")
        if operation is None:
            return
        if not operation.public and actor.kind == "anonymous":
            raise Unauthenticated(_("Sign in or send a valid token."))
        verb = "read" if request.method in SAFE else "write"
        key = actor.key if actor.kind != "anonymous" else str(request.META.get("REMOTE_ADDR", ""))
        self.counted = limits.count(operation.limit or verb, key)
        limits.enforce(self.counted)
        if actor.kind == "person" and actor.department_id is None and self.resource != "session":
            raise Forbidden(_("You act for no department now; choose one, or ask for a post."), code="no_post")
        if not scope_reaches(actor, self.resource, verb):
            raise Forbidden(_("The token's scopes do not reach this."), right=f"{self.resource}:{verb}")
        if actor.kind == "display" and (verb == "write" or self.people):
            raise Forbidden(_("A wall only shows, and nobody's numbers."), right=f"{self.resource}:{verb}")

    def finalize_response(  # type: ignore[override]
        self, request: Any, response: HttpResponseBase, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        """Add what every answer says: the limit used, and that nobody may keep a copy."""
        if isinstance(response, HttpResponse):
            if hasattr(request, "who"):
                pages.mark_read(request._request, response, request.who)
            if self.counted is not None:
                self.counted.write(response)
            if "Cache-Control" not in response:
                response["Cache-Control"] = "private, no-store"
            patch_vary_headers(response, ("Authorization", "Cookie", "Accept-Language"))
        return response


Answer = Callable[[Any, Call], Any]
Show = Callable[[Call, Any], Any]


def lists(
    name: str, answer: type[Serializer[Any]], *, query: type[Serializer[Any]] | None = None, maps: bool = False,
    summary: str = "",
) -> Callable[[Answer], Any]:
    """Make a method that answers a page: the function returns a `Page`, or a whole list that needs no pages.

    ``maps``: rows have a latitude and longitude, so that the page can be given as GeoJSON too.
    """

    def run(view: Resource, request: Request, call: Call, function: Answer, operation: Operation) -> HttpResponse:
        page = function(view, call)
        if not isinstance(page, paging.Page):
            page = paging.Page(page)
        _note_reads(view, call, operation, page.items, page.grants, page.glass)
        cursor = paging.seal(page.after, name)
        rows = cut(answer, page.items)
        items = _some_fields(rows, request, answer)
        on_map = call.media == accepting.GEOJSON
        payload = dump(accepting.as_map(items, rows, cursor) if on_map else {"items": items, "next": cursor})
        response = _tagged(request, payload, 0, call.media, epoch=page.grants)
        if view.restricted or page.grants:
            response["Cache-Control"] = "private, no-store"
        if operation.maps:
            patch_vary_headers(response, ("Accept",))
        if cursor is not None:
            query_ = request._request.GET.copy()
            query_["cursor"] = cursor
            response["Link"] = f'<{request._request.path}?{query_.urlencode()}>; rel="next"'
        return response

    return _method(Operation(name, answer, listing=True, query=query, maps=maps, summary=summary), run)


def shows(
    name: str,
    answer: type[Serializer[Any]] | None,
    *,
    query: type[Serializer[Any]] | None = None,
    public: bool = False,
    media: str = "application/json",
    summary: str = "",
) -> Callable[[Answer], Any]:
    """Make a method that answers one thing, with its ETag; without a shape, the response that the function made."""

    def run(view: Resource, request: Request, call: Call, function: Answer, operation: Operation) -> Any:
        found = function(view, call)
        if answer is None:
            _note_reads(view, call, operation, [getattr(found, "handed_out", {})])
            return found
        _note_reads(view, call, operation, [found])
        done = _some_fields(cut(answer, found), request, answer)
        version = done.get("version", 0) if isinstance(done, dict) else 0
        response = _tagged(request, dump(done), version if isinstance(version, int) else 0)
        if view.restricted:
            response["Cache-Control"] = "private, no-store"
        return response

    return _method(Operation(name, answer, query=query, public=public, media=media, summary=summary), run)


def writes(
    name: str,
    answer: type[Serializer[Any]] | None,
    *,
    body: type[Serializer[Any]] | None = None,
    status: int = 200,
    decides: bool = False,
    may_decide: bool = False,
    keyed: bool = True,
    limit: str = "",
    show: Show | None = None,
    place: Callable[[Any], str] | None = None,
    public: bool = False,
    media: str = "application/json",
    summary: str = "",
) -> Callable[[Answer], Any]:
    """Make a method that changes something: the function makes one call to an action.

    ``show`` turns the action's result into what is answered (the thing as it is now); ``place`` gives the address
    of a new thing from that. The first answer to a key is kept and repeated.
    """
    operation = Operation(
        name, answer, body=body, status=status, decides=decides, may_decide=may_decide or decides, keyed=keyed,
        limit=limit, public=public, media=media, summary=summary,
    )  # fmt: skip

    def run(view: Resource, request: Request, call: Call, function: Answer, operation: Operation) -> HttpResponse:
        if call.command_id is None:
            return _changed(view, call, function, operation, show, place)
        print_ = keys.fingerprint(request._request, request.data)
        with keys.turn(call.actor, call.command_id):
            response = keys.earlier(call.actor, call.command_id, print_)
            if response is None:
                response = _changed(view, call, function, operation, show, place)
                keys.keep(call.actor, call.command_id, print_, response)
        return response

    return _method(operation, run)


def _changed(
    view: Resource, call: Call, function: Answer, operation: Operation, show: Show | None, place: Any
) -> HttpResponse:
    result = function(view, call)
    if isinstance(result, HttpResponse):
        return result
    if operation.answer is None:
        return HttpResponse(status=204)
    try:
        shown = show(call, result) if show is not None else result
    except NotFound:
        return HttpResponse(status=204)  # done, and with it out of the caller's sight
    done = cut(operation.answer, shown)
    payload = dump(done)
    response = HttpResponse(payload, status=operation.status, content_type="application/json")
    if isinstance(done.get("version"), int):
        response["ETag"] = versions.tag(done["version"], payload)
    if place is not None:
        response["Location"] = place(done)
    return response


def _method(operation: Operation, run: Callable[..., HttpResponse]) -> Callable[[Answer], Any]:
    def wrap(function: Answer) -> Any:
        @functools.wraps(function)
        def method(view: Resource, request: Request, **kwargs: str) -> HttpResponse:
            return run(view, request, read(request, operation, kwargs), function, operation)

        method.operation = operation  # type: ignore[attr-defined]
        return method

    return wrap


def _some_fields(done: Any, request: Request, shape: type[Serializer[Any]]) -> Any:
    """Keep the fields that ``fields=a,b`` names; a name that is none of them is a 400."""
    asked = request._request.GET.get("fields")
    if asked is None:
        return done
    names = [name for name in asked.split(",") if name]
    known = shape().fields
    errors = [
        {"pointer": "/fields", "code": "unknown_field", "detail": name[:80]} for name in names if name not in known
    ]
    if not names:
        errors = [{"pointer": "/fields", "code": "required", "detail": str(_("Name at least one field."))}]
    if errors:
        raise BadInput(_("Some parameters are not valid."), errors=errors[:20])
    if isinstance(done, list):
        return [{name: row[name] for name in names if name in row} for row in done]
    return {name: done[name] for name in names if name in done}


def _note_reads(
    view: Resource, call: Call, operation: Operation, rows: Sequence[Any], grants: Sequence[int] = (),
    glass: Sequence[int] = (),
) -> None:
    """Keep who is given what is classified, and whatever is given by break-glass, before it leaves."""
    found = [
        row["id"] for row in rows
        if isinstance(row, Mapping) and (glass or reads.is_kept(row, view.noted_from))
    ]
    purpose = call.purpose or (reads.BREAK_GLASS if glass else "")
    what = view.noted_as or view.resource
    reads.note(call.actor, operation.name, what, found, purpose=purpose, grants=grants or glass)


def _tagged(
    request: Request, payload: bytes, version: int, media: str = accepting.JSON, *, epoch: Sequence[int] = ()
) -> HttpResponse:
    """The answer with its tag, or 304; ``epoch``: the grants that it rests on, so that no other ones confirm it."""
    etag = versions.tag(version, payload, epoch)
    if versions.known(request.headers.get("If-None-Match"), etag):
        response = HttpResponse(status=304)
    else:
        response = HttpResponse(payload, content_type=media)
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    response["Content-Language"] = get_language() or "en"
    return response
