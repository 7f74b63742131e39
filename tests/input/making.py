"""Of which bytes, values and files are the rows of the table made?"""

from __future__ import annotations

import io
import json
import random
import zipfile
from functools import lru_cache
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from incidents.files.checking import EICAR


def bytes_of(pieces: list[Any] | None) -> bytes | None:
    """Return what a try sends as bytes: its pieces one after the other; None where it sends nothing at all."""
    if pieces is None:
        return None
    return b"".join(_piece(one) for one in pieces)


def value_of(pieces: list[Any]) -> Any:
    """Return what a try puts into a field: a value as JSON has it, or text made of pieces."""
    if len(pieces) == 1:
        (one,) = pieces
        if isinstance(one, dict) and set(one) == {"make"}:
            return made(one["make"])
        if not isinstance(one, str) and not _repeats(one):
            return one
    return b"".join(_piece(one) for one in pieces).decode("utf-8", "surrogatepass")


def _repeats(piece: Any) -> bool:
    return isinstance(piece, list) and len(piece) == 2 and type(piece[1]) is int


def _piece(piece: Any) -> bytes:
    if isinstance(piece, dict) and "hex" in piece:
        return bytes.fromhex(str(piece["hex"]))
    if isinstance(piece, dict):
        found = made(piece["make"])
        return found if isinstance(found, bytes) else str(found).encode()
    if _repeats(piece):
        return _piece(piece[0]) * int(piece[1])
    return str(piece).encode("utf-8", "surrogatepass")


def made(name: str) -> Any:
    """Return what goes by that name in the table."""
    return _MAKERS[name]()


def _polygon(ring: list[list[float]]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [ring]}


@lru_cache
def _huge_ring() -> list[list[float]]:
    chance = random.Random(1)
    return [[round(121 + chance.random(), 6), round(31 + chance.random(), 6)] for _ in range(100_000)]


def _office(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<x/>")
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


@lru_cache
def _bomb() -> bytes:
    return _office(bomb=b"0" * 60_000_000)


def _file(name: str, content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="application/octet-stream")


_MAKERS: dict[str, Any] = {
    "bad_utf8": lambda: b"\xff\xfe\xc3",
    "long_boundary": lambda: "multipart/form-data; boundary=" + "x" * 500,
    "crossing_area": lambda: _polygon([[121.0, 31.0], [121.1, 31.1], [121.1, 31.0], [121.0, 31.1], [121.0, 31.0]]),
    "huge_area": lambda: _polygon(_huge_ring()),
    "beyond_area": lambda: _polygon([[190.0, 31.0], [121.1, 91.0], [121.1, 31.0]]),
    "thin_area": lambda: _polygon([[121.0, 31.0], [121.1, 31.1]]),
    "three_hundred": lambda: ["x"] * 300,
    "many_streams": lambda: json.dumps({"kind": "hello", "streams": {f"department:{n}": [1, 0] for n in range(1, 66)}}),
    "file_empty": lambda: _file("note.txt", b""),
    "file_big": lambda: _file("note.txt", b"x" * (25 * 1024 * 1024 + 1)),
    "file_wrong": lambda: _file("photo.jpg", b"%PDF-1.4\nno picture"),
    "file_double": lambda: _file("photo.php.txt", b"hello\n"),
    "file_program": lambda: _file("setup.exe", b"MZ" + b"\0" * 90),
    "file_malware": lambda: _file("note.txt", EICAR),
    "file_bomb": lambda: _file("table.xlsx", _bomb()),
    "file_nameless": lambda: _file(".txt", b"hello\n"),
}
