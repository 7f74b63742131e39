"""Does a photo get through a thin line on its own, shrunk and tried again, whatever becomes of it without the text?"""

from __future__ import annotations

import io

import pytest
from PIL import Image
from playwright.sync_api import Route

from tests.browser.conftest import OpenWindow
from tests.browser.ground import LEAD, Ground
from tests.browser.window import patience

pytestmark = [pytest.mark.stack, pytest.mark.browser]


def big_photo() -> bytes:
    """A picture larger than any screen, and too rough to be small."""
    held = io.BytesIO()
    Image.effect_noise((2400, 1200), 60).save(held, "JPEG", quality=90)
    return held.getvalue()


def test_each_photo_is_sent_on_its_own(window: OpenWindow, ground: Ground) -> None:
    number = ground.issue(ground.incident("Fire in the cable tunnel"), "Vent the cable tunnel", to=(LEAD,))
    ground.acknowledge(number, LEAD)
    one = window("fire-duty1").open(f"/instructions/{number}/").live()
    box = one.unfold("act-feedback")
    box.locator("[name=text]").fill("The fans run.")
    tries = []

    def first_fails(route: Route) -> None:
        tries.append(route.request.headers["idempotency-key"])
        if len(tries) == 1:
            route.abort()
        else:
            route.continue_()

    one.page.route("**/api/v1/attachments", first_fails)
    box.locator("[name=files]").set_input_files([
        {"name": "fan.jpg", "mimeType": "image/jpeg", "buffer": big_photo()},
        {"name": "notes.jpg", "mimeType": "image/jpeg", "buffer": b"no picture at all"},
    ])  # fmt: skip
    rows = box.locator(".ops-photos li")
    rows.nth(0).get_by_text("not sent").wait_for(timeout=10_000 * patience())
    rows.nth(1).get_by_text("notes.jpg").wait_for()
    box.locator(".ops-photos li[data-state=refused]").wait_for(timeout=10_000 * patience())
    assert box.locator("[name=files]").evaluate("field => [...field.files].map(one => one.name)") == ["fan.jpg"]
    rows.nth(0).get_by_role("button", name="Try again").click()
    rows.nth(0).get_by_text("arrived").wait_for(timeout=10_000 * patience())
    assert tries[0] == tries[2]  # a retry that had arrived after all would be kept once
    assert box.locator("[name=text]").input_value() == "The fans run."
    with one.answered():
        box.get_by_role("button", name="Send feedback").click()
    (feedback,) = next(iter(ground.parts(number).values()))["feedback"]
    (sent,) = feedback["attachments"]
    assert feedback["text"] == "The fans run."
    content = ground.person(LEAD).send("GET", f"/api/v1/attachments/{sent['id']}/content").content
    assert max(Image.open(io.BytesIO(content)).size) == 1600
