"""Is feedback taken in with its figures and photos, and judged with its time in view, by forms alone?"""

from __future__ import annotations

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from coordination.instructions.models import Feedback
from incidents.models import Attachment
from tests.instructions.world import World, minutes
from tests.screens.conftest import Enter
from tests.screens.forms import as_shown, form, photo

pytestmark = pytest.mark.django_db


def test_feedback_with_figures_and_a_photo_goes_in_once(world: World, enter: Enter) -> None:
    order = world.issued(evidence=["photo"])
    row = world.acknowledged(order, "fire")
    fire = enter("fire")
    sent = form(
        version=1,
        final="1",
        percent="100",
        text="Tanks are cold",
        figure_name_1="Water",
        figure_value_1="120.5",
        figure_unit_1="t",
        early_reason="Police only keep the road",
    )
    for _again in range(2):
        answer = fire.post(f"/assignments/{row.pk}/feedback/", {**sent, "files": photo()})
        assert answer.status_code == 303, answer.content.decode()
    report = Feedback.everything.get()
    assert (report.percent, report.final, report.figures) == (
        100,
        True,
        [{"name": "Water", "value": "120.5", "unit": "t"}],
    )
    assert Attachment.everything.filter(subject_type="instructions.feedback", subject_id=report.pk).count() == 1
    page = fire.get(f"/instructions/{order.pk}/").content.decode()
    assert "Tanks are cold" in page
    assert "tank.jpg" in page


def test_a_photo_refused_takes_neither_the_text_nor_the_other_photo(world: World, enter: Enter) -> None:
    order = world.issued()
    row = world.acknowledged(order, "fire")
    bad = SimpleUploadedFile("notes.jpg", b"no picture at all", content_type="image/jpeg")
    typed = form(version=1, final="0", percent="30", text="Half of it is cold", files=[bad, photo()])
    answer = enter("fire").post(f"/assignments/{row.pk}/feedback/", typed)
    page = answer.content.decode()
    kept = Attachment.everything.get()
    assert answer.status_code == 422
    assert "Half of it is cold" in page
    assert f'<input type="hidden" name="attachments" value="{kept.pk}"' in page
    assert re.search(rf'id="assignment-{row.pk}-feedback-files_error">.*notes\.jpg', page)
    assert not Feedback.everything.exists()


def test_photos_survive_a_refusal(world: World, enter: Enter) -> None:
    order = world.issued()
    row = world.acknowledged(order, "fire")
    answer = enter("fire").post(
        f"/assignments/{row.pk}/feedback/",
        form(version=1, final="1", percent="100", text="Done", files=photo()),  # a part is open: a reason is missing
    )
    text = answer.content.decode()
    kept = Attachment.everything.get()
    assert answer.status_code == 422
    assert f'<input type="hidden" name="attachments" value="{kept.pk}"' in text
    assert "Why final now" in text
    assert not Feedback.everything.exists()


def test_whoever_judges_sees_how_timely_it_was(world: World, enter: Enter) -> None:
    order = world.issued(due_at=world.now + minutes(30))
    world.later(minutes(42))
    row = world.handed_in(order, "fire", early_reason="The rest is with the police")
    centre, address = enter("centre"), f"/instructions/{order.pk}/"
    page = centre.get(address).content.decode()
    assert page.count("late by 12 min") == 2  # beside the grade to give, and with the work itself
    act = f"/assignments/{row.pk}/evaluate/"
    refused = centre.post(act, as_shown(centre, address, act, accepted="1"), headers={"HX-Request": "true"})
    assert (refused.status_code, "late by 12 min" in refused.content.decode()) == (422, True)
    done = centre.post(act, as_shown(centre, address, act, accepted="1", outcome="good"))
    assert done.status_code == 303, done.content.decode()
    assert "Accepted: Good · Late" in " ".join(centre.get(address).content.decode().split())


def test_who_judges_may_see_the_time_otherwise(world: World, enter: Enter) -> None:
    order = world.issued()
    row = world.handed_in(order, "fire", early_reason="The rest is with the police")
    centre, address = enter("centre"), f"/instructions/{order.pk}/"
    assert "on time, " in centre.get(address).content.decode()
    act = f"/assignments/{row.pk}/evaluate/"
    typed = as_shown(centre, address, act, accepted="1", outcome="good", timeliness="early")
    assert centre.post(act, typed).status_code == 303
    assert "Accepted: Good · Early" in " ".join(centre.get(address).content.decode().split())
