"""Do three people in three browsers see each other's moves within two seconds, without a reload?"""

from __future__ import annotations

from datetime import datetime, timedelta
from time import monotonic
from zoneinfo import ZoneInfo

import pytest

from tests.api.client import photo
from tests.browser.conftest import OpenWindow
from tests.browser.ground import Ground
from tests.browser.window import SOON, Window, patience

pytestmark = [pytest.mark.stack, pytest.mark.browser]

HEADLINE = "Cool the west tanks"
TURN = """async () => {
  Math.random = () => 0.9;  // late in every row
  const loaded = performance.getEntriesByType("resource").map(one => one.name);
  window.regions = await import(loaded.find(name => /regions[.\\w]*\\.js/.test(name)));
  regions.dirty(null);
}"""


def in_minutes(minutes: int) -> str:
    """A time in the city's own zone, as a date field takes it."""
    moment = datetime.now(ZoneInfo("Asia/Shanghai")) + timedelta(minutes=minutes)
    return f"{moment:%Y-%m-%dT%H:%M}"


def test_the_loop_from_draft_to_closed(window: OpenWindow, ground: Ground) -> None:
    incident = ground.incident("Explosion at the glycol unit")
    room = f"/incidents/{incident}/"
    command = window("city-commander")
    in_room = window(beside=command).open(f"{room}instructions/").live()
    at_room = "#room-instructions"
    lead, support = window("fire-duty1"), window("transport-duty1")
    lead.open("/desk/").live()
    support.open("/desk/").live()

    address, number = _draft(command, room)
    in_room.sees(HEADLINE, at_room)
    command.live()

    _send_out(command, in_room, ground, number)
    row = f"[data-row]:has(a[href='{address}'])"
    lead.sees(HEADLINE, f"#desk-needs {row}")
    support.sees(HEADLINE, f"#desk-needs {row}")
    in_room.sees("0 of 2 acknowledged", at_room)

    reader = window(beside=lead).open(address).live()  # the lead's second window stays on the instruction
    _acknowledge(lead, f"#desk-needs {row}")
    command.sees("1 of 2 acknowledged")
    in_room.sees("1 of 2 acknowledged", at_room)
    reader.sees("1 of 2 acknowledged")
    _acknowledge(support, f"#desk-needs {row}")
    for one in (command, reader):
        one.sees("2 of 2 acknowledged")
    in_room.sees("2 of 2 acknowledged", at_room)

    _start(reader, "Company 4")
    command.sees("goes: Company 4")
    lead.sees("In progress", f"#desk-progress {row}")
    support.open(address).live()
    _start(support, "Roadblock team")
    _report(support, "Both roads are closed")
    _judge(command, accept=True)
    support.sees("Accepted", "#i-timeline")
    _report(reader, "T-301 cold, T-302 still warm", with_photo=True)
    for one in (command, support):
        one.sees("T-301 cold, T-302 still warm")
    command.page.locator("#i-assignments .ops-photos img").first.wait_for()

    _judge(command, accept=False)
    reader.sees("T-302 must be cold too")
    reader.sees("returned once")
    lead.sees("In progress", f"#desk-progress {row}")
    _report(reader, "All four tanks are cold")
    for one in (command, support):
        one.sees("All four tanks are cold")
    _judge(command, accept=True)
    for one in (command, reader, support):
        one.sees("Closed", "#i-timeline")
        one.sees("Closed", "#i-head")
    in_room.sees("Closed", at_room)
    parts = ground.parts(number)
    assert {one["state"] for one in parts.values()} == {"closed"}
    assert all(one.stayed() for one in (in_room, lead, reader, support))
    command.picture("loop-closed")


def _draft(command: Window, room: str) -> tuple[str, int]:
    """The order, kept as a draft: its page and its id."""
    command.open(f"{room}instructions/new")
    command.choose("[name=lead]", "Binhai Fire and Rescue")
    box = command.page.get_by_label("Binhai Transport Commission").first
    if not box.is_visible():
        command.page.locator(".ops-more > summary").first.click()
    box.check()
    command.sees("on duty:", seconds=10)
    for name, text in (("headline_en", HEADLINE), ("headline_zh", "冷却西侧储罐"), ("text", "Two lines on each tank."),
                       ("what", "Tanks T-301 to T-304"), ("due_at", in_minutes(90))):  # fmt: skip
        command.page.fill(f"[name={name}]", text)
    command.page.get_by_role("button", name="Keep the draft and go on").click()
    command.page.wait_for_url("**/instructions/*/?*")
    address = command.page.url.removeprefix(command.base).partition("?")[0]
    return address, int(address.strip("/").rpartition("/")[2])


def _send_out(command: Window, in_room: Window, ground: Ground, number: int) -> None:
    """Approved and issued; the room's list follows."""
    command.tap("Send for approval")
    in_room.sees("In approval", "#room-instructions")
    ground.approve(number)
    command.sees("Issue now")
    in_room.sees("Approved", "#room-instructions")
    command.tap("Issue now")


def _acknowledge(one: Window, row: str) -> None:
    """One tap on the desk."""
    with one.answered():
        one.page.locator(row).get_by_role("button", name="Acknowledge").click()


def _start(one: Window, who: str) -> None:
    box = one.unfold("act-start")
    box.get_by_label("Who goes").fill(who)
    with one.answered():
        box.get_by_role("button", name="Start").click()


def _report(one: Window, text: str, *, with_photo: bool = False) -> None:
    """Final feedback through the page."""
    box = one.unfold("act-feedback")
    box.locator("[name=final][value='1']").check()
    box.locator("[name=percent][value='100']").check()
    box.locator("[name=text]").fill(text)
    if with_photo:
        box.locator("[name=files]").set_input_files([{"name": "tank.png", "mimeType": "image/png", "buffer": photo()}])
        box.locator(".ops-photos li").first.wait_for()
    with one.answered():
        box.get_by_role("button", name="Send feedback").click()


def _judge(one: Window, *, accept: bool) -> None:
    """The verdict on what waits for one."""
    box = one.unfold("act-evaluate")
    box.get_by_label("Accept" if accept else "Return for rework", exact=True).check()
    if accept:
        box.locator("[name=outcome]").select_option(index=1)
    else:
        box.locator("[name=reason]").fill("T-302 must be cold too")
        box.locator("[name=new_due]").fill(in_minutes(120))
    with one.answered():
        box.get_by_role("button", name="Record the verdict").click()


def test_a_screen_reads_in_its_turn_and_at_once_what_concerns_few(window: OpenWindow, ground: Ground) -> None:
    desk = window("fire-duty1").open("/desk/").live()
    reads: list[float] = []
    desk.page.on("request", lambda asked: reads.append(monotonic()) if "x-part" in asked.headers else None)
    with desk.page.expect_response(lambda answer: "/part" in answer.url):
        desk.page.evaluate(TURN)
    desk.page.wait_for_timeout(1500)  # what came of the opening is over

    def waited(*calls: str) -> float:
        began = monotonic()
        with desk.page.expect_response(lambda answer: "/part" in answer.url, timeout=20_000):
            for call in calls:
                desk.page.evaluate(f"() => {{ {call} }}")
        desk.page.wait_for_timeout(1500)
        asked = [at for at in reads if at > began]
        assert len({round(at, 1) for at in asked}) <= 2, "one reading of what is asked together"
        return asked[0] - began

    assert 3.6 < waited("regions.dirty(null, 4000)", "regions.dirty(null, 4000)") < 4 + SOON * patience()
    assert waited("regions.dirty(null, 15000)", "regions.dirty(null)") < SOON * patience()
    assert waited("regions.dirty(null, 15000)", "regions.acted(null)") < SOON * patience()
