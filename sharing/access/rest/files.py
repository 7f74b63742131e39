"""How is a stored file handed out without harm?"""

from __future__ import annotations

from typing import Any

from django.http import FileResponse


def send(row: Any, *, shown: bool = False) -> FileResponse:
    """Return the file of ``row`` (an open file, its name and content type): saved, never run.

    ``shown``: a picture that was drawn here, which a page may show.
    """
    response = FileResponse(row.file, as_attachment=not shown, filename=row.name, content_type=row.content_type)
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.handed_out = {"id": row.id, "classification": row.classification}  # type: ignore[attr-defined]
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response
