"""Is this process alive, may it be given work, and how is the system behind it?"""

import hmac
import shutil
import time

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from coordination.config.monitor import deep as parts
from sharing.access.pages import page

DISK_SHARE = 0.02
DISK_BYTES = 1_000_000_000
MIGRATIONS_SECONDS = 30.0  # what is applied changes at start only: look again this often, not at each probe

_migrated_at = 0.0


@never_cache
@require_safe
def live(_request: HttpRequest) -> JsonResponse:
    """Answer 200: the process handles requests. Asks nobody."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def ready(_request: HttpRequest) -> JsonResponse:
    """Answer 200 when the database answers, its tables are those of this code and the disk has room; else 503.

    Redis is not asked: without it, work goes on.
    """
    checks = {"database": _database(), "migrations": _migrations(), "disk": _disk()}
    good = all(checks.values())
    answer = JsonResponse(
        {
            "status": "ok" if good else "unavailable",
            "checks": {name: "ok" if ok else "failed" for name, ok in checks.items()},
        },
        status=200 if good else 503,
    )
    if not good:
        answer["Retry-After"] = "2"
    return answer


@never_cache
@require_safe
def deep(request: HttpRequest) -> HttpResponse:
    """Say of each part whether it is well (``status``: ok, warn, bad), always with 200 and within 3 s, whatever hangs.

    For administrators, and for who shows ``MUSTER_METRICS_TOKEN`` as a bearer token: that needs no database.
    """
    if _by_token(request):
        return _deep()
    found: HttpResponse = _for_administrators(request)
    return found


@page(posts={"administrator"})
def _for_administrators(_request: HttpRequest) -> HttpResponse:
    return _deep()


def _deep() -> JsonResponse:
    found = parts.look()
    shown = {name: finding.shown() for name, finding in found.items()}
    return JsonResponse({"status": parts.overall(found), "parts": shown})


def _by_token(request: HttpRequest) -> bool:
    wanted = settings.MUSTER_METRICS_TOKEN
    kind, _space, shown = request.headers.get("Authorization", "").partition(" ")
    return bool(wanted) and kind == "Bearer" and hmac.compare_digest(shown.encode(), wanted.encode())


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return cursor.fetchone() == (1,)
    except DatabaseError:
        return False


def _migrations() -> bool:
    global _migrated_at
    if _migrated_at and time.monotonic() - _migrated_at < MIGRATIONS_SECONDS:
        return True
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return False
    if not missing:
        _migrated_at = time.monotonic()
    return not missing


def _disk() -> bool:
    folder = settings.MEDIA_ROOT
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return False
    return usage.free >= min(usage.total * DISK_SHARE, DISK_BYTES)
