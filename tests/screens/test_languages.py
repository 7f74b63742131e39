"""Is every word of the pages there in both languages, and does a Chinese page show no English one?"""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils.translation import gettext, override

from accounts import actions as accounts
from coordination.events.actor import SYSTEM
from coordination.screens.wall import PARTS
from tests.instructions.world import World
from tests.screens.conftest import Enter

ROOT = Path(__file__).resolve().parents[2]
CHINESE = {"accept-language": "zh-CN,zh;q=0.9"}
PLACE = re.compile(r"%\(\w+\)[sdg]|\{\w*\}")
READ = ("aria-label", "title", "placeholder", "alt")
SILENT = ("script", "style", "svg")
# said alike in both languages, or the name of the language that a switch leads to
ALIKE = {"Muster", "English", "EN"}


class Words(HTMLParser):
    """What a reader, or a screen reader, gets of a page; parts that say they are in English are left out."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.silent += tag in SILENT
        self.said += [value for name, value in attrs if value and (name in READ or name.startswith("data-say"))]

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in SILENT

    def handle_data(self, data: str) -> None:
        text = " ".join(data.split())
        if text and not self.silent:
            self.said.append(text)


@cache
def english() -> tuple[frozenset[str], list[re.Pattern[str]]]:
    """Every English text of the code; those with values as patterns, the values open."""
    with (ROOT / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po").open("rb") as file:
        catalogue = read_po(file, locale="zh_Hans")
    plain: set[str] = set()
    patterns = []
    for message in catalogue:
        texts = message.id if isinstance(message.id, (tuple, list)) else (message.id,)
        for text in texts:
            words = PLACE.split(text)
            if text in ALIKE or not re.search("[A-Za-z]{2}", "".join(words)):
                continue
            if len(words) == 1:
                plain.add(text)
            else:
                patterns.append(re.compile(".+".join(map(re.escape, words))))
    return frozenset(plain), patterns


def left_over(page: str) -> list[str]:
    """What a page says in English that the code says itself."""
    reader = Words()
    reader.feed(page)
    plain, patterns = english()
    said = set(reader.said)
    return sorted(text for text in said if text in plain or any(pattern.fullmatch(text) for pattern in patterns))


def test_every_text_has_its_chinese() -> None:
    check = [sys.executable, str(ROOT / ".ci" / "messages.py"), "--check"]
    done = subprocess.run(check, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_measure_sees_english() -> None:
    assert left_over("<h1>Needs us now</h1><p title='Overdue'>Checked 08:00.</p><script>Desk</script>") == [
        "Checked 08:00.", "Needs us now", "Overdue"
    ]


def chinese(client: Client, address: str) -> str:
    """A page as a browser that asks for Chinese gets it."""
    answer = client.get(address, headers=CHINESE)
    assert answer.status_code == 200, address
    return answer.content.decode()


def not_chinese(browser: Client, *addresses: str) -> dict[str, list[str]]:
    """What of these pages, every one of them Chinese, is English still, by address."""
    found = {}
    for address in addresses:
        page = chinese(browser, address)
        assert 'lang="zh' in page, address
        found[address] = left_over(page)
    return {address: words for address, words in found.items() if words}


@pytest.mark.django_db
def test_pages_speak_chinese(world: World, enter: Enter) -> None:
    order = world.issued()
    world.draft()
    asked = world.issued(read_back=True, objects_named=[{"kind": "road", "code": "G15"}])
    world.act("decline", world.on(order, "police"), "police", code="not_our_duty", reason="Not for police")
    world.handed_in(order, "fire", early_reason="The rest is with the police")
    incident = f"/incidents/{world.incident.pk}/"
    pages = (
        "/desk/", "/incidents/", incident, f"{incident}instructions/", f"{incident}log/", f"{incident}departments/",
        f"{incident}map/", f"{incident}print/", f"{incident}instructions/new", "/reports/new/", "/instructions/",
        f"/instructions/{order.pk}/", f"/instructions/{order.pk}/print", "/departments/",
        f"/departments/{world.id('fire')}/",
        f"/duty/{world.id('centre')}/", "/notices/", "/search/?q=glycol",
        "/search/?q=zzzz", "/search/?q=des", "/engine/", "/sessions/",
        "/act-for/", "/reports/new/", f"/instructions/{order.pk}/versions",
    )
    assert not_chinese(enter("centre"), *pages) == {}
    assert not_chinese(enter("fire"), "/desk/", f"/instructions/{order.pk}/", f"/instructions/{asked.pk}/") == {}
    amend = f"/instructions/{order.pk}/amend"
    assert not_chinese(enter("centre.commander"), incident, amend, f"/instructions/{asked.pk}/") == {}


@pytest.mark.django_db
@pytest.mark.parametrize("whole", [True, False])
def test_a_wall_speaks_chinese(world: World, client: Client, whole: bool) -> None:
    order = world.issued()
    world.act("decline", world.on(order, "police"), "police", code="not_our_duty", reason="Not for police")
    world.act("urge", world.on(order, "fire"), "centre")
    options: dict[str, Any] = {"language": "zh-hans"} | ({} if whole else {"incident_id": world.incident.pk})
    _wall, token = accounts.create_display(
        actor=SYSTEM, now=world.now, department_id=world.id("centre"), name="墙", address="127.0.0.1", **options
    )
    client.cookies["muster_wall"] = token
    page = client.get("/wall/").content.decode()  # its own language, whatever the browser asks for
    assert 'lang="zh' in page
    assert "wall-clock" in page
    assert left_over(page) == []
    for part in PARTS:
        assert left_over(client.get(f"/wall/parts/{part}/").content.decode()) == [], part


@pytest.mark.django_db
def test_who_is_not_signed_in_reads_chinese_too(client: Client) -> None:
    for address in ("/sign-in/", "/wall/"):
        assert left_over(chinese(client, address)) == [], address
    refused = client.post("/sign-in/", {"username": "", "password": ""}, headers=CHINESE).content.decode()
    assert "该字段是必填项" in refused
    absent = client.get("/nothing-here/", headers=CHINESE).content.decode()
    assert left_over(absent) == []


@pytest.mark.django_db  # a password is held against the names of departments
def test_the_words_of_the_house_are_kept() -> None:
    words = {
        "instruction": "指令", "assignment": "承办任务", "Acknowledge": "签收", "Feedback": "反馈", "Evaluate": "评价",
        "Accept": "通过", "Return for rework": "退回整改", "Decline": "退单", "Urge": "催办", "Supervise…": "督办…",
        "Lead": "牵头", "Support": "配合", "Extension": "延期", "Hold": "挂起", "Post": "岗位", "Desk": "工作台",
        "Grade": "事件等级", "Warning level": "预警级别", "Response level": "响应级别", "EXERCISE": "演练",
    }  # fmt: skip
    with override("zh-hans"):
        assert {word: gettext(word) for word in words} == words
        with pytest.raises(ValidationError, match="密码太短"):
            validate_password("q7 z")
    with override("en"):
        assert gettext("Acknowledge") == "Acknowledge"
