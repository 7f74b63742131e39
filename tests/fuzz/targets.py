"""Does a reader of foreign input end only as it says it does, whatever bytes it is given?

Each target reads bytes and lets only the refusals through that the reader promises; anything else is a crash, and so
is an input that takes longer than two seconds or more than 512 MB. Run by ``python -m tests.fuzz`` (``make fuzz``).
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(include=["coordination", "incidents", "sharing", "accounts"]):
    from tests import services  # the environment, before Django reads it

    assert services
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coordination.config.settings")
    django.setup()
    from django import forms
    from django.core.files.uploadedfile import SimpleUploadedFile
    from django.http import Http404
    from django.test import RequestFactory
    from rest_framework.serializers import ValidationError

    from coordination.config.middleware import guard
    from coordination.events import words, writing
    from coordination.events.actor import SYSTEM
    from coordination.events.refused import Refused
    from coordination.live import frames
    from coordination.notify import outbound
    from coordination.screens import incidents as incident_pages
    from incidents import areas
    from incidents.entered import Entered
    from incidents.files import checking
    from incidents.forms import AreaField
    from sharing.access.forms import FiniteFloat, local_time
    from sharing.access.rest import accepting, keys, operation, paging, reading, shapes, versions

Target = Callable[[bytes], Any]


def _text(data: bytes) -> str:
    return atheris.FuzzedDataProvider(data).ConsumeUnicode(4000)


def _lines(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def read_frames(data: bytes) -> None:
    """What a screen sends, and what a poll asks."""
    for read in (frames.read_hello, frames.read_after):
        with contextlib.suppress(frames.BadFrame):
            found = read(data.decode("utf-8", "replace"))
            assert all(0 <= epoch < 2**31 and 0 <= seq < 2**53 for epoch, seq in found.values())


def read_json(data: bytes) -> None:
    """The one reader of JSON; what it lets through can be written again."""
    with contextlib.suppress(Refused):
        value = reading.decode(data)
        keys._content(value)


def read_file(data: bytes) -> None:
    """The check of what is attached: the first byte chooses the ending."""
    if not data:
        return
    endings = sorted(checking.KINDS)
    file = SimpleUploadedFile(f"a.{endings[data[0] % len(endings)]}", data[1:])
    with contextlib.suppress(Refused):
        checking.check(file)


def read_file_name(data: bytes) -> None:
    """The name of what is attached."""
    file = SimpleUploadedFile("x.txt", b"hello\n")
    file._name = _text(data)
    with contextlib.suppress(Refused):
        name = checking.check(file).name
        assert "/" not in name and "\\" not in name and "\0" not in name and len(name) <= checking.NAME_LENGTH


def read_headers(data: bytes) -> None:
    """Keys, versions, media types, purposes, codings."""
    text = data.decode("latin-1")
    for read in (
        lambda: keys.command_id(text, SYSTEM, required=True),
        lambda: versions.wanted(text, required=True),
        lambda: versions.known(text, '"1.abc"'),
        lambda: accepting.chosen(text, (accepting.JSON, accepting.GEOJSON)),
        lambda: operation._purpose(text),
        lambda: reading.require_plain(text),
        lambda: operation._id(text),
    ):
        with contextlib.suppress(Refused):
            read()


def read_cursor(data: bytes) -> None:
    """Where a list goes on, of the API and of a page; and any query at the door."""
    text = _text(data)
    with contextlib.suppress(Refused):
        paging.unseal(text, "incidents_list")
    request = RequestFactory().get("/incidents/", {"after": data.decode("utf-8", "replace")})
    with contextlib.suppress(Http404):
        incident_pages._after(request)
    raw = RequestFactory().get("/", QUERY_STRING=data.decode("latin-1"))
    guard.unreadable(raw.META["QUERY_STRING"])
    guard._bad_query(raw)


def read_words(data: bytes) -> None:
    """Text to be found again, and what is searched by."""
    text = _text(data)
    assert len(words.words_of(text, text)) <= words.MOST_WORDS
    query = words.query_of(text)
    assert all(part.startswith("'") and part.endswith("':*") for part in query.split(" & ") if part)
    assert query.count("'") % 2 == 0
    if writing.is_storable(writing.trimmed(text)):
        writing.trimmed(text).encode()


def read_fields(data: bytes) -> None:
    """Times, numbers and texts of bodies."""
    text = _text(data)
    for field in (shapes.Moment(), shapes.Whole(), shapes.Id(), shapes.Yes(), shapes.Latitude(), shapes.Text()):
        with contextlib.suppress(ValidationError):
            field.run_validation(text)


def read_form_fields(data: bytes) -> None:
    """Times (a roster's among them), numbers and areas as people type them."""
    text = _lines(data)
    for field in (local_time(), FiniteFloat(), AreaField(max_length=60_000)):
        with contextlib.suppress(forms.ValidationError):
            value = field.clean(text)
            if isinstance(value, dict):
                areas.checked(Entered(), value)
                field.prepare_value(value)


def read_address(data: bytes) -> None:
    """An address that is to be called; nobody is asked for it here."""
    with contextlib.suppress(outbound.RefusedAddressError):
        parts = outbound._parts(_text(data))
        host = outbound._host(parts)
        assert "\r" not in host and "\n" not in host
        outbound._is_plain_ipv4(host)


TARGETS: dict[str, tuple[Target, tuple[bytes, ...]]] = {
    "frames": (read_frames, (b'{"kind":"hello","streams":{"department:1":[1,0]}}', b"incident:1:brief=1.2,user:3=0.0")),
    "json": (read_json, (b'{"a": [1, 2.5e3, true, null, "\\u4e2d\\ud83d\\ude00"], "b": {"c": "\\""}}',)),
    "files": (read_file, ()),
    "names": (read_file_name, ("../照片.php.jpg".encode(), b"C:\\a\\note.txt")),
    "headers": (
        read_headers,
        (b'"12.abc"', b"application/json;q=0.5, */*;q=0.1", b"0f0e0d0c-0b0a-4908-8706-050403020100"),
    ),
    "cursors": (read_cursor, (b'["2026-01-01T00:00:00+00:00", 5]', b"WzFd:1abcde:abcdef", b"q=%E4%B8%AD&a=%00")),
    "words": (read_words, ("码头仓库火灾 tank 3 ﬃ ½".encode(),)),
    "fields": (read_fields, (b"2026-05-01T10:00:00.123+08:00", b"-90.5", b"true")),
    "forms": (read_form_fields, (b"2026-05-01T10:00", b"30.1, 121.2\n30.2, 121.3\n30.1, 121.4",
                                 b'{"type":"Polygon","coordinates":[[[121,31],[122,31],[122,32]]]}')),
    "addresses": (read_address, (b"https://user@h\xc3\xb6st.example:8080/p?q#f", b"http://[::ffff:1.2.3.4]:80/")),
}  # fmt: skip
"""By name: the reader, and what the first corpus holds."""


def samples(name: str) -> list[bytes]:
    """The first inputs of a target; of files a small good one of each kind."""
    if name != "files":
        return list(TARGETS[name][1])
    from PIL import Image

    from tests.incidents.test_attachments import office

    def picture(kind: str) -> bytes:
        out = io.BytesIO()
        Image.new("RGB", (4, 4), "red").save(out, kind)
        return out.getvalue()

    kinds = {
        "jpg": picture("JPEG"), "png": picture("PNG"), "webp": picture("WEBP"), "pdf": picture("PDF"),
        "txt": b"hello\n", "csv": b"a,b\n1,2\n", "docx": office("word/document.xml"),
        "xlsx": office("xl/workbook.xml"), "pptx": office("ppt/presentation.xml"),
    }  # fmt: skip
    endings = sorted(checking.KINDS)
    return [bytes([endings.index(kind)]) + content for kind, content in kinds.items()]


def main() -> None:
    """``<name> <libFuzzer's own arguments>``, or ``<name> --samples <folder>``."""
    name = sys.argv.pop(1)
    if sys.argv[1] == "--samples":
        for number, content in enumerate(samples(name)):
            Path(sys.argv[2], f"first-{number}").write_bytes(content)
        return
    atheris.Setup(sys.argv, TARGETS[name][0])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
