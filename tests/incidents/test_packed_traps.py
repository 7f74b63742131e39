"""Is a file that was made to take long to look into refused in a moment?"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import pytest

from incidents.files import contents, pdfs
from incidents.files.contents import ContentError

HEAD = b"obj<</Type/ObjStm/N 1/First 4/Filter/FlateDecode>>stream\n"


def directory(entries: int) -> bytes:
    """An archive whose directory names so many parts."""
    named = b"".join(
        struct.pack("<4s4B4HL2L5H2L", b"PK\x01\x02", 20, 0, 20, *[0] * 8, 4, *[0] * 6) + b"%04x" % (n % 65536)
        for n in range(entries)
    )
    many = min(entries, 65_535)
    return b"PK\x03\x04" + b"\0" * 26 + named + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, many, many, len(named), 30, 0)


def neutral(end: bytes) -> bytes:
    """Words with this end that leave an Adler-32 sum as it was: streams that end in the same place need that."""
    room = 1_000
    made = bytearray([100] * room + list(end))
    for n in range(-sum(made) % 65_521):
        made[n % room] += 1
    lack = -(zlib.adler32(made) >> 16) % 65_521
    for n in range(lack // 900):  # a unit that stands further in front weighs more
        made[n % 90] += 1
        made[n % 90 + 900] -= 1
    made[95] += 1
    made[95 + lack % 900] -= 1
    assert zlib.adler32(made) == 1
    return bytes(made)


def nested(streams: int, empty: int) -> bytes:
    """A PDF whose object streams lie in each other: every one of them is unpacked up to the last byte."""
    words = neutral(HEAD + b"\x78\x01")
    block = b"\0" + struct.pack("<HH", len(words), len(words) ^ 0xFFFF) + words
    last = b"\0\0\0\xff\xff" * empty + b"\1\0\0\xff\xff" + struct.pack(">L", 1)
    return b"%PDF-1.7\n1 0 " + HEAD + b"\x78\x01" + block * streams + last + b"\nendstream\nendobj\n%%EOF\n"


def test_an_archive_that_names_very_many_parts_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    real = zipfile.ZipFile
    monkeypatch.setattr(zipfile, "ZipFile", lambda *given: opened.append(given) or real(*given))
    packed = directory(contents.ENTRIES + 1)
    assert contents.packed_holds(packed, b"x") is False
    with pytest.raises(ContentError):
        contents.xlsx(packed)
    assert not opened
    out = io.BytesIO()
    with real(out, "w") as archive:
        archive.writestr("a", b"needle")
    assert contents.packed_holds(out.getvalue(), b"needle")


def test_streams_that_lie_in_each_other_are_not_all_unpacked() -> None:
    with pytest.raises(pdfs.PdfError):
        pdfs.check(nested(streams=100, empty=100_000))
    pdfs.check(nested(streams=0, empty=1_000))
