"""What does a device keep for when the server cannot be reached, and in which language does it say so?"""

from __future__ import annotations

import json
import re

import pytest
from django.test import Client

from tests.screens.test_languages import left_over


def about(client: Client, language: str) -> dict[str, object]:
    """What the service worker is told."""
    answer = client.get("/sw.js", {"lang": language})
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/javascript")
    assert "no-store" in answer["Cache-Control"]
    found = re.search(r"const about = (\{.*\});", answer.content.decode())
    assert found is not None
    return dict(json.loads(found[1]))


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_the_worker_keeps_one_page_and_static_files(client: Client, language: str) -> None:
    told = about(client, language)
    assert told["page"] == f"/offline/?lang={language}"
    files = told["files"]
    assert isinstance(files, list)
    assert files
    assert all(str(path).startswith("/static/") for path in files)
    page = client.get(str(told["page"])).content.decode()
    used = set(re.findall(r'(?:href|src)="(/[^"]*)"', page))
    assert used <= set(files)


def test_each_language_has_its_own_worker(client: Client) -> None:
    assert about(client, "en")["name"] != about(client, "zh-Hans")["name"]
    assert about(client, "'];alert(1)//") == about(client, "en")


def test_the_page_for_a_lost_line_speaks_both_languages(client: Client) -> None:
    english = client.get("/offline/", {"lang": "en"}).content.decode()
    chinese = client.get("/offline/", {"lang": "zh-Hans"}).content.decode()
    assert '<html lang="en"' in english
    assert "No connection to Muster" in english
    assert '<html lang="zh-Hans"' in chinese
    assert left_over(chinese) == []
    assert "csrf" not in english + chinese
