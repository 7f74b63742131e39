"""Can a discarded draft be taken back for ten seconds, by whoever discarded it, and by nobody else or later?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from coordination.events import clock
from coordination.instructions.models import Instruction
from coordination.instructions.queries import ledgers
from tests.instructions.world import World
from tests.screens.conftest import Enter
from tests.screens.forms import as_shown, form

pytestmark = pytest.mark.django_db


def discarded(browser: Client, draft: Instruction) -> Any:
    """Press the button on the draft's page; answer the desk that follows."""
    address = f"/instructions/{draft.pk}/"
    answer = browser.post(f"{address}discard/", as_shown(browser, address, f"{address}discard/"))
    assert answer.status_code == 303
    return browser.get(answer["Location"])


def test_a_discarded_draft_comes_back(world: World, enter: Enter) -> None:
    draft, browser = world.draft(), enter("centre")
    page = discarded(browser, draft).content.decode()
    assert world.fresh(draft).state == "cancelled"
    assert f"Draft discarded: {draft.number} Cool the glycol tanks" in page
    restore = f"/instructions/{draft.pk}/restore/"
    back = browser.post(restore, as_shown(browser, f"/desk/?discarded={draft.pk}", restore), follow=True)
    assert "The draft is back." in back.content.decode()
    row = world.fresh(draft)
    assert (row.state, row.ended_at, row.versions.get().state) == ("draft", None, "draft")
    world.act("submit", row, "centre")
    world.act("approve", row, "centre.approver")
    world.act("issue", row, "centre")
    later = world.later(timedelta(minutes=5))
    for parts in ledgers(actor=world.who("centre"), instruction_id=row.pk, now=later).values():
        whole = (parts[-1]["end"] - parts[0]["start"]).total_seconds()
        assert sum(part["seconds"] for part in parts) == pytest.approx(whole)
        assert all(part["party"] for part in parts)


def test_no_reason_is_asked_for_a_draft(world: World, enter: Enter) -> None:
    draft = world.draft()
    page = enter("centre").get(f"/instructions/{draft.pk}/").content.decode()
    assert "Discard the draft" in page
    assert "Cancel the instruction" not in page


def test_after_ten_seconds_it_stays_discarded(world: World, enter: Enter) -> None:
    draft, browser = world.draft(), enter("centre")
    discarded(browser, draft)
    clock.travel(world.now + timedelta(seconds=17) - clock.now())
    assert "Undo" not in browser.get(f"/desk/?discarded={draft.pk}").content.decode()
    late = browser.post(f"/instructions/{draft.pk}/restore/", form())
    assert late.status_code == 409
    assert "This draft stays discarded" in late.content.decode()
    assert world.fresh(draft).state == "cancelled"


def test_nobody_else_takes_it_back(world: World, enter: Enter) -> None:
    draft = world.draft()
    discarded(enter("centre"), draft)
    other = enter("centre.head")
    assert "Draft discarded" not in other.get(f"/desk/?discarded={draft.pk}").content.decode()
    assert other.post(f"/instructions/{draft.pk}/restore/", form()).status_code == 409
    assert enter("police").post(f"/instructions/{draft.pk}/restore/", form()).status_code == 404


def test_what_has_left_is_cancelled_with_a_reason(world: World, enter: Enter) -> None:
    order, browser = world.issued(), enter("centre")
    assert browser.post(f"/instructions/{order.pk}/discard/", form()).status_code == 409
    world.act("cancel", order, "centre", reason="Not needed")
    assert browser.post(f"/instructions/{order.pk}/restore/", form()).status_code == 409
    assert browser.post(f"/instructions/{order.pk}/discard/", {}).status_code == 422


@pytest.mark.parametrize("asked", ["", "x", "99999999999999999999", "0", "-3"])
def test_a_desk_asked_for_nonsense_is_a_desk(world: World, enter: Enter, asked: str) -> None:
    assert enter("centre").get("/desk/", {"discarded": asked}).status_code == 200
