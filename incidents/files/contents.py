"""Does the content of a file hold what its kind demands?"""

from __future__ import annotations

import io
import warnings
import zipfile
from typing import Any

from django.utils.translation import gettext_lazy as _
from PIL import Image

from incidents.files import pdfs

PIXELS = {"JPEG": 60_000_000, "PNG": 24_000_000, "WEBP": 24_000_000}
"""Most pixels by kind: a JPEG can be read at an eighth of its size, the others only whole."""
ENTRIES = 2_000
UNPACKED = 200 * 1024 * 1024
RATIO = 200
SCANNED = 4 * 1024 * 1024
_ENTRY = b"PK\x01\x02"
"""With this each entry of an archive's directory begins."""


class ContentError(ValueError):
    """The content is not fit; ``message`` says why."""

    def __init__(self, message: Any) -> None:
        super().__init__(str(message))
        self.message = message


def jpeg(content: bytes) -> None:
    """A JPEG that decodes."""
    _image(content, "JPEG")


def png(content: bytes) -> None:
    """A PNG that decodes."""
    _image(content, "PNG")


def webp(content: bytes) -> None:
    """A WebP that decodes."""
    _image(content, "WEBP")


def _image(content: bytes, kind: str) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=[kind]) as image:
                if image.width * image.height > PIXELS[kind]:
                    raise ContentError(_("The picture has too many pixels."))
                image.verify()
            with Image.open(io.BytesIO(content), formats=[kind]) as image:
                image.draft("RGB", (image.width // 8, image.height // 8))
                image.load()
    except ContentError:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise ContentError(_("The picture has too many pixels.")) from error
    except Exception as error:  # a hostile picture may raise anything from a decoder
        raise ContentError(_("The picture cannot be read.")) from error


def pdf(content: bytes) -> None:
    """A PDF from head to end that starts no program and no script when it is opened."""
    try:
        pdfs.check(content)
    except pdfs.PdfError as error:
        raise ContentError(error.message) from error


def text(content: bytes) -> None:
    """Plain text in UTF-8, UTF-16 with its mark, or GB18030, without control characters."""
    encodings = ("utf-16",) if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            decoded = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if any(character < " " and character not in "\t\n\r\f" for character in decoded) or "\x7f" in decoded:
            raise ContentError(_("The text holds control characters."))
        return
    raise ContentError(_("The text is in no known encoding."))


def xlsx(content: bytes) -> None:
    """An Excel workbook without macros."""
    _office(content, "xl/workbook.xml")


def docx(content: bytes) -> None:
    """A Word document without macros."""
    _office(content, "word/document.xml")


def pptx(content: bytes) -> None:
    """A PowerPoint presentation without macros."""
    _office(content, "ppt/presentation.xml")


def _office(content: bytes, part: str) -> None:
    with _opened(content) as archive:
        entries = archive.infolist()
        names = {entry.filename for entry in entries}
        if len(entries) > ENTRIES or sum(entry.file_size for entry in entries) > UNPACKED:
            raise ContentError(_("Unpacked, the file is too big."))
        if any(entry.file_size > RATIO * max(entry.compress_size, 1) + 1_000_000 for entry in entries):
            raise ContentError(_("Unpacked, the file is too big."))
        if any(entry.flag_bits & 0x1 for entry in entries):
            raise ContentError(_("A file locked with a password cannot be checked."))
        if any(name.startswith("/") or ".." in name.split("/") or "\\" in name for name in names):
            raise ContentError(_("The file names parts outside itself."))
        if any(name.lower().endswith((".bin", ".exe", ".dll", ".js", ".vbs")) and _runs(name) for name in names):
            raise ContentError(_("A file with macros is not taken in."))
        if part not in names or "[Content_Types].xml" not in names:
            raise ContentError(_("The content is not what the name says."))


def _runs(name: str) -> bool:
    """Whether a part may be run; printer settings are the one harmless kind of .bin."""
    return not ("printerSettings" in name and name.lower().endswith(".bin"))


def _opened(content: bytes) -> zipfile.ZipFile:
    if content.count(_ENTRY) > ENTRIES:  # before it is opened: each is read and kept then
        raise ContentError(_("Unpacked, the file is too big."))
    try:
        return zipfile.ZipFile(io.BytesIO(content))
    # zipfile says by NotImplementedError that an archive needs a later version of ZIP than it reads
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise ContentError(_("The file cannot be unpacked.")) from error


def packed_holds(content: bytes, wanted: bytes) -> bool:
    """Whether a packed file holds these bytes near the start of one of its parts (4 MB unpacked in all)."""
    if content[:2] != b"PK":
        return False
    left = SCANNED
    try:
        with _opened(content) as archive:
            for entry in archive.infolist():
                if left <= 0:
                    return False
                if entry.flag_bits & 0x1:
                    continue
                with archive.open(entry) as part:
                    head = part.read(min(left, 65_536))
                left -= len(head)
                if wanted in head:
                    return True
    except Exception:  # noqa: BLE001 - what cannot be unpacked here is refused by the check of its kind
        return False
    return False
