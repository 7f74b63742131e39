"""Does everybody see their own notices, in their language, and nobody another's?"""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation

from accounts.models import Person
from coordination.events.actor import SYSTEM, Actor
from coordination.events.models import StreamEntry
from coordination.events.refused import Forbidden, NotFound
from coordination.notify import actions, queries, texts
from coordination.notify.models import Delivery
from tests.deadlines.city import City

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("wired")]


def tell(city: City, name: str, key: str) -> None:
    actions.tell(
        people=[city.people[name].pk], department_id=None, text_key="instruction.issue",
        args={"number": key, "headline_zh": "疏散", "headline_en": "Evacuate"}, subject=city.departments["hall"],
        incident_id=None, urgency="urgent", key=key, guard={}, now=city.now, channels=("in_app",),
    )  # fmt: skip


def actor(person: Person) -> Actor:
    return Actor("person", person.pk)


def test_own_notices_newest_first_page_by_page(city: City) -> None:
    for n in range(5):
        tell(city, "hall-duty", str(n))
    tell(city, "hall-head", "x")
    me = actor(city.people["hall-duty"])
    first, after = queries.notices(actor=me, size=3)
    rest, none = queries.notices(actor=me, size=3, after=after)
    with translation.override("en"):
        again, _after = queries.notices(actor=me, size=3)
    assert ["4" in row.text for row in first][:1] == [True]
    assert [row.id for row in first + rest] == sorted((row.id for row in first + rest), reverse=True)
    assert (len(first), len(rest), none) == (3, 2, None)
    assert again[0].text == "New instruction 4 “Evacuate”. Please acknowledge."
    assert queries.unread_count(actor=me) == 5
    assert queries.notices(actor=SYSTEM) == ([], None)


def test_reading_counts_once_and_moves_the_stream(city: City) -> None:
    for n in range(3):
        tell(city, "hall-duty", str(n))
    me = actor(city.people["hall-duty"])
    rows, _after = queries.notices(actor=me)
    for _ in range(2):
        read = actions.read_notice(actor=me, now=city.now, notice_id=rows[0].id)
        assert (read.read_at, read.version) == (city.now, 2)
    assert queries.unread_count(actor=me) == 2
    assert [row.id for row in queries.notices(actor=me, unread=False)[0]] == [rows[0].id]
    assert actions.read_all(actor=me, now=city.now, up_to=rows[1].id) == 2
    assert actions.read_all(actor=me, now=city.now, up_to=rows[1].id) == 0
    assert StreamEntry.objects.filter(stream=f"user:{me.id}").count() == 5


def test_anothers_notice_is_not_there(city: City) -> None:
    tell(city, "hall-duty", "1")
    (row,), _after = queries.notices(actor=actor(city.people["hall-duty"]))
    for notice_id in (row.id, 10**9):
        with pytest.raises(NotFound):
            actions.read_notice(actor=actor(city.people["hall-head"]), now=city.now, notice_id=notice_id)
    with pytest.raises(Forbidden):
        actions.read_notice(actor=Actor("client", 1), now=city.now, notice_id=row.id)


def test_what_became_of_each_message(city: City) -> None:
    tell(city, "hall-duty", "1")
    Delivery.objects.update(state="failed", error="no such number")
    hall = city.departments["hall"].pk
    (row,) = queries.deliveries("accounts.department", [hall])[hall]
    assert (row.state, row.error, row.urgency) == ("failed", "no such number", "urgent")
    assert queries.outbox_counts() == {}


@pytest.mark.parametrize("language", texts.LANGUAGES)
@pytest.mark.parametrize("key", [*texts.TEXTS, "deadline.unheard_of", "no.such.thing"])
def test_every_text_can_be_said(key: str, language: str) -> None:
    full: dict[str, Any] = {
        "number": "12-3", "headline_zh": "疏散", "headline_en": "Evacuate", "kind": "acknowledge", "alarm": "poison",
        "due": "2026-11-20T08:00:00+00:00", "count": 7, "first": "x", "proposed_zh": "消防", "proposed_en": "Fire",
        "department_zh": "交通", "department_en": "Traffic",
    }  # fmt: skip
    said = texts.render(key, full, language)
    assert said and "%(" not in said
    assert texts.render(key, {}, language), "an argument that is missing does not break a message"
    assert texts.render(key, {"due": "soon", "number": "100%s %(x)s"}, language)


def test_due_is_said_in_local_time() -> None:
    assert "20 Nov 16:00" in texts.render("deadline.head", {"due": "2026-11-20T08:00:00+00:00"}, "en")
    assert "11月20日 16:00" in texts.render("deadline.head", {"due": "2026-11-20T08:00:00+00:00"}, "zh-hans")
