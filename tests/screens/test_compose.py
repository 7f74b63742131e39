"""Does the form for writing an instruction offer all that an instruction can say, and keep all that was typed?"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from coordination.instructions.forms.content import ContentForm
from coordination.instructions.models import Instruction
from coordination.instructions.states import CONTENT
from tests.instructions.world import World
from tests.screens.conftest import Enter
from tests.screens.forms import form

pytestmark = pytest.mark.django_db


def local(world: World, minutes: int) -> str:
    """A moment as a date field takes it."""
    return f"{timezone.localtime(world.now + timedelta(minutes=minutes)):%Y-%m-%dT%H:%M}"


def everything(world: World) -> dict[str, Any]:
    """Every field of the form, filled."""
    return {
        "lead": world.id("fire"), "support": [world.id("police"), world.id("health")],
        f"post_{world.id('police')}": "head", f"post_{world.id('fire')}": "commander",
        "headline_zh": "封闭道路", "headline_en": "Close the road", "text": "Close it.", "verb": "close",
        "what": "Both roads", "object_kind_1": "road", "object_code_1": "G15", "object_kind_2": "bridge",
        "object_code_2": "B7", "object_kind_3": "team", "object_code_3": "Company 4", "place": "Gate 3",
        "latitude": "30.7", "longitude": "121.3", "quantity": "2.5", "unit": "km", "starts_at": local(world, 10),
        "due_at": local(world, 90), "urgency": "urgent", "type": "accident.fire", "evidence": ["photo"],
        "progress_every": "900", "read_back": "on", "recheck": "on",
    }  # fmt: skip


def test_the_form_has_all_that_an_instruction_says() -> None:
    shown = {name.rstrip("_0123456789") for name in ContentForm().fields}
    missing = {field.name for field in CONTENT} - shown - {"targets", "objects_named"}
    assert missing == set()
    assert {"lead", "support", "object_kind", "object_code"} <= shown


def test_all_that_is_typed_is_kept_and_shown_again(world: World, enter: Enter) -> None:
    browser, address = enter("centre"), f"/incidents/{world.incident.pk}/instructions/new"
    answer = browser.post(address, form(**everything(world)))
    assert answer.status_code == 303, answer.content.decode()
    version = Instruction.everything.get().versions.get()
    assert version.objects_named == [
        {"kind": "road", "code": "G15"}, {"kind": "bridge", "code": "B7"}, {"kind": "team", "code": "Company 4"},
    ]  # fmt: skip
    assert {row["department"]: (row["role"], row["post"]) for row in version.targets} == {
        world.id("fire"): ("lead", "commander"),
        world.id("police"): ("support", "head"),
        world.id("health"): ("support", "duty_officer"),
    }
    assert version.due_at is not None
    assert version.starts_at is not None
    assert (version.due_at - version.starts_at, version.type) == (timedelta(minutes=80), "accident.fire")
    edit = f"/instructions/{version.instruction_id}/edit"
    page = browser.get(edit).content.decode()
    for typed in ("G15", "B7", "Company 4", local(world, 10), local(world, 90)):
        assert f'value="{typed}"' in page
    assert page.count("<option value=\"head\" selected>") == 1
    seen = browser.get(f"/instructions/{version.instruction_id}/").content.decode()
    assert "Company 4" in seen
    assert "Not before" in seen


def test_minutes_from_issue_instead_of_a_time(world: World, enter: Enter) -> None:
    browser, address = enter("centre"), f"/incidents/{world.incident.pk}/instructions/new"
    assert browser.post(address, form(**everything(world) | {"due_at": "", "due_in": "45"})).status_code == 303
    draft = Instruction.everything.get()
    assert draft.versions.get().due_in == 45 * 60
    edit = f"/instructions/{draft.pk}/edit"
    assert 'name="due_in" value="45"' in browser.get(edit).content.decode()
    both = browser.post(edit, form(**everything(world) | {"due_in": "45", "if_version": draft.version}))
    assert both.status_code == 422
    assert "Give a time or a number of minutes, not both." in both.content.decode()


def test_a_length_of_time_left_alone_stays_to_the_second(world: World, enter: Enter) -> None:
    draft = world.draft(due_at=None, due_in=95)
    sent = form(**everything(world) | {"due_at": "", "starts_at": "", "due_in": "2", "if_version": draft.version})
    assert enter("centre").post(f"/instructions/{draft.pk}/edit", sent).status_code == 303
    assert draft.versions.get().due_in == 95


def test_what_was_due_in_minutes_can_be_amended_as_it_is_shown(world: World, enter: Enter) -> None:
    order = world.issued(due_at=None, due_in=3600)
    page = enter("centre").get(f"/instructions/{order.pk}/amend").content.decode()
    filled = [name for name in ("due_at", "due_in") if re.search(rf'name="{name}" value="[^"]+"', page)]
    assert len(filled) == 1


def offers(page: str, name: str, order: Instruction) -> bool:
    """Whether a list offers this order."""
    found = re.search(rf'<select name="{name}".*?</select>', page, re.DOTALL)
    return found is not None and f'<option value="{order.pk}">' in found[0]


def test_a_new_one_follows_or_replaces_an_earlier_one(world: World, enter: Enter) -> None:
    order = world.issued()
    browser, address = enter("centre"), f"/incidents/{world.incident.pk}/instructions/new"
    page = browser.get(address).content.decode()
    assert offers(page, "linked_id", order) and offers(page, "supersedes_id", order)
    sent = form(**everything(world) | {"linked_id": order.pk, "supersedes_id": order.pk})
    assert browser.post(address, sent).status_code == 303
    made = Instruction.everything.latest("pk")
    assert (made.linked_id, made.supersedes_id) == (order.pk, order.pk)
    theirs = enter("fire").get(address).content.decode()
    assert offers(theirs, "linked_id", order)
    assert not offers(theirs, "supersedes_id", order)  # theirs to follow, not to replace


NONSENSE: list[tuple[dict[str, Any], str]] = [
    ({"headline_zh": "", "headline_en": ""}, "headline_zh"),
    ({"headline_zh": "字" * 23}, "headline_zh"),
    ({"headline_en": "🛢" * 41}, "headline_en"),
    ({"text": "x" * 8001}, "text"),
    ({"quantity": "-3"}, "quantity"),
    ({"quantity": "NaN"}, "quantity"),
    ({"latitude": "inf"}, "latitude"),
    ({"latitude": "91"}, "latitude"),
    ({"longitude": ""}, "longitude"),
    ({"due_at": "yesterday"}, "due_at"),
    ({"due_in": "-5", "due_at": ""}, "due_in"),
    ({"object_code_2": ""}, "object_code_2"),
    ({"object_kind_3": ""}, "object_kind_3"),
    ({"object_kind_1": "dragon"}, "object_kind_1"),
    ({"unit": "dragons"}, "unit"),
    ({"lead": "999999999"}, "lead"),
    ({"urgency": "at once"}, "urgency"),
    ({"supersedes_id": "1"}, "supersedes_id"),
]


@pytest.mark.parametrize(("typed", "field"), NONSENSE, ids=[f"{n}-{field}" for n, (_, field) in enumerate(NONSENSE)])
def test_nonsense_is_said_at_its_field_and_above(world: World, enter: Enter, typed: dict[str, Any], field: str) -> None:
    address = f"/incidents/{world.incident.pk}/instructions/new"
    answer = enter("centre").post(address, form(**everything(world) | typed))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert f'href="#id_{field}"' in page.partition("<form method=\"post\" data-draft")[0]
    assert f'id="id_{field}_error"' in page or f'id="id_{field}"' in page
    assert "Gate 3" in page  # what else was typed stays
    assert not Instruction.everything.exists()


def test_amending_keeps_what_the_version_said(world: World, enter: Enter) -> None:
    order = world.issued(objects_named=[{"kind": "road", "code": "G15"}, {"kind": "dam", "code": "D1"}])
    browser, address = enter("centre"), f"/instructions/{order.pk}/amend"
    page = browser.get(address).content.decode()
    assert 'value="dam" selected' in page
    assert 'value="G15"' in page
    assert 'name="lead"' not in page
    assert 'name="post_' not in page
    said = everything(world) | {"change_note": "The dam too", "object_kind_3": "", "object_code_3": ""}
    assert browser.post(address, form(**said)).status_code == 303
    assert [row["code"] for row in order.versions.get(n=2).objects_named] == ["G15", "B7"]
