"""Does every address stand in the permission table?

``tests/permissions/operations.yaml`` is a list of rows; each has ``method``, ``route`` (as Django writes it, sockets with
``WS`` for a method) and what the permission tests need. An address without a row, and a row without an address, fail.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "tests" / "permissions" / "operations.yaml"
METHODS = ("get", "post", "put", "patch", "delete")

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coordination.config.settings")

import django
from django.urls import URLPattern, URLResolver, get_resolver


def operations(patterns: list, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Return (method, route) of every address under ``patterns``."""
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from operations(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            for method in methods(pattern.callback):
                yield method, route


def methods(view) -> list[str]:
    """Return the methods a view answers; "ANY" for a function that does not say."""
    actions = getattr(view, "actions", None)
    if actions:
        return sorted(method.upper() for method in actions)
    cls = getattr(view, "view_class", None) or getattr(view, "cls", None)
    if cls is not None:
        return sorted(method.upper() for method in METHODS if hasattr(cls, method))
    allowed = getattr(view, "methods", None)  # set by the decorators of sharing.access
    return sorted(set(allowed) - {"HEAD", "OPTIONS"}) if allowed else ["ANY"]


def sockets() -> Iterator[tuple[str, str]]:
    """Return every socket's address."""
    from coordination.config.sockets import routes

    for pattern in routes():
        yield "WS", str(pattern.pattern)


def main() -> int:
    """Compare the addresses with the table."""
    django.setup()
    real = set(operations(get_resolver().url_patterns)) | set(sockets())
    if not TABLE.exists():
        print(f"{TABLE.relative_to(ROOT)} is missing")
        return 1
    rows = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    listed: dict[str, set[str]] = {}
    for row in rows:
        listed.setdefault(row["route"], set()).add(row["method"])
    problems = []
    for method, route in sorted(real, key=lambda pair: (pair[1], pair[0])):
        known = listed.get(route, set())
        if not known or (method != "ANY" and method not in known):
            problems.append(f"no row: {method} {route}")
    routes = {route for _, route in real}
    for route, known in sorted(listed.items()):
        if route not in routes:
            problems.append(f"no such address: {route}")
            continue
        stale = known - {method for method, where in real if where == route}
        if stale and ("ANY", route) not in real:
            problems.append(f"no such method: {', '.join(sorted(stale))} {route}")
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
