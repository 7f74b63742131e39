"""Are clocks held, resumed, moved and repeated with the time they have left?"""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from coordination.deadlines import actions, engine, queries
from coordination.deadlines.engine.fire import fire_batch
from coordination.deadlines.models import Deadline, PausedIncident, Policy
from coordination.events import command
from coordination.events.actor import SYSTEM
from incidents.models import Incident
from tests.deadlines import city as cities
from tests.deadlines.city import City, arm, fired, steps

MICRO = timedelta(microseconds=1)
pytestmark = pytest.mark.django_db


def seconds(amount: float) -> timedelta:
    return timedelta(seconds=amount)


def live(incident: Incident) -> list[Deadline]:
    return queries.live_of(cities.SUBJECT, [incident.pk]).get(incident.pk, [])


def test_hold_and_resume_keep_the_time_left(city: City) -> None:
    incident = city.incident()
    arm(incident, city.now, 300)
    arm(incident, city.now, 1000, kind="complete")
    assert actions.hold(subject=incident, why="asked", now=city.now + seconds(100), except_kinds=["complete"]) == 1
    held = live(incident)[0]
    assert (held.state, held.held_why, held.left) == ("held", "asked", 200.0)
    assert engine.sweep(city.now + seconds(900)) == 0
    assert actions.resume(subject=incident, now=city.now + seconds(900)) == 1
    assert engine.sweep(city.now + seconds(1100) - MICRO) == 1  # complete alone
    assert engine.sweep(city.now + seconds(1100)) == 1
    assert [event.payload["kind"] for event in fired(incident)] == ["complete", "acknowledge"]


def test_resumed_overdue_fires_at_once_not_before(city: City) -> None:
    incident = city.incident()
    arm(incident, city.now, 300)
    actions.hold(subject=incident, why="asked", now=city.now + seconds(400))
    assert engine.sweep(city.now + seconds(5000)) == 0
    actions.resume(subject=incident, now=city.now + seconds(5000))
    assert engine.sweep(city.now + seconds(5000)) == 1


@pytest.mark.django_db(transaction=True)
def test_paused_incident_holds_the_step_after_one_that_was_firing_just_then(city: City) -> None:
    incident, firing = city.incident(), threading.Event()
    arm(incident, city.now, 300)
    at = city.now + seconds(300)

    def fire() -> None:
        with command.unit(SYSTEM, at):
            fire_batch(at, 10)
            firing.set()
            time.sleep(0.5)
        connection.close()

    thread = threading.Thread(target=fire)
    thread.start()
    assert firing.wait(20)
    with transaction.atomic():
        actions.hold_incident(incident.pk, at + seconds(1))
    thread.join()
    assert steps(incident) == ["remind_duty"]
    assert [(row.state, row.held_why) for row in live(incident)] == [("held", "paused")]


def test_paused_incident_holds_what_runs_and_what_is_armed_meanwhile(city: City) -> None:
    incident, other = city.incident(), city.incident()
    arm(incident, city.now, 300)
    arm(other, city.now, 300)
    assert actions.hold_incident(incident.pk, city.now + seconds(100)) == 1
    meanwhile = arm(incident, city.now + seconds(150), 60, kind="start")
    assert (meanwhile.state, meanwhile.held_why) == ("held", "paused")
    assert engine.sweep(city.now + seconds(400)) == 1
    assert fired(incident) == [] and steps(other) == ["remind_duty"]
    assert actions.resume_incident(incident.pk, city.now + seconds(1000)) == 2
    assert not PausedIncident.objects.exists()
    at = {row.kind: row.due_at for row in live(incident)}
    assert at == {"start": city.now + seconds(1060), "acknowledge": city.now + seconds(1200)}
    assert engine.sweep(city.now + seconds(1060) - MICRO) == 1  # the other incident's next step


def test_hold_of_a_paused_incident_survives_its_end_of_pause(city: City) -> None:
    incident = city.incident()
    arm(incident, city.now, 300)
    actions.hold_incident(incident.pk, city.now + seconds(100))
    actions.hold(subject=incident, why="waits for the crane", now=city.now + seconds(200))
    assert actions.resume_incident(incident.pk, city.now + seconds(300)) == 0
    assert live(incident)[0].left == 200.0
    actions.resume(subject=incident, now=city.now + seconds(400))
    assert live(incident)[0].due_at == city.now + seconds(600)


def test_resume_inside_a_paused_incident_waits_for_its_end(city: City) -> None:
    incident = city.incident()
    arm(incident, city.now, 300)
    actions.hold(subject=incident, why="asked", now=city.now)
    actions.hold_incident(incident.pk, city.now + seconds(10))
    actions.resume(subject=incident, now=city.now + seconds(20))
    assert live(incident)[0].state == "held"
    actions.resume_incident(incident.pk, city.now + seconds(30))
    assert live(incident)[0].due_at == city.now + seconds(330)


def test_arming_again_replaces_the_live_one(city: City) -> None:
    incident = city.incident()
    first, second = arm(incident, city.now, 300), arm(incident, city.now, 600)
    assert (first.generation, second.generation) == (1, 2)
    assert [row.pk for row in live(incident)] == [second.pk]
    assert engine.sweep(city.now + seconds(300)) == 0


def test_start_level_skips_the_first_steps(city: City) -> None:
    incident = city.incident()
    arm(incident, city.now, 300, start_level=2)
    engine.sweep(city.now + seconds(300))
    engine.sweep(city.now + seconds(480))
    assert steps(incident) == ["head", "department_above"]


def test_shorten_only_brings_forward(city: City) -> None:
    incident = city.incident()
    arm(incident, city.now, 300, kind="progress", every=300)
    assert actions.shorten(subject=incident, kind="progress", due_at=city.now + seconds(900), now=city.now) == 0
    assert live(incident)[0].due_at == city.now + seconds(300)
    moved = actions.shorten(
        subject=incident, kind="progress", due_at=city.now + seconds(60), every=60, now=city.now
    )
    assert moved == 1
    assert (live(incident)[0].due_at, live(incident)[0].every) == (city.now + seconds(60), 60)


def test_progress_keeps_its_grid(city: City) -> None:
    incident = city.incident()
    arm(incident, city.now, 600, kind="progress", every=600)
    engine.sweep(city.now + seconds(600))
    again = actions.rearm(subject=incident, kind="progress", now=city.now + seconds(700))
    assert again is not None and again.due_at == city.now + seconds(1200)
    early = actions.rearm(subject=incident, kind="progress", now=city.now + seconds(1100))
    assert early is not None and early.due_at == city.now + seconds(1800)
    assert (early.level, early.generation) == (0, 3)


def test_repetition_goes_on_where_the_ladder_ends(city: City) -> None:
    incident = city.incident()
    arm(incident, city.now, 600, kind="progress", every=600, ladder=[[0, "remind_duty"]])
    for tick in (600, 1250, 1800):
        assert engine.sweep(city.now + seconds(tick)) == 1
    assert [event.payload["generation"] for event in fired(incident)] == [1, 2, 3]
    assert live(incident)[0].due_at == city.now + seconds(2400)


def test_arm_many_is_four_statements_at_any_size(city: City) -> None:
    counts = []
    for size in (2, 60):
        orders = [
            actions.Order(city.incident(), "acknowledge", city.now, cities.LADDER, "urgent", 7) for _ in range(size)
        ]
        with CaptureQueriesContext(connection) as seen:
            actions.arm_many(orders, now=city.now)
        counts.append(len(seen))
    assert counts == [4, 4]


def test_pace_divides_waits_when_they_are_made() -> None:
    call_command("load_policies", verbosity=0)
    policy = queries.policy("standard", 1)
    assert queries.within(policy, "acknowledge") == 300
    assert queries.within(policy, "acknowledge", 60) == 5
    slow, fast = (queries.ladder(policy, "acknowledge", 300, pace) for pace in (1, 60))
    assert slow[:3] == [[0.0, "remind_duty"], [180.0, "next_on_duty"], [360.0, "head"]]
    assert fast[:3] == [[0.0, "remind_duty"], [3.0, "next_on_duty"], [6.0, "head"]]
    assert slow[-1] == [2700.0, "board", 1800.0, 14400.0]
    assert fast[-1] == [45.0, "board", 30.0, 240.0]


@pytest.mark.parametrize(("level", "within", "wait"), [(1, 300, 180), (2, 600, 300), (3, 1800, 900), (4, 7200, 3600)])
def test_default_policies(level: int, within: int, wait: int) -> None:
    call_command("load_policies", verbosity=0)
    policy = queries.policy("standard", level)
    assert (queries.within(policy, "acknowledge"), policy.wait) == (within, wait)
    ladder = queries.ladder(policy, "acknowledge", within)
    assert [step for _offset, step, *_ in ladder] == [
        "remind_duty", "next_on_duty", "head", "department_above", "supervise", "propose_owner", "board",
    ]  # fmt: skip
    assert [entry[0] for entry in ladder[:6]] == [n * wait for n in range(6)]
    assert "propose_owner" not in [entry[1] for entry in queries.ladder(policy, "approve", within)]


def test_unknown_level_and_set_fall_back(city: City) -> None:
    call_command("load_policies", verbosity=0)
    Policy.objects.create(set="quick", response_level=0, within={"acknowledge": 5}, wait=2, ladders={})
    assert queries.policy("quick", 1).set == "quick"
    assert queries.policy("nowhere", 2) == queries.policy("standard", 2)
    assert queries.policy("standard", None).response_level == 0


def test_loading_twice_changes_nothing(city: City) -> None:
    call_command("load_policies", verbosity=0)
    call_command("load_policies", verbosity=0)
    assert set(Policy.objects.values_list("version", flat=True)) == {1}


@pytest.mark.parametrize(
    "document",
    [
        "sets: {standard: {1: {wait: 3}}}",
        "ladders: {default: [[0, no_such_step]]}\nsets: {standard: {1: {wait: 3, within: {}}}}",
        "ladders: {default: [[soon, head]]}\nsets: {standard: {1: {wait: 3, within: {}}}}",
        "ladders: {default: [[0]]}\nsets: {standard: {1: {wait: 3, within: {}}}}",
        "ladders: {default: [[0, head]]}\nsets: {standard: {1: {wait: -3, within: {}}}}",
        "ladders: {default: [[0, head]]}\nsets: {standard: {1: {wait: 3, within: {acknowledge: never}}}}",
        "sets: [",
        "!!python/object/apply:os.getpid []",
    ],
)
def test_bad_policies_are_refused_whole(tmp_path: object, document: str) -> None:
    path = tmp_path / "policies.yaml"  # type: ignore[operator]
    path.write_text(document)
    with pytest.raises(CommandError, match=r"policies\.yaml"):
        call_command("load_policies", str(path))
    assert not Policy.objects.exists()


@pytest.mark.parametrize(
    ("offset", "expected"),
    [(30, 30), ("w", 60), ("2w", 120), ("1.5w", 90), ("5w+1800", 2100), ("2w-10", 110), ("-50%", -500), ("90", 90)],
)
def test_offsets(offset: object, expected: float) -> None:
    policy = Policy(wait=60, ladders={"start": [[offset, "head"]]})
    assert queries.ladder(policy, "start", 1000) == [[expected, "head"]]


def test_waits_of_a_repeating_step_double_up_to_their_cap() -> None:
    ladder = [[0, "head"], [60, "board", 1800, 14400]]
    assert [queries.wait_after(ladder, level) for level in range(7)] == [60, 1800, 3600, 7200, 14400, 14400, 14400]
    assert queries.wait_after([[0, "head"]], 0) is None
    assert queries.wait_after([], 0) is None


def old_rows(city: City, subjects: int, generations: int) -> list[int]:
    """Rows fired long ago, the newest of each subject last; the ids of those newest."""
    arm(city.incident(), city.now, 300)
    one = Deadline.objects.values().get()
    Deadline.objects.all().delete()
    long_ago = city.now - timedelta(days=100)
    rows = Deadline.objects.bulk_create(
        Deadline(**{**one, "id": None, "state": "fired", "armed_at": long_ago, "subject_id": -n, "generation": each})
        for each in range(generations) for n in range(subjects)
    )  # fmt: skip
    return [row.pk for row in rows[-subjects:]]


def test_archive_goes_on_until_all_is_cleared_away(city: City) -> None:
    kept = old_rows(city, 400, 13)
    young = arm(city.incident(), city.now, 300)
    assert actions.archive(now=city.now, seconds=600) == (4_800, 0)
    assert list(Deadline.objects.order_by("pk").values_list("pk", flat=True)) == [*kept, young.pk]
    with CaptureQueriesContext(connection) as asked:
        assert actions.archive(now=city.now) == (0, 0)
    assert len(asked) <= 3


def test_archive_that_has_no_time_left_goes_on_where_it_was(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "ARCHIVE_BATCH", 10)
    kept = old_rows(city, 5, 5)
    removed, after = actions.archive(now=city.now, seconds=0)
    assert removed == 10 and after < kept[0]
    assert actions.archive(now=city.now, after=after, seconds=0) == (10, kept[0] - 1)
    assert actions.archive(now=city.now, after=kept[0] - 1) == (0, 0)
    assert list(Deadline.objects.order_by("pk").values_list("pk", flat=True)) == kept


def test_archive_leaves_chains_that_live(city: City) -> None:
    incident, done = city.incident(), city.incident()
    arm(incident, city.now, 300)
    for _ in range(3):
        last = arm(done, city.now, 300, ladder=[[0, "remind_duty"]])
    engine.sweep(city.now + seconds(300))
    assert actions.archive(now=city.now + timedelta(days=89)) == (0, 0)
    assert actions.archive(now=city.now + timedelta(days=91)) == (2, 0)
    assert Deadline.objects.filter(subject_id=incident.pk).count() == 2
    assert [row.pk for row in Deadline.objects.filter(subject_id=done.pk)] == [last.pk]
    assert arm(done, city.now, 300).generation == 4
