"""How is a no told to another program? (RFC 9457, one handler for every operation)"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext as _
from rest_framework import exceptions

from coordination.events import refusals
from coordination.events.actor import ANONYMOUS, Actor
from coordination.events.command import request_id
from coordination.events.refused import Refused

log = logging.getLogger("muster.api")
MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = 2


class Unauthenticated(Refused):
    """Nobody is signed in, or the token does not hold."""

    status = 401
    code = "unauthenticated"


class CsrfFailed(Refused):
    """A signed-in browser sent no proof that the page is ours."""

    status = 403
    code = "csrf_failed"


class BadInput(Refused):
    """Fields that are wrong in themselves; ``errors`` names each."""

    status = 400
    code = "invalid"


def titles() -> dict[int, str]:
    """Short names of the statuses, in the active language."""
    return {
        400: _("Bad request"), 401: _("Sign in first"), 403: _("Not allowed"), 404: _("Not found"),
        405: _("Method not allowed"), 406: _("Not acceptable"), 409: _("Not possible now"), 410: _("Start again"),
        412: _("Changed in the meantime"), 413: _("Too big"), 415: _("Wrong media type"), 422: _("Not valid"),
        428: _("If-Match is missing"), 429: _("Too many requests"), 500: _("Fault"), 503: _("Busy"),
        507: _("No room for files"),
    }  # fmt: skip


def handler(exc: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """Answer any exception of an operation with a problem; note refused writes, after their roll-back."""
    refused, headers = _refused(exc)
    request = context.get("request")
    if refused.status == 500:
        log.exception("fault in an operation", extra={"request_id": request_id.get()})
    elif request is not None and refused.status not in (401, 405, 503):
        _note(request, refused, context)
    return answer(refused, headers)


def answer(refused: Refused, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """Return the problem of ``refused``. The body depends on nothing but it, the language and the request id."""
    body: dict[str, Any] = {
        "type": f"urn:muster:problem:{refused.code}",
        "title": titles().get(refused.status, ""),
        "status": refused.status,
        "code": refused.code,
        "detail": str(refused.message) or _said_of(refused),
        "request_id": request_id.get(),
    }
    if refused.errors:
        body["errors"] = [{key: _plain(value) for key, value in error.items()} for error in refused.errors]
    extra = {key: value for key, value in refused.extra.items() if key not in body}
    payload = orjson.dumps(body | extra, default=str, option=orjson.OPT_NON_STR_KEYS)
    response = HttpResponse(payload, status=refused.status, content_type=MEDIA_TYPE)
    response["Cache-Control"] = "no-store"
    if refused.status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="muster"'
    if refused.code == "unsupported_coding":
        response["Accept-Encoding"] = "identity"  # RFC 9110 15.5.16
    if "retry_after" in refused.extra:
        response["Retry-After"] = str(max(1, int(refused.extra["retry_after"])))
    for name, value in (headers or {}).items():
        response[name] = value
    return response


def _said_of(refused: Refused) -> str:
    """What the first field's fault says, where the refusal itself has no words."""
    said = next((error["detail"] for error in refused.errors if error.get("detail")), "")
    return str(said or titles().get(refused.status, ""))


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | type(None)) else str(value)


def _refused(exc: Exception) -> tuple[Refused, dict[str, str]]:
    """Put any exception into the one form."""
    headers: dict[str, str] = {}
    if isinstance(exc, Refused):
        hidden = exc.status == 404 and exc.code == "not_found"  # its words could tell hidden from absent
        return not_found() if hidden else exc, headers
    if isinstance(exc, exceptions.ValidationError):
        return BadInput(_("Some fields are not valid."), errors=list(_pointers(exc.get_full_details()))), headers
    if isinstance(exc, Http404 | exceptions.NotFound):
        return not_found(), headers
    if isinstance(exc, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        return Unauthenticated(_("Sign in or send a valid token.")), headers
    if isinstance(exc, exceptions.PermissionDenied | PermissionDenied):
        return _as(403, "forbidden", _("This is not allowed.")), headers
    if isinstance(exc, exceptions.UnsupportedMediaType):
        return _as(415, "unsupported_media_type", _("Send the media type that the description names.")), headers
    if isinstance(exc, RequestDataTooBig):
        return _as(413, "too_big", _("The body is too big.")), headers
    if isinstance(exc, exceptions.ParseError | MultiPartParserError | SuspiciousOperation):
        return _as(400, "malformed", _("The body cannot be read.")), headers
    if isinstance(exc, exceptions.APIException):
        if isinstance(exc, exceptions.MethodNotAllowed):
            return _as(exc.status_code, "method_not_allowed", _("This method is not offered here.")), headers
        return _as(exc.status_code, str(exc.default_code), str(exc.detail)), headers
    if isinstance(exc, IntegrityError):
        return _as(409, "conflict", _("Another change came first. Look again, then decide.")), headers
    if isinstance(exc, OperationalError | InterfaceError):
        log.warning("database not answering: %s", type(exc).__name__, extra={"request_id": request_id.get()})
        return _as(503, "busy", _("Not saved: the database is busy. Try again."), retry_after=RETRY_AFTER), headers
    if isinstance(exc, DataError):
        return _as(400, "invalid", _("A value is outside what can be stored.")), headers
    return _as(500, "fault", _("Something went wrong here. Name the request id to the operators.")), headers


def not_found() -> Refused:
    """The one answer for hidden and for absent."""
    return _as(404, "not_found", _("There is nothing here that you can see."))


def _as(status: int, code: str, message: str, **extra: Any) -> Refused:
    refused = Refused(message, code=code, **extra)
    refused.status = status
    return refused


def _pointers(detail: Any, path: str = "") -> Iterator[dict[str, Any]]:
    """Flatten nested field errors to JSON pointers."""
    if isinstance(detail, Mapping) and set(detail) == {"message", "code"}:
        yield {"pointer": path or "/", "code": detail["code"], "detail": str(detail["message"])}
    elif isinstance(detail, Mapping):
        for name, inner in detail.items():
            step = "" if name == "non_field_errors" else "/" + str(name).replace("~", "~0").replace("/", "~1")
            yield from _pointers(inner, path + step)
    elif isinstance(detail, list):
        plain = all(isinstance(one, Mapping) and set(one) == {"message", "code"} for one in detail)
        for index, inner in enumerate(detail):
            yield from _pointers(inner, path if plain else f"{path}/{index}")


def _note(request: Any, refused: Refused, context: Mapping[str, Any]) -> None:
    """Keep the refusal of a write (of a read only when a right was missing); never let that fail the answer."""
    if request.method in ("GET", "HEAD", "OPTIONS") and refused.status != 403:
        return
    if refused.code == "rate_limited":
        return
    view = context.get("view")
    named = getattr(view, "operation_name", None)
    operation = named(request) if named is not None else str(request.method)
    actor = getattr(request, "who", None)
    refusals.note(
        actor if isinstance(actor, Actor) else ANONYMOUS,
        operation,
        refused,
        object_type=getattr(view, "resource", ""),
        object_id=str(next(iter((context.get("kwargs") or {}).values()), ""))[:40],
        request_id=request_id.get(),
        address=request.META.get("REMOTE_ADDR") or None,
    )
