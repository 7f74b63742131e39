"""Does a blank installation get its first department and administrator by the commands that its guide names?"""

from __future__ import annotations

import re
import shlex

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import Department, Person
from coordination.config.launcher.folders import REPOSITORY

GUIDE = REPOSITORY / "docs" / "how-to" / "run-with-compose.md"
PASSWORD = "five words of a test here"
pytestmark = pytest.mark.django_db


def test_the_guides_commands_bring_the_first_person_in(capsys: pytest.CaptureFixture[str]) -> None:
    assert not Department.objects.exists() and not Person.objects.exists()
    commands = re.findall(r"web python manage\.py (.*)", GUIDE.read_text(encoding="utf-8"))
    assert [line.split()[0] for line in commands[:2]] == ["department", "invite"]
    for line in commands[:2]:
        call_command(*shlex.split(line.replace("<user name>", "boss")))
    link = capsys.readouterr().out.splitlines()[-1]
    client = Client()
    assert client.post(link, {"password": PASSWORD, "again": PASSWORD}).status_code == 200
    made = Department.objects.get()
    assert (made.code, made.kind, made.path) == ("city", "command_centre", f"/{made.pk}/")
    assert made.name_en == "City Command Centre"
    assert Person.objects.get().check_password(PASSWORD)


@pytest.mark.parametrize(
    ("more", "word"),
    [
        (["city", "--name-zh", "市", "--name-en", "City", "--kind", "circus"], "类别|Unknown"),
        (["two words", "--name-zh", "市", "--name-en", "City"], "code"),
        (["city", "--name-zh", "市", "--name-en", "x" * 121], "120"),
    ],
)
def test_a_department_that_cannot_be_is_refused_in_words(more: list[str], word: str) -> None:
    with pytest.raises(CommandError, match=word):
        call_command("department", *more)
    assert not Department.objects.exists()


def test_who_is_invited_to_nowhere_is_told_how_to_begin() -> None:
    with pytest.raises(CommandError, match="department city --name-zh"):
        call_command("invite", "boss", "city")
    call_command("department", "city", "--name-zh", "市", "--name-en", "City")
    with pytest.raises(CommandError, match="代码|code"):
        call_command("department", "city", "--name-zh", "市", "--name-en", "City")
