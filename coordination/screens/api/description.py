"""What can this API do? (OpenAPI 3.1 for programs, a page for people)"""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import path
from django.utils.translation import get_language, override
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer

from sharing.access.rest.rendering import dump

YAML = "application/vnd.oai.openapi"
# the generator loads what it needs into its classes the first time: two at once would find half of it
_making = threading.Lock()


def document() -> dict[str, Any]:
    """Return the description as plain data, in English; it changes with the code only."""
    with _making:
        return _document()


@lru_cache(maxsize=1)
def _document() -> dict[str, Any]:
    with override("en"):
        found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return found


def as_yaml() -> str:
    """Return the description as it is committed in ``docs/openapi.yaml``."""
    text: bytes = OpenApiYamlRenderer().render(document(), renderer_context={})
    return text.decode()


@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """Answer the description: JSON, or YAML where ``?format=yaml`` or Accept asks for it."""
    wants_yaml = request.GET.get("format") == "yaml" or "yaml" in request.headers.get("Accept", "")
    if wants_yaml or YAML in request.headers.get("Accept", ""):
        return HttpResponse(as_yaml(), content_type=f"{YAML}; charset=utf-8")
    return HttpResponse(dump(document()), content_type="application/json")


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Answer the description as a page: no script, nothing from elsewhere."""
    return render(request, "api/docs.html", {"info": document()["info"], "main": whole(get_language() or "en")})


@lru_cache(maxsize=4)
def whole(language: str) -> str:
    """Return what the page says, made once a language: anybody may ask for it, and it changes with the code only."""
    with override(language):
        said = {"groups": groups(), "info": document()["info"], "shapes": shapes()}
        return render_to_string("api/docs_main.html", said)


def groups() -> list[dict[str, Any]]:
    """Return the operations by resource, as the page shows them."""
    found: dict[str, list[dict[str, Any]]] = {}
    for address, methods in document()["paths"].items():
        for method, operation in methods.items():
            found.setdefault(operation["tags"][0], []).append(_operation(address, method, operation))
    return [{"name": name, "operations": operations} for name, operations in found.items()]


def shapes() -> list[dict[str, Any]]:
    """Return the named shapes with their fields."""
    schemas = document().get("components", {}).get("schemas", {})
    return [
        {"name": name, "text": shape.get("description", ""), "fields": _fields(shape)}
        for name, shape in schemas.items()
    ]


def _operation(address: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    body = operation.get("requestBody", {}).get("content", {})
    answers = []
    for status, said in operation["responses"].items():
        answer = _meant(said)
        content = next(iter(answer.get("content", {}).values()), {})
        answers.append(
            {"status": status, "text": answer.get("description", ""), "shape": _kind(content.get("schema", {}))}
        )
    return {
        "id": operation["operationId"],
        "method": method.upper(),
        "address": address,
        "summary": operation.get("summary", ""),
        "text": operation.get("description", ""),
        "parameters": [
            one | {"kind": _kind(one.get("schema", {})), "place": one["in"]}
            for one in map(_meant, operation.get("parameters", []))
        ],
        "media": next(iter(body), ""),
        "body": _kind(next(iter(body.values()), {}).get("schema", {})) if body else "",
        "answers": answers,
    }


def _meant(said: dict[str, Any]) -> dict[str, Any]:
    """Return what is said here, or what it points at."""
    found: Any = document()
    for part in said.get("$ref", "").split("/")[1:]:
        found = found[part]
    return said if "$ref" not in said else dict(found)


def _fields(shape: dict[str, Any]) -> list[dict[str, Any]]:
    needed = shape.get("required", [])
    return [
        {"name": name, "kind": _kind(field), "needed": name in needed, "text": field.get("description", "")}
        for name, field in shape.get("properties", {}).items()
    ]


def _kind(field: dict[str, Any]) -> str:
    """Return a short word for what a field holds."""
    if "$ref" in field:
        return str(field["$ref"]).rpartition("/")[2]
    for joiner in ("allOf", "oneOf", "anyOf"):
        if joiner in field:
            return " | ".join(dict.fromkeys(_kind(one) for one in field[joiner]))
    if "enum" in field:
        return " | ".join(str(one) for one in field["enum"])
    kind = field.get("type", "")
    if kind == "array":
        return f"[{_kind(field.get('items', {}))}]"
    if isinstance(kind, list):
        kind = " | ".join(kind)
    return f"{kind} ({field['format']})" if "format" in field else str(kind)


urlpatterns = [
    path("schema", schema, name="api-schema"),
    path("docs", docs, name="api-docs"),
]
