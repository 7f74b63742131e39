"""What does a form on a page send if nobody types anything?"""

from __future__ import annotations

from html.parser import HTMLParser

from django.test import Client


class _Form(HTMLParser):
    """The values of the form with one action, checkboxes, lists and long texts among them."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.action, self.inside, self.values = action, False, dict[str, list[str]]()
        self.select, self.first, self.text = "", False, ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.inside = given.get("action", "") == self.action and given.get("method") == "post"
        if not self.inside:
            return
        name = given.get("name", "")
        if tag == "input" and given.get("type") in ("checkbox", "radio"):
            if "checked" in given:
                self.values.setdefault(name, []).append(given.get("value", "on"))
        elif tag == "input":
            self.values[name] = [given.get("value", "")]
        elif tag == "select":
            self.select, self.first = name, True
        elif tag == "option" and self.select and (self.first or "selected" in given):
            self.values[self.select], self.first = [given.get("value", "")], False
        elif tag == "textarea":
            self.values[name] = [""]

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self.select = ""
        if tag == "form" and self.inside:
            self.inside = False
            if "command_id" in self.values:
                self.action = "\0"  # the first of its kind


def shown(client: Client, address: str, action: str = "") -> dict[str, list[str]]:
    """What the form of a page would send as it stands."""
    reader = _Form(action)
    reader.feed(client.get(address).content.decode())
    assert "command_id" in reader.values, f"no form {action} on {address}"
    return reader.values
