"""How does a screen become a wall: its code, entered on the administrator's page?"""

from __future__ import annotations

from collections.abc import Callable

from tests.browser.ground import Ground
from tests.browser.window import Window

ADMINISTRATOR = "city-administrator"


def pair(
    window: Callable[..., Window], ground: Ground, wall: Window, name: str, *, incident: int | None = None,
    language: str = "en", theme: str = "dark", distance: str = "5", width: str = "2.4",
) -> Window:  # fmt: skip
    """Read the code on the screen, enter it as an administrator, wait until the screen is the wall."""
    wall.open("/wall/")
    code = wall.page.locator(".wall-code").inner_text()
    desk = window(ADMINISTRATOR).open(f"/departments/{ground.city.id('city')}/")
    box = desk.unfold("act-pair_display")
    box.locator("[name=code]").fill(code)
    box.locator("[name=name]").fill(name)
    if incident:
        box.locator("[name=incident_id]").select_option(value=str(incident))
    box.locator("[name=language]").select_option(value="zh-hans" if language == "zh" else "en")
    box.locator("[name=theme]").select_option(value=theme)
    box.locator("[name=seat_distance_m]").fill(distance)
    box.locator("[name=screen_width_m]").fill(width)
    with desk.answered():
        box.get_by_role("button").click()
    desk.page.wait_for_load_state("load")
    wall.page.locator("body[data-wall]").wait_for()
    wall.page.locator("html[data-booted='1']").wait_for(state="attached")
    wall.page.evaluate("window.stayed = true")
    return wall
