"""Is this file what its name says, and may it come in?

An allow-list by extension and content: the name only chooses which check runs, the content decides. Nothing is
executed, rendered or unpacked to disk.
"""

from __future__ import annotations

import mimetypes
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import puremagic
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from coordination.events.refused import Refused
from coordination.events.writing import is_storable
from incidents.files import contents
from incidents.files.contents import ContentError

NAME_LENGTH = 120
# in halves: a scanner would take this file itself for what it looks for
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"

_XML = "application/vnd.openxmlformats-officedocument"
KINDS: dict[str, tuple[str, Callable[[bytes], None]]] = {
    "jpg": ("image/jpeg", contents.jpeg),
    "jpeg": ("image/jpeg", contents.jpeg),
    "png": ("image/png", contents.png),
    "webp": ("image/webp", contents.webp),
    "pdf": ("application/pdf", contents.pdf),
    "txt": ("text/plain", contents.text),
    "csv": ("text/csv", contents.text),
    "xlsx": (f"{_XML}.spreadsheetml.sheet", contents.xlsx),
    "docx": (f"{_XML}.wordprocessingml.document", contents.docx),
    "pptx": (f"{_XML}.presentationml.presentation", contents.pptx),
}
"""Extension → content type and the check of its content."""

_DANGEROUS = frozenset((
    "exe", "dll", "com", "scr", "bat", "cmd", "ps1", "vbs", "js", "jse", "mjs", "wsf", "hta", "lnk", "msi",
    "jar", "apk", "sh", "bash", "php", "phtml", "phar", "asp", "aspx", "jsp", "cgi", "pl", "py", "rb", "htm",
    "html", "xhtml", "shtml", "svg", "xml", "docm", "xlsm", "pptm", "iso", "img", "dmg", "reg", "url",
))


class FileRefused(Refused):
    """The file cannot be taken in; ``code`` says why: empty, name, extension, double_extension, content, malware."""

    status = 422
    code = "file_refused"


class FileTooBig(Refused):
    """The file is larger than `settings.MAX_UPLOAD_SIZE` bytes. ``most``: that limit."""

    status = 413
    code = "too_big"


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that may be kept: a clean name, the type its content has, the content."""

    name: str
    extension: str
    content_type: str
    content: bytes


def check(file: Any) -> Checked:
    """Check an uploaded file (``name``, ``size``, ``chunks()``); raise `FileRefused` or `FileTooBig`."""
    name = clean_name(getattr(file, "name", "") or "")
    extension = _extension(name)
    content = _read(file)
    content_type, examine = KINDS[extension]
    _not_malware(content)
    _looks_like(content, extension)
    try:
        examine(content)
    except ContentError as error:
        raise _refused("content", error.message) from error
    return Checked(name, extension, content_type, content)


def clean_name(name: str) -> str:
    """The file's own name without folders, control and direction characters, at most 120 characters."""
    if not isinstance(name, str) or not is_storable("".join(c for c in name if unicodedata.category(c) != "Cf")):
        raise _refused("name", _("The file name holds characters that cannot be stored."))
    name = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(c for c in name if unicodedata.category(c) not in ("Cc", "Cf", "Zl", "Zp")).strip(" .")
    if not name:
        raise _refused("name", _("The file has no name."))
    path = PurePosixPath(name)
    if len(name) <= NAME_LENGTH:
        return name
    end = f".{path.suffix[1:].strip()}"[:NAME_LENGTH]  # what stands between dot and ending may be long and blank
    return path.stem[: NAME_LENGTH - len(end)] + end


def _extension(name: str) -> str:
    suffixes = [suffix[1:].lower().strip() for suffix in PurePosixPath(name).suffixes]
    if not suffixes or suffixes[-1] not in KINDS:
        raise _refused(
            "extension", _("Files of this kind are not taken in. Allowed: %(kinds)s.") % {"kinds": ", ".join(KINDS)}
        )
    if any(_is_extension(suffix) for suffix in suffixes[:-1]):
        raise _refused("double_extension", _("The file name has two extensions; rename the file."))
    return suffixes[-1]


def _is_extension(suffix: str) -> bool:
    return suffix in KINDS or suffix in _DANGEROUS or mimetypes.guess_type(f"a.{suffix}")[0] is not None


def _read(file: Any) -> bytes:
    most = settings.MAX_UPLOAD_SIZE
    if (getattr(file, "size", 0) or 0) > most:
        raise _too_big(most)
    content = bytearray()
    for chunk in file.chunks():
        content += chunk
        if len(content) > most:
            raise _too_big(most)
    if not content:
        raise _refused("empty", _("The file is empty."))
    return bytes(content)


def _not_malware(content: bytes) -> None:
    if EICAR in content or contents.packed_holds(content, EICAR):
        raise _refused("malware", _("The file holds what virus scanners warn of."))


def _looks_like(content: bytes, extension: str) -> None:
    """What the first bytes say must not contradict the name."""
    if extension in ("txt", "csv"):
        if content[:2] == b"MZ" or content[:4] in (b"\x7fELF", b"%PDF", b"PK\x03\x04") or content[:2] == b"#!":
            raise _refused("content", _("The content is not what the name says."))
        return
    try:
        found = {match.extension.lstrip(".").lower() for match in puremagic.magic_string(content)}
    except puremagic.PureError:
        found = set()
    family = {"jpg": {"jpg", "jpeg", "jfif", "jpe"}, "jpeg": {"jpg", "jpeg", "jfif", "jpe"}}.get(extension, {extension})
    office = {"xlsx", "docx", "pptx", "zip"} if extension in ("xlsx", "docx", "pptx") else set()
    if not found & (family | office):
        raise _refused("content", _("The content is not what the name says."))


def _refused(code: str, message: Any) -> FileRefused:
    return FileRefused(message, code=f"file_{code}", errors=[{"pointer": "/file", "code": code, "detail": message}])


def _too_big(most: int) -> FileTooBig:
    message = _("The file is larger than %(most)d MB.") % {"most": most // (1024 * 1024)}
    return FileTooBig(message, most=most, errors=[{"pointer": "/file", "code": "too_big", "detail": message}])
