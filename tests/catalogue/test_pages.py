"""Do the catalogue's pages show what is there, keep what was typed, and say what is wrong at its field?"""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import OpenSession
from coordination.events import clock
from coordination.events.models import ReadEntry
from sharing.access.pages import ACTIVE, DEPARTMENT, STARTED
from sharing.catalogue.models import Dataset
from tests.catalogue.ground import SCHEMA, Ground
from tests.screens.forms import as_shown, form

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def plain_static(settings: Any) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture
def enter(ground: Ground) -> Any:
    ground.now = clock.now()

    def sign_in(name: str) -> Client:
        person, code = ground.people[name], name.partition("/")[0]
        client = Client(headers={"accept-language": "en"})
        client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
        session, now = client.session, clock.now()
        session[DEPARTMENT], session[STARTED] = ground.departments[code].pk, now.isoformat()
        session[ACTIVE] = now.timestamp()
        session.save()
        OpenSession.objects.create(session_key=session.session_key, person=person, started_at=now, active_at=now)
        return client

    return sign_in


def test_a_steward_drafts_adds_a_schema_and_publishes(ground: Ground, enter: Any) -> None:
    client = enter("health/data_steward")
    typed = form(code="beds", title_en="Free beds", frequency="daily", sharing="unconditional", classification="2")
    typed |= {"grace": "1.5", "contact": "room 7"}
    made = client.post("/data/new/", typed)
    row = Dataset.objects.get()
    assert made.status_code == 303 and made["Location"] == f"/data/{row.pk}/"
    assert (row.grace, row.contact) == (90, "room 7")
    assert client.post("/data/new/", typed)["Location"] == made["Location"], "sent twice, made once"
    home = f"/data/{row.pk}/"
    early = client.post(f"{home}act/publish/", as_shown(client, home, f"{home}act/publish/"))
    assert early.status_code == 422 and "Add a schema first" in early.content.decode()
    file = SimpleUploadedFile("beds.json", json.dumps(SCHEMA).encode())
    assert client.post(f"{home}schema/", form(if_version=1, file=file)).status_code == 303
    assert client.post(f"{home}act/publish/", as_shown(client, home, f"{home}act/publish/")).status_code == 303
    shown = enter("fire/duty_officer").get(home).content.decode()
    assert "Free beds" in shown and "Telephone" in shown and "masked: in part" in shown
    assert "/act/" not in shown and "/edit/" not in shown
    assert "Free beds" in enter("fire/duty_officer").get("/data/?q=bed").content.decode()


def test_what_is_wrong_stands_at_its_field_and_what_was_typed_stays(ground: Ground, enter: Any) -> None:
    client, row = enter("health/data_steward"), ground.draft()
    wrong = client.post(
        f"/data/{row.pk}/edit/",
        form(if_version=1, title_en="Kept words", frequency="daily", sharing="conditional", classification="2"),
    )
    said = wrong.content.decode()
    assert wrong.status_code == 422 and "Restricted sharing must name its legal basis." in said
    assert 'id="id_legal_basis_error"' in said and "Kept words" in said
    bad = {"fields": [{"name": "a", "title_en": "A", "type": "money"}]}
    wrong = client.post(
        f"/data/{row.pk}/schema/", form(if_version=1, file=SimpleUploadedFile("s.json", json.dumps(bad).encode()))
    )
    said = wrong.content.decode()
    assert wrong.status_code == 422 and "/fields/0/type: One of" in said and "money" in said
    for text in (b"{", b"\xff", b'{"a": 1, "a": 2}', b"[" * 100):
        broken = client.post(f"/data/{row.pk}/schema/", form(file=SimpleUploadedFile("s.json", text)))
        assert broken.status_code == 422
    assert client.post(f"/data/{row.pk}/schema/", form()).status_code == 422


def test_a_form_on_an_older_version_changes_nothing(ground: Ground, enter: Any) -> None:
    client, row = enter("health/data_steward"), ground.draft()
    given = {"frequency": "daily", "sharing": "unconditional", "classification": "2", "if_version": 1}
    assert client.post(f"/data/{row.pk}/edit/", form(title_en="First", **given)).status_code == 303
    late = client.post(f"/data/{row.pk}/edit/", form(title_en="Second", **given))
    assert late.status_code == 412 and "Somebody changed this meanwhile" in late.content.decode()
    assert Dataset.objects.get().title_en == "First"


def test_the_edit_form_sent_as_shown_changes_nothing(ground: Ground, enter: Any) -> None:
    client = enter("health/data_steward")
    row = ground.draft(
        grace=90, description_en="Two\nlines", sharing="none", legal_basis_id=ground.basis().pk, personal=True,
        theme="medical", classification=3,
    )  # fmt: skip
    page = client.get(f"/data/{row.pk}/edit/")
    shown = page.context["form"]
    sent = {name: shown[name].value() for name in shown.fields if shown[name].value() not in (None, False)}
    assert client.post(f"/data/{row.pk}/edit/", sent).status_code == 303
    assert Dataset.objects.get().version == 1


def test_legal_bases_are_shown_to_all_and_entered_by_stewards(ground: Ground, enter: Any) -> None:
    officer, steward = enter("fire/duty_officer"), enter("fire/data_steward")
    given = {"instrument_zh": "数据安全法", "article": "21", "in_force_from": "2021-09-01"}
    assert officer.post("/data/legal-bases/", form(**given)).status_code == 403
    assert steward.post("/data/legal-bases/", form(**given)).status_code == 303
    twice = steward.post("/data/legal-bases/", form(**given))
    assert twice.status_code == 409 and 'id="id_article_error"' in twice.content.decode()
    shown = officer.get("/data/legal-bases/").content.decode()
    assert "数据安全法" in shown and "<form class=\"ops-body\"" not in shown


def test_facets_are_links_that_narrow_and_widen(ground: Ground, enter: Any) -> None:
    ground.published("beds", theme="medical")
    ground.published("wells", "fire", theme="rescue")
    client = enter("water/duty_officer")
    page = client.get("/data/?theme=medical")
    assert [row["code"] for row in page.context["rows"]] == ["beds"]
    theme = next(one for one in page.context["facets"] if one["name"] == "theme")
    assert [(one["value"], one["count"], one["href"]) for one in theme["values"]] == [
        ("medical", 1, "?"), ("rescue", 1, "?theme=rescue"),
    ]
    for wrong in ("?theme=" + "x" * 50, "?classification=9", "?department=0x1", "?personal=yes", "?sort=worst"):
        assert client.get(f"/data/{wrong}").status_code == 404
    assert client.get("/data/?after=nonsense").status_code == 400
    assert "Nothing matches." in client.get("/data/?q=zzzz").content.decode()


def test_class_4_leaves_no_trace_for_others_and_one_in_the_record_for_its_own(ground: Ground, enter: Any) -> None:
    stranger, own = enter("fire/data_steward"), enter("health/duty_officer")
    before = stranger.get("/data/").context["facets"]
    row = ground.confidential()
    assert stranger.get("/data/").context["facets"] == before
    assert [stranger.get(f"/data/{pk}/").status_code for pk in (row.pk, 987654321)] == [404, 404]
    ReadEntry.objects.all().delete()
    assert own.get(f"/data/{row.pk}/").status_code == 200
    assert ReadEntry.objects.get().ids == [row.pk]


def test_pages_ask_the_same_at_two_sizes(ground: Ground, enter: Any) -> None:
    client = enter("water/duty_officer")

    def count(url: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert client.get(url).status_code == 200
        return len(seen)

    first = ground.published("first", sharing="none", legal_basis_id=ground.basis().pk)
    urls = ["/data/", "/data/?q=data&sort=title", f"/data/{first.pk}/", "/data/legal-bases/"]
    ground.published("second", "fire")
    small = [count(url) for url in urls]
    for n in range(12):
        ground.published(f"d{n}", "fire", sharing="none", legal_basis_id=ground.basis(article=f"{n}").pk)
    assert [count(url) for url in urls] == small
    assert max(small) <= 15


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({}, "May be opened"), ({"sharing": "none"}, "Is not opened"),
        ({"sharing": "none", "emergency_release": True}, "May be opened"),
    ],
)  # fmt: skip
def test_an_entry_says_of_emergencies_what_break_glass_does(
    ground: Ground, enter: Any, terms: dict[str, Any], said: str
) -> None:
    more = terms | ({"legal_basis_id": ground.basis().pk} if terms else {})
    row = ground.published(**more)
    page = enter("fire/duty_officer").get(f"/data/{row.pk}/").content.decode()
    assert said in page
    assert ("/data/break-glass/new/" in page) == (said == "May be opened")


@pytest.mark.parametrize(
    ("terms", "offered"),
    [
        ({"sharing": "conditional"}, {"give", "offer", "rules/new"}),
        ({"sharing": "conditional", "classification": 3}, {"give", "rules/new"}),
        ({"sharing": "conditional", "classification": 4}, {"give"}),
        ({"sharing": "none"}, set()),
    ],
)  # fmt: skip
def test_a_steward_is_offered_only_what_the_terms_allow(
    ground: Ground, enter: Any, terms: dict[str, Any], offered: set[str]
) -> None:
    row = ground.published(legal_basis_id=ground.basis().pk, conditions_en="For rescue only.", **terms)
    page = enter("health/data_steward").get(f"/data/{row.pk}/").content.decode()
    assert {name for name in ("give", "offer", "rules/new") if f'"/data/{row.pk}/{name}/"' in page} == offered
