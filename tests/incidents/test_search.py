"""Do words find what the actor may see, and nothing else?"""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from coordination.events.words import MOST_WORDS, query_of, words_of
from incidents import actions, queries
from tests.incidents.cast import T0, City, explosion


def kinds(city: City, code: str, text: str) -> list[tuple[str, int]]:
    return [(row["kind"], row["id"]) for row in queries.search(actor=city.actor(code), text=text, now=T0)]


def test_chinese_latin_and_numbers_find_their_rows(city: City) -> None:
    report = actions.receive_report(
        actor=city.actor("plant"), now=T0, channel="enterprise", text="乙二醇装置Unit-3爆炸"
    )
    incident = explosion(city, report_ids=[report.pk], place="金山卫镇石化一路", description="Ethylene oxide released")
    entry = actions.add_log(actor=city.actor("fire"), now=T0, incident_id=incident.pk, text="泡沫车到场，火势减弱")
    here, told, written = ("incident", incident.pk), ("report", report.pk), ("log", entry.pk)
    assert set(kinds(city, "centre", "乙二醇")) == {here, told}
    assert kinds(city, "centre", "石化") == [here]
    assert kinds(city, "centre", "GLYCOL expl") == [here]
    assert kinds(city, "centre", "ethylene") == [here]
    assert kinds(city, "centre", "2026-0001") == [here]
    assert kinds(city, "centre", "R2026-0001") == [told]
    assert kinds(city, "centre", "车") == [written]
    assert kinds(city, "centre", "火势 泡沫") == [written]
    assert kinds(city, "centre", "ｕｎｉｔ－３") == [told]
    assert kinds(city, "centre", "没有这样") == []
    assert [row["id"] for row in queries.incidents(actor=city.actor("centre"), now=T0, q="石化")[0]] == [incident.pk]


def test_search_is_scoped(city: City) -> None:
    report = actions.receive_report(actor=city.actor("plant"), now=T0, channel="enterprise", text="乙二醇泄漏")
    incident = explosion(city, description="秘密工艺")
    actions.add_log(actor=city.actor("fire"), now=T0, incident_id=incident.pk, text="乙二醇罐冷却")
    assert kinds(city, "neighbour", "乙二醇") == []
    assert kinds(city, "plant", "乙二醇") == [("report", report.pk)]
    assert kinds(city, "ministry", "乙二醇罐") == []
    assert kinds(city, "ministry", "装置爆炸") == [("incident", incident.pk)]
    assert kinds(city, "ministry", "秘密工艺") == []
    assert queries.incidents(actor=city.actor("ministry"), now=T0, q="秘密工艺")[0] == []


@pytest.mark.parametrize("text", ["", "  ", "'; DROP TABLE", "& | ! : * ( )", "\\", "\x00", "\ud800", "a" * 5000, "%_"])
def test_any_text_is_answered(city: City, text: str) -> None:
    explosion(city)
    assert queries.search(actor=city.actor("centre"), text=text, now=T0) == []


def test_words_are_bounded_and_hold_no_sign_of_the_query_language() -> None:
    assert len(words_of("字" * 10 + "".join(chr(0x4E00 + n) for n in range(5000)))) == MOST_WORDS
    assert words_of("It's 石油:化工 & a|b") == ["it", "s", "石油", "油", "化工", "工", "a", "b"]
    assert query_of("石油化工") == "'石油':* & '油化':* & '化工':*"
    assert query_of("...") == ""


def test_the_index_can_be_used(city: City) -> None:
    explosion(city)
    with CaptureQueriesContext(connection) as seen:
        queries.search(actor=city.actor("centre"), text="爆炸", now=T0)
    assert len(seen) == 3
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN SELECT id FROM incidents_incident WHERE words @@ '''爆炸'':*'::tsquery")
        assert "incident_words" in " ".join(row[0] for row in cursor.fetchall())
