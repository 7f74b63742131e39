"""How does a test fill in a form as a browser would?"""

from __future__ import annotations

import io
from html.parser import HTMLParser
from uuid import uuid4

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image


def photo(name: str = "tank.jpg") -> SimpleUploadedFile:
    """A small picture as a phone would send it."""
    held = io.BytesIO()
    Image.new("RGB", (40, 30), "navy").save(held, "JPEG")
    return SimpleUploadedFile(name, held.getvalue(), content_type="image/jpeg")


def form(**fields: object) -> dict[str, object]:
    """A posted form with a command id of its own."""
    return {"command_id": str(uuid4()), **fields}


class _Forms(HTMLParser):
    """The named values of one form on a page."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.action, self.inside, self.values = action, False, dict[str, str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.inside = given.get("action") == self.action
        elif self.inside and tag == "input" and self.counts(given):
            self.values[given["name"] or ""] = given.get("value") or ""

    def counts(self, given: dict[str, str | None]) -> bool:
        """Whether a browser would send this input as it stands."""
        kind = given.get("type")
        return bool(given.get("name")) and kind not in ("checkbox", "file") and (kind != "radio" or "checked" in given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False


def as_shown(client: Client, address: str, action: str, **typed: object) -> dict[str, object]:
    """The form as the page shows it, with what a person types."""
    reader = _Forms(action)
    reader.feed(client.get(address).content.decode())
    assert "command_id" in reader.values, f"no form {action} on {address}"
    return {**reader.values, **typed}
