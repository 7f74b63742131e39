"""Do the sign-ins that the demo city writes open it, whatever file lay there before?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core.management import call_command
from django.db.models import Q
from django.test import RequestFactory

from accounts.models import Person
from sharing.catalogue.models import Dataset

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _cheap_secrets(settings: Any) -> None:
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher",
        "coordination.config.hashers.RandomSecretHasher",
    ]


def load(file: Path) -> dict[str, Any]:
    """Load the city; return what its file says."""
    call_command("load_demo", accounts=file, verbosity=0)
    return dict(json.loads(file.read_text(encoding="utf-8")))


def opens(accounts: dict[str, Any]) -> bool:
    """Whether the commander's sign-in is right, and for the department that is said."""
    one = next(row for row in accounts["people"] if row["user"] == "city-commander")
    asked = RequestFactory().post("/sign-in/")
    person = authenticate(asked, username=one["user"], password=one["password"])
    return isinstance(person, Person) and person.memberships.get().post.department_id == one["department_id"]


def test_a_second_load_keeps_what_people_know(tmp_path: Path) -> None:
    file = tmp_path / "accounts.json"
    first = load(file)
    assert opens(first)
    assert load(file) == first
    assert opens(first)


def test_a_file_that_was_lost_is_made_anew(tmp_path: Path) -> None:
    file = tmp_path / "accounts.json"
    first = load(file)
    file.unlink()
    again = load(file)
    assert opens(again)
    assert not opens(first)


def test_the_file_of_another_database_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "accounts.json"
    file.write_text(json.dumps({"people": [], "clients": []}), encoding="utf-8")
    assert opens(load(file))
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_city_has_its_catalogue_in_both_languages_once(tmp_path: Path) -> None:
    file = tmp_path / "accounts.json"
    load(file)
    published = Dataset.objects.filter(state="published")
    assert published.count() >= 25 and published.values("department").distinct().count() >= 10
    assert not Dataset.objects.filter(Q(title_zh="") | Q(title_en="") | Q(description_zh="") | Q(description_en=""))
    assert set(published.values_list("sharing", flat=True)) == {"unconditional", "conditional", "none"}
    assert set(published.values_list("classification", flat=True)) == {1, 2, 3, 4}
    before = set(Dataset.objects.values_list("pk", "version"))
    load(file)
    assert set(Dataset.objects.values_list("pk", "version")) == before
