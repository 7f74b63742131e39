"""Does the auditor see each act of a story and nothing of what it said, and does nobody else see theirs?"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from accounts.actions.posts import post_of
from accounts.models import Department, Membership, Person
from coordination.events import checking, clock, exporting, reads
from coordination.events.actor import Actor
from coordination.events.models import Event, LogCheck, LogExport, ReadEntry
from coordination.screens import audit_words
from tests.instructions.world import World
from tests.screens.conftest import Enter
from tests.screens.forms import form

CANARY = "canary-of-the-content"


def serving(world: World, code: str, kind: str) -> str:
    """A new person in this post; the name by which they enter."""
    person = Person.objects.create_user(f"{code}-{kind}", password=None, name_en=f"{code} {kind}")
    Membership.objects.create(person=person, post=post_of(world.departments[code], kind), valid_from=clock.now())
    name = f"{code}.{kind}"
    world.actors[name] = Actor("person", person.pk, world.id(code), frozenset({kind}), language="en")
    return name


@pytest.fixture
def root(world: World) -> str:
    """The code of a department that stands above all."""
    return next(code for code, row in world.departments.items() if row.parent_id is None)


@pytest.fixture
def story(world: World) -> World:
    """Acts of several departments, and reads of two."""
    from coordination.instructions import actions as do

    fire, police = world.who("fire"), world.who("police")
    row = do.draft(actor=fire, now=clock.now(), incident_id=world.incident.pk, **world.content(headline_en=CANARY))
    do.submit(actor=fire, now=clock.now(), instruction_id=row.pk)
    reads.note(fire, "records_list", "records", [4, 5], purpose="flood", grants=[77])
    reads.note(police, "records_list", "records", [6], purpose="drill", grants=[78])
    return world


def rows_of(page: str) -> str:
    return page[page.index("<tbody>") :] if "<tbody>" in page else ""


def test_the_auditor_of_the_root_sees_each_act_of_the_story(story: World, enter: Enter, root: str) -> None:
    client, shown, address = enter(serving(story, root, "auditor")), "", "/audit/"
    while address:
        page = client.get(address)
        assert page.status_code == 200
        shown += rows_of(page.content.decode())
        after = re.search(r'href="(\?[^"]*after=[^"]+)"', page.content.decode())
        address = "/audit/" + after[1].replace("&amp;", "&") if after else ""
    for kind in Event.objects.values_list("type", flat=True).distinct():
        words = audit_words.act(kind)
        assert words != kind, f"{kind} has no words"
        assert words in shown or words.replace("'", "&#x27;") in shown, kind
    assert "read records" in shown and "“flood”" in shown and "?grant=77" in shown
    assert CANARY not in shown


def test_an_auditor_sees_the_own_department_and_those_below_alone(story: World, enter: Enter) -> None:
    own = enter(serving(story, "fire", "auditor")).get("/audit/").content.decode()
    assert "“flood”" in own and "“drill”" not in own
    foreign = serving(story, "police", "auditor")
    page = enter(foreign).get("/audit/").content.decode()
    assert "“flood”" not in page and "“drill”" in page
    for query in (f"department={story.id('fire')}", "who=fire-auditor", "grant=77", "thing=record:4"):
        answer = enter(foreign).get(f"/audit/?{query}")
        assert "“flood”" not in answer.content.decode(), query


@pytest.mark.parametrize("kind", ["duty_officer", "head", "data_steward", "observer", "administrator"])
def test_nobody_else_opens_the_auditors_page(story: World, enter: Enter, kind: str) -> None:
    client = enter(serving(story, "fire", kind))
    assert client.get("/audit/").status_code == 403
    for act in ("check", "export"):
        assert client.post(f"/audit/{act}/", form()).status_code == 403
    assert not LogCheck.objects.exists() and not LogExport.objects.exists()
    assert client.get("/data/access-log/").status_code == (200 if kind in ("head", "data_steward") else 403)


def test_looking_at_others_reads_is_noted_once_a_page(story: World, enter: Enter) -> None:
    name = serving(story, "fire", "auditor")
    client = enter(name)
    client.get("/audit/?source=read")
    noted = ReadEntry.objects.filter(actor_key=story.who(name).key)
    assert [(row.operation, row.object_type, row.count) for row in noted] == [("audit", "access-log", 1)]
    client.get("/audit/?source=event")
    assert noted.count() == 1, "acts are no reads"


def test_a_department_sees_what_its_people_read_and_who_read_its_data(story: World, enter: Enter) -> None:
    client = enter(serving(story, "fire", "head"))
    ours = client.get("/data/access-log/").content.decode()
    assert "“flood”" in ours and "“drill”" not in ours
    others = client.get("/data/access-log/?show=others").content.decode()
    assert "“flood”" not in others and "“drill”" not in others, "no grant of theirs was used"


@pytest.mark.parametrize("query", [
    "act=%27%3B--", "thing=incident", "thing=incident:0", "thing=incident:9999999999999999999999", "grant=x",
    "grant=99999999999999999999", "department=0", "department=x", "post=king", "source=all", "begin=yesterday",
    "end=2026-W03", "begin=2026-05-02T00:00&end=2026-05-01T00:00", "act=" + "x" * 90, "who=" + "x" * 70,
])  # fmt: skip
def test_hostile_filters_are_said_at_their_fields(world: World, enter: Enter, query: str) -> None:
    answer = enter(serving(world, "fire", "auditor")).get(f"/audit/?{query}")
    assert answer.status_code == 422 and 'class="ops-error"' in answer.content.decode(), answer.content.decode()[-3000:]


@pytest.mark.parametrize("query", ["after=x", "after=" + "y" * 2000, "who=%00", "request=%00"])
def test_a_made_up_cursor_is_refused(world: World, enter: Enter, query: str) -> None:
    assert enter(serving(world, "fire", "auditor")).get(f"/audit/?{query}").status_code == 400


def test_each_page_costs_the_same_whatever_it_shows(
    story: World, enter: Enter, django_assert_max_num_queries: Any, root: str
) -> None:
    client = enter(serving(story, root, "auditor"))
    client.get("/audit/")
    counts = []
    for more in (0, 40):
        for n in range(more):
            reads.note(story.who(("fire", "police")[n % 2]), "records_list", "records", [n], grants=[n + 1])
        with django_assert_max_num_queries(60) as asked:
            client.get("/audit/?source=read")
        counts.append(len(asked))
    assert counts[0] == counts[1], counts


def test_the_log_is_checked_from_the_page(story: World, enter: Enter) -> None:
    client = enter(serving(story, "fire", "auditor"))
    assert "Chain not checked yet" in client.get("/audit/").content.decode()
    assert client.post("/audit/check/", form()).status_code == 303
    assert "check waits" in client.get("/audit/").content.decode()
    assert client.post("/audit/check/", form()).status_code == 409
    LogCheck.objects.update(state="proven", covers=clock.now(), finished_at=clock.now(), entries=3)
    page = client.get("/audit/").content.decode()
    assert "Chain checked to" in page and "Verify now" in page
    again = client.post("/audit/check/", form())
    assert (again.status_code, again.has_header("Retry-After")) == (429, True)
    LogCheck.objects.update(state="changed", findings=["content: a 1: this is not what was sealed"])
    page = client.get("/audit/").content.decode()
    assert "Chain broken" in page and "content: a 1" in page
    assert Event.objects.filter(type="logcheck.asked").count() == 1
    assert checking.standing().check is not None


def test_an_export_is_asked_for_made_and_fetched_by_its_owner_alone(story: World, enter: Enter) -> None:
    client = enter(serving(story, "fire", "auditor"))
    given = {"source": "read", "begin": "2020-01-01T00:00"}
    assert client.post("/audit/export/", form(**given) | {"form": "csv"}).status_code == 303
    row = LogExport.objects.get()
    assert client.get(f"/audit/exports/{row.pk}/").status_code == 404, "not made yet"
    exporting.run_next(clock.now())
    page = client.get("/audit/").content.decode()
    assert f"/audit/exports/{row.pk}/" in page
    answer = client.get(f"/audit/exports/{row.pk}/")
    assert "flood" in answer.content.decode() and "drill" not in answer.content.decode()
    assert CANARY not in answer.content.decode() and "attachment" in answer["Content-Disposition"]
    asked = Event.objects.get(type="logexport.asked")
    assert asked.payload["asked"]["source"] == "read"
    assert ReadEntry.objects.filter(operation="audit-export").count() == 1
    assert enter(serving(story, "police", "auditor")).get(f"/audit/exports/{row.pk}/").status_code == 404
    assert client.post("/audit/export/", form(who="x") | {"form": "exe"}).status_code == 422
    assert client.post("/audit/export/", form(thing="x") | {"form": "csv"}).status_code == 422


def test_the_access_log_is_read_by_programs_of_people(story: World, enter: Enter) -> None:
    client = enter(serving(story, "fire", "data_steward"))
    answer = client.get("/api/v1/access-log")
    assert answer.status_code == 200, answer.content
    (row,) = answer.json()["items"]
    assert (row["operation"], row["objects"], row["grants"], row["purpose"]) == ("records_list", [4, 5], [77], "flood")
    assert client.get("/api/v1/access-log?grant=78").json()["items"] == []
    assert client.get(f"/api/v1/access-log?department={story.id('police')}").json()["items"] == []
    assert client.get("/api/v1/access-log?grant=x").status_code == 400
    assert enter("police").get("/api/v1/access-log").status_code == 403
    assert ReadEntry.objects.filter(operation="access_log_list", object_type="access-log").count() == 1


def test_every_kind_of_event_has_words() -> None:
    """Every type that the code records by name."""
    root = Path(__file__).resolve().parents[2]
    found: set[str] = set()
    for room in ("coordination", "incidents", "sharing", "accounts"):
        for file in (root / room).rglob("*.py"):
            found |= set(re.findall(r'\btype="([a-z_]+\.[a-z_]+)"', file.read_text("utf-8")))
            found |= set(re.findall(r'acting\.note\(\w+, "([a-z_]+\.[a-z_]+)"', file.read_text("utf-8")))
    assert len(found) > 40
    assert sorted(kind for kind in found if audit_words.act(kind) == kind) == []


def test_words_stand_for_a_department_too(world: World) -> None:
    assert Department.objects.exists()
    assert audit_words.thing("records", [1, 2, 3], 9) == "records 1, 2, 3 and 6 more"
