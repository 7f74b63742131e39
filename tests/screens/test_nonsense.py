"""Is nonsense in any form answered at its field and in a summary that leads there, in Chinese, with nothing lost?"""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.instructions.world import World
from tests.screens.conftest import Enter
from tests.screens.forms import form
from tests.screens.test_languages import CHINESE, left_over

pytestmark = pytest.mark.django_db

LONG, MARK = "字" * 9000, "此处原样保留"
NONSENSE = {
    "empty": "", "long": LONG, "no date": "2026-13-45T99:99🛢️", "negative": "-5", "markup": "<script>alert(1)</script>",
}  # fmt: skip


def faults(page: str) -> list[str]:
    """What is wrong with a page that shows a form again."""
    found = []
    summary = re.search(r'<div class="ops-errors" role="alert" tabindex="-1">(.*?)</div>', page, re.DOTALL)
    if summary is None:
        return ["no summary"]
    ids = set(re.findall(r'\sid="([^"]+)"', page))
    leads = set(re.findall(r'href="#([^"]+)"', summary[1])) - ids
    found += [f"the summary leads to #{one}, which is nowhere" for one in leads]
    if not re.search(r"[\u4e00-\u9fff]", summary[1]):
        found.append("the summary says nothing")
    if "<script>alert" in page:
        found.append("markup came back alive")
    return found + [f"English: {text}" for text in left_over(page)]


def places(world: World) -> dict[str, tuple[str, str, tuple[str, ...], dict[str, Any]]]:
    """Every form: who, where, its fields, and what must be sent besides."""
    order = world.issued(evidence=["photo"])
    worked, judged = world.acknowledged(order, "fire"), world.issued()
    handed = world.handed_in(judged, "fire", early_reason="The rest is with the police")
    room, part = f"/incidents/{world.incident.pk}/act/", f"/assignments/{worked.pk}/"
    centre = f"/duty/{world.id('centre')}/act/"
    place = ("place", "latitude", "longitude")
    return {
        "report": ("centre", "/reports/new/", ("text", "channel", "type", *place, "occurred_at", "reporter_phone"), {}),
        "log": ("centre.commander", f"{room}add_log/", ("text", "kind", "headline_zh", "headline_en"), {}),
        "scale": ("centre.commander", f"{room}set_scale/", ("scale", "level", "colour", "why"), {}),
        "invite": ("centre.commander", f"{room}invite/", ("department_id", "role"), {}),
        "aim": ("centre.commander", f"{room}set_objective/", ("text",), {}),
        "share": ("centre.commander", f"{room}share/", ("department_id", "reach", "valid_to"), {}),
        "transfer": ("centre.commander", f"{room}transfer_command/", ("department_id", "person_id", "why"), {}),
        "feedback": ("fire", f"{part}feedback/", ("final", "percent", "text", "figure_value_1"), {"version": 1}),
        "start": ("fire", f"{part}start/", ("who_goes", "eta"), {}),
        "decline": ("fire", f"{part}decline/", ("code", "reason", "suggested"), {}),
        "ask": ("fire", f"{part}ask/", ("kind", "reason", "wanted_until"), {}),
        "delegate": ("fire", f"{part}delegate/", ("department", "headline_zh", "text", "due_at"), {}),
        "evaluate": ("centre", f"/assignments/{handed.pk}/evaluate/", ("accepted", "outcome", "reason", "new_due"), {}),
        "supervise": ("centre", f"{part}supervise/", ("note", "progress_every"), {}),
        "cancel": ("centre", f"/instructions/{order.pk}/cancel/", ("reason",), {}),
        "assign": ("centre", f"/instructions/{order.pk}/assign/", ("department", "post"), {}),
        "shift": ("centre.head", f"{centre}plan/", ("starts", "ends", "person_id"), {}),
    }  # fmt: skip


def test_nonsense_in_every_form(world: World, enter: Enter) -> None:
    """S1: nonsense in every form."""
    wrong, refused = [], set()
    browsers: dict[str, Any] = {}
    every = places(world)
    for name, (who, address, fields, besides) in every.items():
        browser = browsers.setdefault(who, enter(who))
        for kind, typed in NONSENSE.items():
            sent = form(**dict.fromkeys(fields, typed) | besides)
            answer = browser.post(address, sent, headers=CHINESE)
            if answer.status_code in (303, 404):  # words are words; and some forms are for others
                continue
            page = answer.content.decode()
            refused.add(name)
            if answer.status_code not in (403, 409, 422):
                wrong.append(f"{name}, {kind}: {answer.status_code}")
            wrong += [f"{name}, {kind}: {fault}" for fault in faults(page)]
    assert wrong == []
    assert refused == set(every)


def test_what_was_typed_beside_stays(world: World, enter: Enter) -> None:
    sent = form(text=MARK, channel="hotline", place=MARK, latitude="200", longitude="-181", occurred_at="morgen")
    page = enter("centre").post("/reports/new/", sent, headers=CHINESE).content.decode()
    assert page.count(MARK) == 2
    for field in ("latitude", "longitude", "occurred_at"):
        assert f'href="#id_{field}"' in page
        assert f'id="id_{field}_error"' in page
    assert 'value="200"' in page
    assert 'value="morgen"' in page
