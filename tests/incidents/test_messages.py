"""Does whoever must hear of it hear it by name?"""

from __future__ import annotations

import pytest

from coordination.events.models import Event
from coordination.notify import texts
from incidents import actions, states
from incidents.actions.moves import PAST
from incidents.models import Participation
from incidents.queries import messages
from incidents.queries.sentences import headline_of
from incidents.queries.shapes import Names
from sharing.access.rights import RIGHTS
from tests.incidents.cast import T0, City, explosion


def test_every_told_event_has_a_text(city: City) -> None:
    incident = explosion(city)
    centre, health = city.actor("centre"), city.actor("health")
    actions.invite(actor=centre, now=T0, incident_id=incident.pk, department_id=city["health"].pk)
    actions.change_participation(actor=health, now=T0, incident_id=incident.pk, state="unable", why="x")
    unable = Event.objects.latest("pk")
    assert {one["department"] for one in unable.tell} == {city["fire"].pk, city["centre"].pk}
    report = actions.receive_report(actor=city.actor("plant"), now=T0, channel="enterprise", text="爆炸")
    actions.verify_report(actor=centre, now=T0, report_id=report.pk)
    actions.share(actor=centre, now=T0, incident_id=incident.pk, department_id=city["neighbour"].pk)
    actions.leave(actor=centre, now=T0, incident_id=incident.pk, department_id=city["health"].pk)
    other = explosion(city)
    actions.merge(actor=centre, now=T0, incident_id=other.pk, into_id=incident.pk)
    for event in Event.objects.exclude(tell=[]):
        for one in event.tell:
            assert texts.known(one.get("text", event.type)), event.type
    for name in PAST.values():
        assert texts.known(f"incident.{name}")
    for state in Participation.State.values:
        assert texts.known(f"participation.{state}")


def test_messages_name_what_they_are_about(city: City) -> None:
    incident = explosion(city)
    report = actions.receive_report(actor=city.actor("plant"), now=T0, channel="enterprise", text="装" * 50)
    part = Participation.everything.get(incident=incident, department=city["fire"])
    assert messages.incident_words([incident.pk])[incident.pk]["headline_en"] == "Glycol unit explosion"
    assert messages.report_words([report.pk])[report.pk] == {
        "number": report.number, "headline_zh": "装" * 22, "headline_en": "装" * 40
    }
    words = messages.participation_words([part.pk])[part.pk]
    assert (words["number"], words["department_en"]) == (incident.number, "fire")
    said = texts.render("participation.unable", words, "en")
    assert said.startswith("fire is unable") and said.endswith(f"{incident.number} “Glycol unit explosion”.")


@pytest.mark.parametrize("name", sorted(PAST.values()))
def test_every_move_says_a_sentence(db: None, name: str) -> None:
    assert headline_of(f"incident.{name}", {}, Names())


def test_the_tables_name_only_rights_that_exist() -> None:
    assert set(states.rights()) <= set(RIGHTS)
    assert {row.target for row in states.MOVES} | {"reported"} == states.OPEN | states.ENDED
    reachable = {row.target for row in states.PARTICIPATION_MOVES} | {"alerted"}
    assert reachable == set(Participation.State.values)
