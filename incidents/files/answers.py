"""How is a file handed out, so that no browser runs it?"""

from __future__ import annotations

from django.http import FileResponse

from incidents.queries.files import Download

_SANDBOX = "sandbox; default-src 'none'"


def download(file: Download) -> FileResponse:
    """The file as it came, to be saved, never shown: ``attachment``, nosniff, a sandbox of its own."""
    answer = FileResponse(
        file.file, as_attachment=True, filename=file.name, content_type=file.content_type
    )
    return _guarded(answer)


def picture(file: Download) -> FileResponse:
    """The small picture drawn anew, which a page may show."""
    return _guarded(FileResponse(file.file, content_type=file.content_type))


def _guarded(answer: FileResponse) -> FileResponse:
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = _SANDBOX
    answer["Cross-Origin-Resource-Policy"] = "same-origin"
    answer["Cache-Control"] = "no-store"
    return answer
