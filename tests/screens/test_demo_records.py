"""Has each published dataset of the demo city records that fit, and do only those that move change at a later start?"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command

from coordination.events import clock
from coordination.screens.demo.records import load_records
from sharing.catalogue.models import Dataset, Record, Transfer

pytestmark = pytest.mark.django_db


def test_every_published_dataset_holds_records_and_moving_ones_move(tmp_path: Path) -> None:
    call_command("load_demo", accounts=tmp_path / "accounts.json", verbosity=0)
    published = set(Dataset.objects.filter(state="published").values_list("code", flat=True))
    holding = set(Dataset.objects.filter(transfers__added__gt=0).values_list("code", flat=True))
    assert holding == published and len(published) >= 25
    assert Record.everything.filter(dataset__code="population-grid", data__has_key="person_name").count() > 20
    before = Transfer.objects.count()
    assert load_records(now=clock.now() + timedelta(hours=2)) > 0
    after = Transfer.objects.filter(number=2)
    assert Transfer.objects.count() == before + after.count()
    moved = dict(after.values_list("dataset__code", "changed"))
    assert moved["hospital-beds"] > 0 and "hydrants" not in moved
