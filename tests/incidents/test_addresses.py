"""Does every offered act have an address?"""

from __future__ import annotations

from django.urls import resolve

from incidents import actions, queries, states
from incidents.queries.allowed import allowed_actions
from incidents.queries.reports import allowed
from tests.incidents.cast import T0, City, explosion


class Everything:
    """Somebody who may do all."""

    def may(self, name: str) -> bool:
        return True


def test_every_offered_href_is_an_address(city: City) -> None:
    incident = explosion(city, policy_set="story")
    centre = city.actor("centre")
    hrefs = set()
    for state in states.OPEN | states.ENDED:
        incident.state = state
        hrefs |= {row["href"] for row in allowed_actions(centre, incident, T0, Everything())}  # type: ignore[arg-type]
    assert len(hrefs) > 15
    for href in hrefs:
        assert resolve(href).kwargs == {"incident_id": str(incident.pk)}


def test_every_href_of_a_report_is_an_address(city: City) -> None:
    report = actions.receive_report(actor=city.actor("plant"), now=T0, channel="enterprise", text="爆炸")
    offered = allowed(city.actor("centre"), report, True)
    assert {row["action"] for row in offered} == {"verify", "refute", "join", "open"}
    for row in offered:
        assert resolve(row["href"])
    shown = queries.report(actor=city.actor("centre"), report_id=report.pk, now=T0)
    assert shown["allowed_actions"] == offered
