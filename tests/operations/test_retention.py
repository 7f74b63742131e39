"""Is what is old removed as the data say, and what is held kept?"""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command

from accounts.models import Person
from coordination.config import retention
from coordination.config.tasks import purge as nightly
from coordination.deadlines.models import Alarm
from coordination.events import clock
from coordination.events.models import Command, Event
from coordination.notify.models import Delivery, Notice
from tests.events.deeds import PERSON, department, note

pytestmark = pytest.mark.django_db


def kept(**days: int | None) -> retention.Retention:
    return retention.Retention({**retention.read().days, **days}, frozenset(), frozenset())


def test_command_ids_are_kept_thirty_days_and_their_events_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    row, now = department(), clock.now()
    monkeypatch.setattr(retention, "BATCH", 2)
    for days in (0, 29, 31, 32, 33):
        note(
            actor=PERSON, now=now - timedelta(days=days), department_id=row.pk, streams=("a",),
            command_id=uuid.uuid4(),
        )  # fmt: skip
    events = Event.objects.count()
    assert retention.purge(now=now, dry=True)["commands"] == 3
    assert retention.purge(now=now)["commands"] == 3
    nightly()
    assert (Command.objects.count(), Event.objects.count()) == (2, events)


def messages(incident: int | None) -> None:
    now, long_ago = clock.now(), clock.now() - timedelta(days=400)
    person = Person.objects.first() or Person.objects.create(username="somebody")
    base = {"text_key": "other", "object_type": "x.y", "object_id": 1, "incident_id": incident}
    for at, read in ((long_ago, long_ago), (long_ago, None), (now, now)):
        Notice.objects.create(person=person, at=at, read_at=read, **base)
    for at, state in ((long_ago, "sent"), (long_ago, "pending"), (now, "sent")):
        Delivery.objects.create(
            dedupe_key=str(uuid.uuid4()), person=person, channel="email", state=state, created_at=at, available_at=at,
            **base,
        )  # fmt: skip
    for at in (now - timedelta(days=800), None):
        Alarm.objects.create(
            kind="disk_low", key=str(uuid.uuid4()), raised_at=now - timedelta(days=900), settled_at=at,
            incident_id=incident,
        )  # fmt: skip


def test_messages_and_alarms_go_when_they_are_over() -> None:
    messages(None)
    assert retention.purge(now=clock.now()) == {"commands": 0, "notices": 1, "deliveries": 1, "alarms": 1}
    assert Notice.objects.filter(read_at=None).count() == 1
    assert Delivery.objects.filter(state="pending").count() == 1
    assert Alarm.objects.filter(settled_at=None).count() == 1


def test_what_is_under_legal_hold_stays() -> None:
    messages(12)
    messages(13)
    held = retention.Retention(retention.read().days, frozenset({"alarms"}), frozenset({12}))
    assert retention.purge(now=clock.now(), retention=held) == {
        "commands": 0, "notices": 1, "deliveries": 1, "alarms": 0,
    }  # fmt: skip
    assert Notice.objects.filter(incident_id=12).count() == 3


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("events: null|events: 30", "events: 30 must be null"),
        ("notices: 365|notices: 0", "notices: 0 must be a number of days, or null"),
        ("notices: 365|notices: yes", "notices: True must be"),
        ("notices: 365|notes: 365", "unknown \\['notes'\\], missing \\['notices'\\]"),
        ("classes: []|classes: [everything]", "unknown \\['everything'\\]"),
        ("incidents: []|incidents: [twelve]", "incidents are numbers"),
    ],
)
def test_data_that_make_no_sense_remove_nothing(change: str, says: str, tmp_path: Path) -> None:
    before, _bar, after = change.partition("|")
    path = tmp_path / "retention.yaml"
    path.write_text(retention.FILE.read_text().replace(before, after, 1))
    with pytest.raises(retention.BadRetention, match=says):
        retention.read(path)


def test_the_command_says_what_would_go(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("purge", "--dry-run")
    assert capsys.readouterr().out.splitlines() == ["commands: 0", "notices: 0", "deliveries: 0", "alarms: 0"]
