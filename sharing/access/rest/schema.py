"""How is the API described to those who call it? (OpenAPI 3.1, from the operations as they are declared)"""

from __future__ import annotations

import functools
import re
from typing import Any, Literal

from django.utils.encoding import force_str
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, inline_serializer
from rest_framework import serializers

from sharing.access.rest.shapes import Problem

PROBLEM = "application/problem+json"
_KEY = {
    "name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "minLength": 8, "maxLength": 64},
    "description": "A new UUID for each new request; repeat it to repeat the request: it has its effect once, and the "
    "first answer comes again. Kept 30 days.",
}  # fmt: skip
_MATCH = {
    "name": "If-Match", "in": "header", "schema": {"type": "string", "maxLength": 120},
    "description": "The ETag of the representation this decision is based on; only its version part is compared.",
}  # fmt: skip
_NONE_MATCH = {
    "name": "If-None-Match", "in": "header", "required": False, "schema": {"type": "string"},
    "description": "An ETag known already: 304 when nothing has changed.",
}  # fmt: skip
_CURSOR = {
    "name": "cursor", "in": "query", "required": False, "schema": {"type": "string"},
    "description": "`next` of the page before, as it is.",
}  # fmt: skip
_LIMIT = {
    "name": "limit", "in": "query", "required": False,
    "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}, "description": "Rows a page.",
}  # fmt: skip
_FIELDS = {
    "name": "fields", "in": "query", "required": False, "schema": {"type": "string"},
    "description": "Only these fields, separated by commas.",
}  # fmt: skip


_PURPOSE = {
    "name": "Purpose", "in": "header", "required": False, "schema": {"type": "string", "maxLength": 200},
    "description": "What it is read for; kept with each read of something of class 3 or above.",
}  # fmt: skip


class Description(AutoSchema):
    """Describes an operation from its `Operation`: one source for what runs and what is read."""

    @property
    def operation(self) -> Any:
        """Return the declaration of the method in hand."""
        return self.view.operation(self.method)  # type: ignore[attr-defined]

    def is_excluded(self) -> bool:
        """Leave out what declares nothing."""
        return self.operation is None

    def get_operation_id(self) -> str:
        """Return the operation's own name."""
        return str(self.operation.name)

    def get_tags(self) -> list[str]:
        """Group by resource."""
        return [self.view.resource or "muster"]  # type: ignore[attr-defined]

    def get_summary(self) -> str:
        """Return the short line."""
        return force_str(self.operation.summary) or self.operation.name.replace("_", " ").capitalize()

    def get_description(self) -> str:  # type: ignore[override]
        """Return the method's docstring."""
        text = getattr(self.view, self.method.lower()).__doc__ or ""
        return re.sub(r"\s+", " ", text).strip()

    def get_request_serializer(self) -> Any:
        """Return the body's shape; None where nothing may be sent."""
        return self.operation.body() if self.operation.body else None

    def map_parsers(self) -> list[str]:
        """Return the media type of the body."""
        return [self.operation.media]

    def map_renderers(self, attribute: str) -> list[str]:
        """Return the media types of the answer."""
        return list(self.operation.offers) or ["application/json"]

    def get_auth(self) -> list[dict[str, list[str]]]:
        """Say who may call: a session (changes with the CSRF token), or a client's token with its scope."""
        if self.operation.public:
            return [{}]
        verb = "read" if self.method == "GET" else "write"
        session: dict[str, list[str]] = {"session": []} if self.method == "GET" else {"session": [], "csrf": []}
        return [session, {"oauth2": [verb]}]

    def get_override_parameters(self) -> list[Any]:
        """Filters of the operation; headers and paging are added in `_get_parameters`."""
        return [self.operation.query] if self.operation.query else []

    def get_filter_backends(self) -> list[Any]:
        """None: filters are declared with the operation."""
        return []

    def _get_parameters(self) -> list[dict[str, Any]]:
        operation = self.operation
        found = super()._get_parameters()
        for parameter in found:
            if parameter["in"] == "path" and parameter["name"].endswith("_id"):
                parameter["schema"] = {"type": "integer", "format": "int64", "minimum": 1}
        if self.method == "POST" and operation.keyed:
            found.append(_KEY | {"required": True})
        if operation.may_decide:
            found.append(_MATCH | {"required": operation.decides})
        if self.method == "GET":
            found += [_CURSOR, _LIMIT, _FIELDS] if operation.listing else [_FIELDS]
            found += [_NONE_MATCH, _PURPOSE]
        return found

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict[str, Any]:
        bodies = super()._get_response_bodies(direction)
        if self.method == "GET":
            bodies["304"] = {"description": "Nothing has changed since the ETag sent."}
        for status, body in bodies.items():
            if status.startswith("2"):
                body.setdefault("headers", {}).update(_headers(self.operation))
        return bodies

    def get_response_serializers(self) -> Any:
        """Return the shapes of all answers, the refusals among them."""
        operation = self.operation
        refusals = {
            (status, PROBLEM): OpenApiResponse(Problem, description=text)
            for status, text in _refusals(operation, self.method, self.path).items()
        }
        if operation.answer is None and self.method == "GET":
            return {(200, operation.media): OpenApiResponse(OpenApiTypes.BINARY, description="The bytes.")} | refusals
        if operation.answer is None:
            return {204: OpenApiResponse(description="Done.")} | refusals
        answer: Any = operation.answer()
        if operation.listing:
            answer = _page(operation.answer)
        return {operation.status: OpenApiResponse(answer, description="As asked.")} | refusals


@functools.cache
def _page(shape: Any) -> Any:
    return inline_serializer(
        f"{re.sub('Shape$', '', shape.__name__)}Page",
        {
            "items": shape(many=True),
            "next": serializers.CharField(allow_null=True, help_text="Cursor of the next page; null at the end."),
        },
    )


def _headers(operation: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "RateLimit": {"schema": {"type": "string"}, "description": "What is left, and seconds until it is whole."}
    }
    if operation.answer is not None:
        found["ETag"] = {"schema": {"type": "string"}, "description": "For If-Match and If-None-Match."}
    if operation.listing:
        found["Link"] = {"schema": {"type": "string"}, "description": 'The next page, rel="next".'}
    return found


def _refusals(operation: Any, method: str, path: str) -> dict[int, str]:
    found = {400: "Not readable, an unknown parameter or field, or a value out of range."}
    if not operation.public or operation.limit == "sign_in":
        found[401] = "Not signed in, or the token does not hold."
    found[403] = "Seen, but not allowed; `right` names what is missing."
    if "{" in path:
        found[404] = "Absent, or not to be seen by you: the same answer."
    if operation.offers:
        found[406] = "The answer cannot be given in the form asked for; `offered` names those it has."
    if method != "GET":
        found[409] = "The state does not allow it now: `state` and `allowed` say what it does allow."
        found[413] = "Too big."
        found[415] = "Another media type than the one described."
        found[422] = "A rule is not met; `errors` points at the fields."
    if operation.may_decide:
        found[412] = "It has changed since the version named by If-Match."
    if operation.decides:
        found[428] = "If-Match is missing."
    found[429] = "Too often; Retry-After says when."
    found[503] = "The database is busy or away; nothing was done. Retry-After says when."
    return found


def share(result: dict[str, Any], generator: Any, **more: Any) -> dict[str, Any]:
    """Say each refusal and each common parameter once, and point at it from the operations."""
    components = result.setdefault("components", {})
    for methods in result["paths"].values():
        for operation in methods.values():
            operation["responses"] = {
                status: _once(components, "responses", f"Refused{status}", answer) if status >= "4" else answer
                for status, answer in operation["responses"].items()
            }
            operation["parameters"] = [
                _once(components, "parameters", _plain(one), one) if one["name"] in _COMMON else one
                for one in operation.get("parameters", [])
            ]
            if not operation["parameters"]:
                del operation["parameters"]
    _link(result["paths"], components)
    for name, shape in components.get("schemas", {}).items():
        if name.endswith("Request") and shape.get("type") == "object":
            shape.setdefault("additionalProperties", False)  # a name that a shape does not know is refused
    return result


def _link(paths: dict[str, Any], components: dict[str, Any]) -> None:
    """Say what can be done next with a thing that was made, shown or listed: each operation on it, by its id.

    What decides gets the ETag of what was read as its If-Match.
    """
    for path, methods in paths.items():
        inside = path.removesuffix("/").rpartition("/")[2]
        within = re.fullmatch(r"\{(\w+)_id\}", inside)
        noun = within[1] if within else inside.removesuffix("s")
        if not any(f"{{{noun}_id}}" in other for other in paths):
            continue
        for method, operation in methods.items():
            for status, answer in operation["responses"].items():
                shape = str(answer.get("content", {}).get("application/json", {}).get("schema", {}))
                if status in ("200", "201") and shape != "{}" and (method == "get" or status == "201"):
                    place = "#/items/0/id" if method == "get" and not within else "#/id"
                    answer["links"] = _next(paths, components, noun, place)


def _next(paths: dict[str, Any], components: dict[str, Any], noun: str, place: str) -> dict[str, Any]:
    """Return the links to each operation on a ``noun`` whose id stands at ``place``; of a list only to show it."""
    found: dict[str, Any] = {}
    listed = "items" in place
    for path, methods in paths.items():
        if f"{{{noun}_id}}" not in path or (listed and not path.endswith(f"{{{noun}_id}}")):
            continue
        for method, operation in methods.items():
            if listed and method != "get":
                continue
            given = {f"path.{noun}_id": f"$response.body{place}"}
            if any("IfMatch" in str(one.get("$ref")) for one in operation.get("parameters", [])):
                given["header.If-Match"] = "$response.header.ETag"
            name = operation["operationId"]
            link = {"operationId": name, "parameters": given}
            found[name] = _once(components, "links", f"{name}_{'listed' if listed else 'by_id'}", link)
    return found


_COMMON = ("Idempotency-Key", "If-Match", "If-None-Match", "cursor", "limit", "fields", "Purpose")


def _plain(parameter: dict[str, Any]) -> str:
    name = "".join(part.capitalize() for part in parameter["name"].split("-"))
    return name if parameter.get("required") or name != "IfMatch" else "IfMatchIfWanted"


def _once(components: dict[str, Any], kind: str, name: str, said: dict[str, Any]) -> dict[str, Any]:
    """Put ``said`` under its name; where another stands there already, leave it in its place."""
    shared = components.setdefault(kind, {})
    return {"$ref": f"#/components/{kind}/{name}"} if shared.setdefault(name, said) == said else said
