"""Is it kept who read classified lines of the log, on whichever page they stand?"""

from __future__ import annotations

import pytest

from coordination.events.models import ReadEntry
from incidents import actions as incidents
from tests.instructions.world import World
from tests.screens.conftest import Enter

pytestmark = pytest.mark.django_db
PAGES = (
    ("", "room-overview"), ("parts/room-latest/", "room-overview"), ("log/", "room-log"),
    ("parts/room-log/", "room-log"), ("print/", "room-print"),
)  # fmt: skip


def written(world: World, pk: int, text: str, classification: int) -> int:
    row = incidents.add_log(
        actor=world.who("centre.commander"), now=world.now, incident_id=pk, text=text, classification=classification
    )
    return int(row.pk)


def test_each_page_that_shows_a_classified_line_keeps_who_read_it(world: World, enter: Enter) -> None:
    pk = world.issued().incident_id
    written(world, pk, "nobody minds", 2)
    reader = enter("centre")
    for address, _operation in PAGES:
        assert "nobody minds" in reader.get(f"/incidents/{pk}/{address}").content.decode(), address
    assert not ReadEntry.objects.exists(), "nothing classified was read"
    line = written(world, pk, "third tank leaks", 3)
    for address, operation in PAGES:
        before = ReadEntry.objects.count()
        assert "third tank leaks" in reader.get(f"/incidents/{pk}/{address}").content.decode(), address
        kept = list(ReadEntry.objects.order_by("pk")[before:].values_list("operation", "object_type", "ids"))
        assert (operation, "log", [line]) in kept, address
    before = ReadEntry.objects.count()
    reader.get(f"/incidents/{pk}/map/")
    assert ReadEntry.objects.count() == before


def test_a_search_that_finds_a_classified_line_is_kept(world: World, enter: Enter) -> None:
    line = written(world, world.issued().incident_id, "phosgene cylinder", 3)
    assert "phosgene" in enter("centre").get("/search/", {"q": "phosgene"}).content.decode()
    row = ReadEntry.objects.get()
    assert (row.operation, row.object_type, row.ids) == ("search", "log", [line])
