"""Do two incidents that are one become one, with everything shown under the survivor?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from coordination.events.refused import Conflict, MoveNotAllowed, NotFound
from incidents import actions, closing, queries
from incidents.models import Participation
from tests.incidents.cast import T0, City, explosion, fresh

HOUR = timedelta(hours=1)


def test_reports_parts_log_and_sight_follow_the_survivor(city: City) -> None:
    centre = city.actor("centre")
    first = actions.receive_report(actor=city.actor("plant"), now=T0, channel="enterprise", text="爆炸")
    merged = explosion(city, report_ids=[first.pk], lead_department_id=city["health"].pk)
    survivor = explosion(city)
    actions.invite(actor=centre, now=T0, incident_id=merged.pk, department_id=city["traffic"].pk, role="informed")
    actions.invite(actor=centre, now=T0, incident_id=survivor.pk, department_id=city["street"].pk)
    actions.share(actor=centre, now=T0, incident_id=merged.pk, department_id=city["neighbour"].pk, reach=1)
    actions.add_log(actor=centre, now=T0, incident_id=merged.pk, text="先到的一队")
    actions.add_log(actor=centre, now=T0 + HOUR, incident_id=survivor.pk, text="后到的一队")

    found = actions.merge(actor=centre, now=T0 + HOUR, incident_id=merged.pk, into_id=survivor.pk, why="同一事件")
    assert found.pk == survivor.pk
    assert (fresh(merged).state, fresh(merged).merged_into_id) == ("merged", survivor.pk)
    roles = dict(
        Participation.everything.filter(incident=survivor, left_at=None).values_list("department__code", "role")
    )
    assert roles == {
        "fire": "lead", "centre": "support", "street": "support", "health": "support", "traffic": "informed"
    }
    room = queries.room(actor=centre, incident_id=survivor.pk, now=T0 + HOUR)
    assert [row["id"] for row in room["reports"]] == [first.pk]
    assert [row["id"] for row in room["absorbed"]] == [merged.pk]
    assert room["family"] == [survivor.pk, merged.pk]

    street = city.actor("street")
    log, _next = queries.log(actor=street, incident_id=survivor.pk, now=T0 + HOUR)
    assert [row["text"] for row in log] == ["后到的一队", "先到的一队"]
    assert queries.room(actor=city.actor("health"), incident_id=survivor.pk, now=T0 + HOUR)["reach"] == 3
    assert queries.room(actor=city.actor("neighbour"), incident_id=survivor.pk, now=T0 + HOUR)["reach"] == 1
    kinds = [row["kind"] for row in queries.timeline(actor=street, incident_id=survivor.pk, now=T0 + HOUR)[0]]
    assert {"incident.merged", "incident.absorbed"} <= set(kinds)

    later = actions.invite(
        actor=centre, now=T0 + HOUR, incident_id=survivor.pk, department_id=city["watch"].pk
    )
    assert later.state == "alerted"
    log, _next = queries.log(actor=city.actor("watch"), incident_id=survivor.pk, now=T0 + HOUR)
    assert len(log) == 2
    actions.leave(actor=city.actor("watch"), now=T0 + HOUR, incident_id=survivor.pk)
    for pk in (survivor.pk, merged.pk):
        with pytest.raises(NotFound):
            queries.room(actor=city.actor("watch"), incident_id=pk, now=T0 + 26 * HOUR)


def test_a_chain_of_merges_stays_flat(city: City) -> None:
    centre = city.actor("centre")
    a, b, c = explosion(city), explosion(city), explosion(city)
    actions.merge(actor=centre, now=T0, incident_id=a.pk, into_id=b.pk)
    actions.merge(actor=centre, now=T0, incident_id=b.pk, into_id=c.pk)
    assert queries.family_ids(c.pk) == [c.pk, a.pk, b.pk]
    assert fresh(a).merged_into_id == c.pk


def test_what_is_open_on_the_merged_keeps_the_survivor_open(city: City) -> None:
    centre = city.actor("centre")
    merged, survivor = explosion(city), explosion(city)
    actions.merge(actor=centre, now=T0, incident_id=merged.pk, into_id=survivor.pk)
    for to in ("verify", "respond", "control"):
        actions.move(actor=centre, now=T0, incident_id=survivor.pk, to=to)
    closing.use([lambda pk: [{"id": 5}] if pk == merged.pk else []])
    with pytest.raises(Conflict) as refused:
        actions.move(actor=centre, now=T0, incident_id=survivor.pk, to="close")
    assert refused.value.extra["open"] == [5]


def test_work_on_the_merged_goes_on_under_the_survivor(city: City) -> None:
    centre = city.actor("centre")
    merged, survivor = explosion(city), explosion(city)
    actions.merge(actor=centre, now=T0, incident_id=merged.pk, into_id=survivor.pk)
    part = actions.ensure_participation(
        actor=centre, now=T0, incident_id=merged.pk, department_id=city["traffic"].pk
    )
    assert part.incident_id == survivor.pk
    for pk in (merged.pk, survivor.pk):
        assert queries.room(actor=city.actor("traffic"), incident_id=pk, now=T0)["reach"] == 3
    actions.transfer_command(
        actor=centre, now=T0, incident_id=survivor.pk, department_id=city["ministry"].pk, why="接管"
    )
    for pk in (merged.pk, survivor.pk):
        assert queries.is_commander(city.actor("ministry"), queries.facts(pk))
    actions.reject(actor=centre, now=T0, incident_id=survivor.pk, why="误报")
    with pytest.raises(Conflict) as refused:
        actions.ensure_participation(
            actor=centre, now=T0, incident_id=merged.pk, department_id=city["plant"].pk
        )
    assert refused.value.code == "incident_ended"


def test_what_has_ended_or_is_an_exercise_does_not_merge(city: City) -> None:
    centre = city.actor("centre")
    real, other, drill = explosion(city), explosion(city), explosion(city, exercise=True)
    with pytest.raises(Conflict) as refused:
        actions.merge(actor=centre, now=T0, incident_id=drill.pk, into_id=real.pk)
    assert refused.value.code == "exercise_mismatch"
    with pytest.raises(Conflict) as same:
        actions.merge(actor=centre, now=T0, incident_id=real.pk, into_id=real.pk)
    assert same.value.code == "same_incident"
    actions.merge(actor=centre, now=T0, incident_id=real.pk, into_id=other.pk)
    for act in (
        lambda: actions.merge(actor=centre, now=T0, incident_id=real.pk, into_id=other.pk),
        lambda: actions.reopen(actor=centre, now=T0, incident_id=real.pk, why="x"),
    ):
        with pytest.raises(MoveNotAllowed) as ended:
            act()
        assert ended.value.extra["state"] == "merged"


def test_a_merge_tells_no_circle_of_causes(city: City) -> None:
    centre = city.actor("centre")
    cause, effect, third = explosion(city), explosion(city), explosion(city)
    actions.set_parent(actor=centre, now=T0, incident_id=effect.pk, parent_id=cause.pk)
    actions.set_parent(actor=centre, now=T0, incident_id=third.pk, parent_id=cause.pk)
    actions.merge(actor=centre, now=T0, incident_id=cause.pk, into_id=effect.pk)
    assert fresh(effect).parent_id is None
    assert fresh(third).parent_id == effect.pk
