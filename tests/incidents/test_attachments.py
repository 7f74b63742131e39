"""Is a file what it says, kept under a new name, and handed out so that nothing runs it?"""

from __future__ import annotations

import io
import os
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from coordination.events.refused import Invalid, NotFound, Refused
from incidents import actions, queries
from incidents.files import answers
from incidents.files.checking import EICAR
from incidents.models import Attachment, Report
from tests.incidents.cast import T0, City, explosion


def picture(kind: str = "JPEG", size: tuple[int, int] = (1200, 800)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "orange").save(out, kind)
    return out.getvalue()


def office(part: str, **parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(part, "<x/>")
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/").replace("_DOT_", "."), content)
    return out.getvalue()


PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


@pytest.mark.parametrize(
    ("name", "content", "content_type"),
    [
        ("现场.jpg", picture(), "image/jpeg"),
        ("site.JPEG", picture(), "image/jpeg"),
        ("plan.png", picture("PNG"), "image/png"),
        ("drone.webp", picture("WEBP"), "image/webp"),
        ("notice v1.2.pdf", PDF, "application/pdf"),
        ("note.txt", "可燃气体 12 %LEL\n".encode(), "text/plain"),
        ("old.txt", "可燃气体".encode("gb18030"), "text/plain"),
        ("beds.csv", b"\xef\xbb\xbfname,beds\r\nA,3\r\n", "text/csv"),
        ("beds.xlsx", office("xl/workbook.xml"), None),
        ("plan.docx", office("word/document.xml"), None),
    ],
)
def test_what_is_allowed_is_kept_as_it_came(
    city: City, tmp_path: Path, name: str, content: bytes, content_type: str | None
) -> None:
    """S20: what is allowed is kept as it came."""
    incident = explosion(city)
    centre = city.actor("centre")
    row = actions.attach(
        actor=centre, now=T0, incident_id=incident.pk, file=SimpleUploadedFile(name, content, "text/html")
    )
    assert row.name == name
    assert content_type in (None, row.content_type)
    stored = Path(row.file.path)
    assert stored.read_bytes() == content and stored.is_relative_to(tmp_path) and name not in stored.name
    found = queries.attachment_file(actor=centre, attachment_id=row.pk, now=T0)
    answer = answers.download(found)
    assert b"".join(answer.streaming_content) == content  # type: ignore[arg-type]
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    answer.file_to_stream.close()  # closing the answer itself would close the connection under the transaction


def test_a_page_shows_a_picture_drawn_anew(city: City) -> None:
    incident = explosion(city)
    content = picture() + b"<script>alert(1)</script>"
    row = actions.attach(
        actor=city.actor("centre"), now=T0, incident_id=incident.pk, file=SimpleUploadedFile("a.jpg", content)
    )
    shown = queries.open_picture(actor=city.actor("centre"), attachment_id=row.pk, now=T0)
    small = shown.file.read()
    shown.file.close()
    assert b"<script>" not in small
    with Image.open(io.BytesIO(small)) as image:
        assert image.format == "JPEG" and max(image.size) == 480


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.txt", b"", "file_empty"),
        ("a.exe", b"MZ", "file_extension"),
        ("a.svg", b"<svg/>", "file_extension"),
        ("a.html", b"<b>", "file_extension"),
        ("noextension", b"x", "file_extension"),
        (".txt", b"x", "file_extension"),
        ("photo.php.jpg", picture(), "file_double_extension"),
        ("invoice.pdf.txt", b"x", "file_double_extension"),
        ("a.jpg", PDF, "file_content"),
        ("a.jpg", b"MZ" + b"\0" * 90, "file_content"),
        ("a.jpg", picture()[:200], "file_content"),
        ("a.png", picture("JPEG"), "file_content"),
        ("a.pdf", b"%PDF-1.4 cut off", "file_content"),
        ("a.pdf", PDF.replace(b"<<>>", b"<</S/JavaScript>>", 1), "file_content"),
        ("a.txt", b"MZ this program", "file_content"),
        ("a.txt", b"a\0b", "file_content"),
        ("a.csv", b"#!/bin/sh\nrm", "file_content"),
        ("a.txt", b"\xff\xfe\x00\xd8", "file_content"),
        ("a.txt", EICAR, "file_malware"),
        ("a.docx", office("word/document.xml", evil=EICAR), "file_malware"),
        ("a.docx", office("xl/workbook.xml"), "file_content"),
        ("a.xlsx", office("xl/workbook.xml", xl__vbaProject_DOT_bin=b"x"), "file_content"),
        ("a.xlsx", office("xl/workbook.xml", bomb=b"0" * 60_000_000), "file_content"),
        ("a.xlsx", b"PK\x03\x04 broken", "file_content"),
        ("a\ud800.txt", b"x", "file_name"),
        ("a\x00.txt", b"x", "file_name"),
    ],
)
def test_what_is_hostile_is_refused_with_its_reason(
    city: City, tmp_path: Path, name: str, content: bytes, code: str
) -> None:
    """S20: what is hostile is refused with its reason."""
    incident = explosion(city)
    file = SimpleUploadedFile("x.txt", content)
    file._name = name  # past the upload's own cleaning
    with pytest.raises(Refused) as refused:
        actions.attach(actor=city.actor("centre"), now=T0, incident_id=incident.pk, file=file)
    assert refused.value.code == code
    assert str(refused.value.message)
    assert not Attachment.everything.exists()
    assert not [found for _folder, _folders, found in os.walk(tmp_path) if found]


def test_too_many_bytes_or_pixels(city: City, settings: Any) -> None:
    incident = explosion(city)
    settings.MAX_UPLOAD_SIZE = 1000
    for claimed in (5000, None):
        file = SimpleUploadedFile("a.txt", b"x" * 5000)
        file.size = claimed
        with pytest.raises(Refused) as refused:
            actions.attach(actor=city.actor("centre"), now=T0, incident_id=incident.pk, file=file)
        assert (refused.value.status, refused.value.code) == (413, "too_big")
    settings.MAX_UPLOAD_SIZE = 25 * 1024 * 1024
    wide = picture("PNG", (6_000, 5_000))
    with pytest.raises(Refused) as pixels:
        actions.attach(
            actor=city.actor("centre"), now=T0, incident_id=incident.pk, file=SimpleUploadedFile("a.png", wide)
        )
    assert pixels.value.code == "file_content"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\temp\\note.txt", "note.txt"),
        ("gpj.‮txt.txt", None),
        ("a\u202e.txt", "a.txt"),
        ("x" * 300 + ".txt", "x" * 116 + ".txt"),
        ("x" * 90 + "." + " " * 200 + "txt", "x" * 90 + ".txt"),
    ],
)
def test_names_are_cleaned(city: City, given: str, kept: str | None) -> None:
    incident = explosion(city)
    file = SimpleUploadedFile("x.txt", b"x")
    file._name = given
    if kept is None:
        with pytest.raises(Refused) as refused:
            actions.attach(actor=city.actor("centre"), now=T0, incident_id=incident.pk, file=file)
        assert refused.value.code == "file_double_extension"
        return
    row = actions.attach(actor=city.actor("centre"), now=T0, incident_id=incident.pk, file=file)
    assert row.name == kept


def test_a_loose_file_is_its_uploaders_until_it_hangs_on_something(city: City) -> None:
    fire = city.actor("fire")
    incident = explosion(city)
    loose = actions.attach(actor=fire, now=T0, file=SimpleUploadedFile("a.jpg", picture()))
    assert queries.attachment(actor=fire, attachment_id=loose.pk, now=T0)["subject"] is None
    for other in (city.actor("centre"), city.actor("city")):
        with pytest.raises(NotFound):
            queries.attachment_file(actor=other, attachment_id=loose.pk, now=T0)
    with pytest.raises(Invalid):
        actions.add_log(
            actor=city.actor("centre"), now=T0, incident_id=incident.pk, text="not mine", attachment_ids=[loose.pk]
        )
    entry = actions.add_log(actor=fire, now=T0, incident_id=incident.pk, text="火势", attachment_ids=[loose.pk])
    seen = queries.log_entry(actor=city.actor("centre"), entry_id=entry.pk, now=T0)
    assert [file["id"] for file in seen["attachments"]] == [loose.pk]
    assert seen["attachments"][0]["picture"]
    with pytest.raises(NotFound):
        queries.attachment(actor=city.actor("neighbour"), attachment_id=loose.pk, now=T0)
    with pytest.raises(Invalid):
        actions.add_log(actor=fire, now=T0, incident_id=incident.pk, text="twice", attachment_ids=[loose.pk])


def test_a_reports_photo_follows_the_report(city: City) -> None:
    plant = city.actor("plant")
    photo = actions.attach(actor=plant, now=T0, file=SimpleUploadedFile("a.jpg", picture()))
    report = actions.receive_report(
        actor=plant, now=T0, channel="enterprise", text="爆炸", attachment_ids=[photo.pk]
    )
    assert queries.attachment(actor=city.actor("watch"), attachment_id=photo.pk, now=T0)["subject"] == [
        Report._meta.label_lower, report.pk
    ]
    with pytest.raises(NotFound):
        queries.attachment(actor=city.actor("fire"), attachment_id=photo.pk, now=T0)
    incident = explosion(city, report_ids=[report.pk])
    room = queries.room(actor=city.actor("fire"), incident_id=incident.pk, now=T0)
    assert [file["id"] for file in room["attachments"]] == [photo.pk]
    actions.split_report(actor=city.actor("centre"), now=T0, report_id=report.pk, why="另一处")
    with pytest.raises(NotFound):
        queries.attachment(actor=city.actor("fire"), attachment_id=photo.pk, now=T0)


def test_a_file_on_a_class_three_line_needs_class_three(city: City) -> None:
    centre = city.actor("centre")
    incident = explosion(city)
    actions.invite(actor=centre, now=T0, incident_id=incident.pk, department_id=city["health"].pk)
    photo = actions.attach(actor=centre, now=T0, file=SimpleUploadedFile("a.jpg", picture()))
    actions.add_log(
        actor=centre, now=T0, incident_id=incident.pk, text="x", classification=3, attachment_ids=[photo.pk]
    )
    with pytest.raises(NotFound):
        queries.attachment_file(actor=city.actor("health"), attachment_id=photo.pk, now=T0)


def test_files_of_rooms_above_open_to_both_sides(city: City) -> None:
    incident = explosion(city)
    plant = city.actor("plant")
    photo = actions.attach(actor=plant, now=T0, file=SimpleUploadedFile("a.jpg", picture()))
    actions.hang(
        actor=plant, now=T0, attachment_ids=[photo.pk], subject=incident, incident_id=incident.pk,
        readers=[city["neighbour"].pk],
    )
    assert queries.attachment(actor=city.actor("neighbour"), attachment_id=photo.pk, now=T0)["id"] == photo.pk
    with pytest.raises(NotFound):
        queries.attachment(actor=city.actor("health"), attachment_id=photo.pk, now=T0)


def test_files_that_hang_on_nothing_go_after_a_week(city: City, tmp_path: Path) -> None:
    incident = explosion(city)
    fire = city.actor("fire")
    loose = actions.attach(actor=fire, now=T0, file=SimpleUploadedFile("a.jpg", picture()))
    used = actions.attach(actor=fire, now=T0, incident_id=incident.pk, file=SimpleUploadedFile("b.jpg", picture()))
    assert actions.purge_loose(now=T0 + timedelta(days=6)) == 0
    assert Attachment.everything.filter(pk=loose.pk).exists()
    assert actions.purge_loose(now=T0 + timedelta(days=8)) == 1
    assert actions.purge_loose(now=T0 + timedelta(days=8)) == 0
    assert list(Attachment.everything.values_list("pk", flat=True)) == [used.pk]
    kept = [found for _folder, _folders, files in os.walk(tmp_path) for found in files]
    assert sorted(kept) == sorted([Path(used.file.name).name, Path(used.thumbnail.name).name])
