"""Is nothing taken in that a PDF reader would run, however it is written or packed, and everything that is harmless?"""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Iterator

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import translation

from incidents.files import checking, contents, pdfs
from incidents.files.contents import ContentError

SCRIPT = b"<</S/JavaScript/JS(app.alert(1))>>"


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


def pdf(*objects: bytes) -> bytes:
    body = b"".join(b"%d 0 obj\n%s\nendobj\n" % (n, one) for n, one in enumerate(objects, 1))
    return b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + body + b"trailer<</Root 1 0 R>>\nstartxref\n9\n%%EOF\n"


def stream(words: bytes, head: bytes, *, pack: bool = True, newline: bytes = b"\n") -> bytes:
    packed = zlib.compress(words) if pack else words
    return b"<<" + head + b"/Length %d>>stream" % len(packed) + newline + packed + b"\nendstream"


def objects(words: bytes, head: bytes = b"/Type/ObjStm/N 1/First 4/Filter/FlateDecode") -> bytes:
    return stream(b"5 0 " + words, head)


CATALOG = b"<</Type/Catalog/Pages 2 0 R/OpenAction[3 0 R/Fit]/AA<<>>>>"


@pytest.mark.parametrize(
    "content",
    [
        pdf(CATALOG),
        pdf(CATALOG, objects(b"<</Type/Page>>")),
        pdf(stream(b"BT /F1 12 Tf (/JavaScript) Tj ET", b"/Filter/FlateDecode")),
        pdf(stream(b"a page about /Launch", b"/Filter[/FlateDecode]")),
        pdf(stream(os.urandom(3_000_000), b"/Subtype/Image/Filter/DCTDecode", pack=False)),
        pdf(objects(b"<</A(x)>>"), stream(b"x" * 10, b"", pack=False)),
    ],
    ids=["plain", "objects", "words on a page", "in a list", "a photo", "not packed"],
)
def test_what_is_harmless_is_taken_in(content: bytes) -> None:
    assert checking.check(SimpleUploadedFile("plan.pdf", content)).content_type == "application/pdf"


@pytest.mark.parametrize(
    "content",
    [
        pdf(SCRIPT),
        pdf(b"<</S/J#61vaScript/JS(x)>>"),
        pdf(b"<</S/#4aavaScript>>"),
        pdf(b"<</S /Launch/F(cmd.exe)>>"),
        pdf(b"<</Type/EmbeddedFile>>"),
        pdf(b"<</S/SubmitForm/F(http://x)>>"),
        pdf(b"<</AcroForm<</XFA 3 0 R>>>>"),
        pdf(b"<</S/GoToR/F(\\\\\\\\host\\\\share)>>"),
        pdf(CATALOG, objects(SCRIPT)),
        pdf(CATALOG, objects(b"<</S/J#61vaScript>>")),
        pdf(CATALOG, objects(SCRIPT, b"/Type/Obj#53tm/N 1/First 4/Filter/FlateDecode")),
        pdf(CATALOG, objects(SCRIPT, b"/Type 9 0 R/N 1/First 4/Filter/FlateDecode")),
        pdf(CATALOG, objects(SCRIPT, b"/Type/ObjStm/N 1/First 4/Filter [ /FlateDecode ]")),
        pdf(CATALOG, objects(SCRIPT, b"/Type/ObjStm/N 1/First 4/Filter/Fl")),
        pdf(CATALOG, stream(b"5 0 " + SCRIPT, b"/Type/ObjStm/N 1/First 4/Filter/FlateDecode", newline=b"\r\n")),
        pdf(CATALOG, stream(b"5 0 " + SCRIPT, b"/Type/ObjStm/N 1/First 4", pack=False)),
        pdf(CATALOG, objects(os.urandom(400_000) + SCRIPT)),
    ],
)
def test_what_would_run_open_or_send_is_refused(content: bytes) -> None:
    with pytest.raises(ContentError) as refused:
        contents.pdf(content)
    assert refused.value.message == "A PDF with scripts or files inside is not taken in."


def test_the_word_for_the_end_inside_what_is_packed_hides_nothing() -> None:
    packing = zlib.compressobj(level=0)
    packed = packing.compress(b"5 0 endstream " + SCRIPT.replace(b"/", b"/")) + packing.flush()
    head = b"/Type/ObjStm/N 1/First 4/Filter/FlateDecode"
    stored = b"<<" + head + b"/Length %d>>stream\n" % len(packed) + packed + b"\nendstream"
    with pytest.raises(ContentError):
        contents.pdf(pdf(CATALOG, stored))


@pytest.mark.parametrize(
    "content",
    [
        pdf(b"<</Encrypt 5 0 R>>"),
        pdf(stream(b"x", b"/Type/ObjStm/N 1/First 4/Filter[/ASCII85Decode/FlateDecode]", pack=False)),
        pdf(stream(b"x", b"/Type/ObjStm/N 1/First 4/Filter/LZWDecode", pack=False)),
        pdf(stream(b"no zlib", b"/Type/ObjStm/N 1/First 4/Filter/FlateDecode", pack=False)),
        pdf(stream(b"x", b"/Type/ObjStm/N 1/First 4/Filter 9 0 R", pack=False)),
        pdf(stream(b"x" * 9, b"/Type/ObjStm/N 1/First 4/Filter/FlateDecode/DecodeParms<</Predictor 12>>")),
        pdf()[:-10],
        b"%PDF-1.7",
    ],
)
def test_what_cannot_be_looked_into_is_refused(content: bytes) -> None:
    with pytest.raises(ContentError):
        contents.pdf(content)


def test_a_bomb_is_refused_before_it_has_grown(monkeypatch: pytest.MonkeyPatch) -> None:
    """S21: a bomb is refused before it has grown."""
    monkeypatch.setattr(pdfs, "MOST_UNPACKED", 1_000_000)
    with pytest.raises(ContentError) as one:
        contents.pdf(pdf(objects(b"0" * 2_000_000)))
    with pytest.raises(ContentError) as many:
        contents.pdf(pdf(*[objects(b"0" * 300_000)] * 5))
    monkeypatch.setattr(pdfs, "MOST_STREAMS", 3)
    with pytest.raises(ContentError) as streams:
        contents.pdf(pdf(*[stream(b"x", b"")] * 5))
    assert {str(found.value.message) for found in (one, many, streams)} == {"Unpacked, the file is too big."}


NUMBERED = b"".join(b"/%x" % n for n in range(3_700_000))[: 24 * 1024 * 1024]
ESCAPED = b"".join(b"/%x" % n + b"#41" * 25 for n in range(300_000))[: 24 * 1024 * 1024]


@pytest.mark.parametrize(
    "content",
    [
        pdf(NUMBERED),
        pdf(ESCAPED),
        pdf(*[objects(NUMBERED[: 3 * 1024 * 1024])] * 3),
        pdf(*[b"/b" * 1_800 + b" stream\nendstream"] * 6_000),
    ],
    ids=["names", "escapes", "packed", "heads"],
)
def test_millions_of_names_are_refused_at_once(content: bytes) -> None:
    """S21: 25 MB made of names took 13 s of a thread."""
    assert len(content) <= 25 * 1024 * 1024
    began = time.process_time()
    with pytest.raises(ContentError) as refused:
        contents.pdf(content)
    assert time.process_time() - began < 2
    assert str(refused.value.message) == "The PDF has too many parts to be checked."


def test_as_many_names_as_are_allowed_take_no_longer() -> None:
    """S21: what is just taken in is no slower, and neither photos nor big tables of names are refused."""
    most = b"".join(b"/%x" % n for n in range(pdfs.MOST_NAMES - 100))
    began = time.process_time()
    contents.pdf(pdf(CATALOG, most))
    assert time.process_time() - began < 2
    contents.pdf(pdf(stream(os.urandom(20 * 1024 * 1024), b"/Subtype/Image/Filter/DCTDecode", pack=False)))
