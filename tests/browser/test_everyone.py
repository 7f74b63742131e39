"""Can everybody use every page: nothing that axe finds, nothing wider than the window, in both languages and themes?"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import drawing
from tests.browser.conftest import OpenWindow
from tests.browser.ground import COMMANDER, LEAD, SUPPORT, Ground
from tests.browser.pairing import pair
from tests.browser.window import Window

pytestmark = [pytest.mark.stack, pytest.mark.browser]

AXE = (Path(__file__).resolve().parents[1] / "vendor" / "axe-core-4.14.1" / "axe.min.js").read_text(encoding="utf-8")
RUN = """async rules => {
  const options = rules.length ? {runOnly: {type: 'rule', values: rules}} : {};
  const found = await axe.run(document, {...options, resultTypes: ['violations'], elementRef: false});
  const rows = found.violations.map(v => [v.impact, v.id, v.nodes.length, v.nodes[0]]);
  return JSON.stringify(rows.map(([i, id, n, one]) => [i, id, n, one.html.slice(0, 160), one.target.join(' ')]));
}"""
TOUCHED = """() => [...document.querySelectorAll('main select')].filter(
  s => !s.multiple && s.selectedIndex !== Math.max(0, [...s.options].findIndex(o => o.defaultSelected))
).map(s => s.name)"""
SETTLED = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
# what a theme or a width can change; everything else is asked once a language at desk width
OF_A_THEME = ["color-contrast", "link-in-text-block"]
OF_A_WIDTH = [
    *OF_A_THEME,
    "target-size",
    "scrollable-region-focusable",
    "region",
    "aria-hidden-focus",
    "bypass",
    "page-has-heading-one",
]
LOOKS = ((1366, "light", []), (1366, "dark", OF_A_THEME), (390, "dark", OF_A_WIDTH), (390, "light", OF_A_THEME))
# an ordinary run draws one of two for each page: each theme and each width once, all rules at desk width; in the other
# language the page is looked at on a phone
PAIRS = (((1366, "light", []), (390, "dark", OF_A_WIDTH)), ((1366, "dark", []), (390, "light", OF_A_WIDTH)))
# at 320 px (a window of 1280 px at 400 %) and 640 px (at 200 %): the page does not scroll sideways, no text is cut
# or out of reach, and nothing moves for those who want no motion
ZOOMED = (640, 320)
REFLOW = """() => {
  const found = [], root = document.documentElement;
  if (root.scrollWidth > innerWidth) found.push(`the page scrolls sideways by ${root.scrollWidth - innerWidth} px`);
  const moving = document.getAnimations().filter(one => one.animationName !== 'ops-gone').length;
  if (moving) found.push(`${moving} things move`);
  const scrolls = el => ['auto', 'scroll'].includes(getComputedStyle(el).overflowX);
  for (const el of document.querySelectorAll('body *')) {
    if (el.closest('.visually-hidden, .leaflet-container, svg, script, option, .ops-skip')) continue;
    const own = [...el.childNodes].filter(n => n.nodeType === 3 && n.textContent.trim());
    if (!own.length || !el.checkVisibility({checkOpacity: true, checkVisibilityCSS: true})) continue;
    const words = own.map(n => n.textContent.trim()).join(' '), range = document.createRange();
    range.setStartBefore(own[0]);
    range.setEndAfter(own[0]);  // what a child holds is looked at with the child
    const box = range.getBoundingClientRect();
    let beyond = box.right > innerWidth + 1 || box.left < -1, cut = false;
    for (let up = el; up && up !== document.body; up = up.parentElement) {
      if (scrolls(up)) { beyond = false; break; }
      const frame = up.getBoundingClientRect();
      const hides = ['hidden', 'clip'].includes(getComputedStyle(up).overflowX);
      if (hides && (box.right > frame.right + 1 || box.bottom > frame.bottom + 1)) cut = true;
    }
    if (cut) found.push(`cut: "${words.slice(0, 50)}" in ${el.tagName}.${el.className}`);
    else if (beyond) found.push(`out of reach: "${words.slice(0, 50)}" in ${el.tagName}.${el.className}`);
  }
  return found;
}"""
# pictures take time: all of them only when somebody wants to look
KEPT = {("en", 1366, "light"), ("zh", 390, "dark")}
ALL_PICTURES = os.environ.get("MUSTER_PICTURES") == "all"


@pytest.fixture(scope="module")
def rich(ground: Ground) -> dict[str, int]:
    """An incident with something of everything: versions, a decline, a photo, an order that is late, a draft."""
    incident = ground.incident("Explosion at the glycol unit of a plant", "某石化企业乙二醇装置爆炸")
    whole = ground.issue(incident, "Cool the tanks west of the unit", to=(LEAD, SUPPORT, "water"))
    ground.acknowledge(whole, LEAD)
    lead = ground.person(LEAD)
    part = ground.part(whole, LEAD)
    lead.do("assignment", part, "start", {"who_goes": "Company 4"})
    lead.do(
        "assignment", part, "feedback", {"version": 1, "percent": 60, "text": "Three of four are cold.", "final": False}
    )
    ground.decline(whole, SUPPORT, "The road is the district's.", "jw-transport")
    amended = ground.issue(
        incident, "Close both roads to the plant", headline_zh="封闭通往厂区的两条道路", to=("police", LEAD), minutes=8
    )
    ground.amend(amended)
    draft = ground.draft(incident, "Measure the air down wind", headline_zh="下风向空气监测", to=("eco",))
    ground.person(*COMMANDER).send(
        "POST", f"/api/v1/incidents/{incident}/log", {"text": "Two-way radio channel 5 is used."}
    )
    report = ground.report("Smoke over the tank farm.")
    return {"incident": incident, "instruction": whole, "amended": amended, "draft": draft, "report": report}


def pages(ids: dict[str, int], city: int) -> dict[str, tuple[str, str]]:
    """Every page: who opens it, and where it is."""
    room, one = f"/incidents/{ids['incident']}/", f"/instructions/{ids['instruction']}/"
    command = {
        "desk": "/desk/", "incidents": "/incidents/", "report-new": "/reports/new/",
        "report": f"/reports/{ids['report']}/",
        "incident-open": f"/reports/{ids['report']}/open/", "room": room, "room-instructions": f"{room}instructions/",
        "room-board": f"{room}instructions/?view=board", "room-log": f"{room}log/", "room-map": f"{room}map/",
        "room-departments": f"{room}departments/", "room-print": f"{room}print/",
        "instructions": "/instructions/?show=all",
        "instruction": one, "amended": f"/instructions/{ids['amended']}/", "draft": f"/instructions/{ids['draft']}/",
        "edit": f"/instructions/{ids['draft']}/edit", "amend": f"{one}amend", "compose": f"{room}instructions/new",
        "versions": f"/instructions/{ids['amended']}/versions", "instruction-print": f"{one}print",
        "departments": "/departments/", "department": "/departments/6/", "duty": "/duty/", "roster": "/duty/6/",
        "notices": "/notices/", "search": "/search/?q=tank", "search-empty": "/search/?q=zzzz", "engine": "/engine/",
        "story": "/story/", "sessions": "/sessions/", "password": "/settings/password/",
        "second-factor": "/settings/second-factor/", "act-for": "/act-for/", "absent": "/incidents/99999999/",
    }  # fmt: skip
    found = {name: ("city-commander", path) for name, path in command.items()}
    found["sign-in"] = ("", "/sign-in/")
    found["nowhere"] = ("", "/no/such/page/")
    found["pairing"] = ("", "/wall/")
    found["administration"] = ("city-administrator", f"/departments/{city}/")
    steward = {
        "data": "/data/", "data-narrowed": "/data/?sharing=conditional&q=data", "data-nothing": "/data/?q=zzzz",
        "dataset": "/data/1/", "data-new": "/data/new/", "data-edit": "/data/1/edit/", "data-schema": "/data/1/schema/",
        "legal-bases": "/data/legal-bases/",
    }  # fmt: skip
    found |= {name: ("emb-data-steward", path) for name, path in steward.items()}
    found["executing"] = ("fire-duty1", one)
    found["executing-desk"] = ("fire-duty1", "/desk/")
    return found


def drawn(name: str, language: str) -> Any:
    """In which looks a page is looked at: all with ``MUSTER_CELLS=all``, else two and one, by the seed."""
    chance = random.Random(f"{drawing.seed()} {name}")
    pair, other = chance.sample(PAIRS, 2)
    mine = chance.choice(("en", "zh")) == language
    return LOOKS if drawing.whole() else pair if mine else other[1:]


def looked_at(one: Window, name: str, language: str, looks: Any = None) -> Iterator[str]:
    """What axe finds on an open page in each look, and whether the page is wider than the window."""
    looks = looks or drawn(name, language)
    one.page.evaluate(AXE)
    for field in one.page.evaluate(TOUCHED):
        yield f"{name} {language}: {field} counts as changed before anybody touched it"
    for width, theme, rules in looks:
        one.page.set_viewport_size({"width": width, "height": 844 if width < 500 else 900})
        one.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        one.page.evaluate(SETTLED)  # else colours are still on their way
        for impact, rule, count, html, target in json.loads(one.page.evaluate(RUN, rules)):
            yield f"{name} {language} {theme} {width}: {impact} {rule} ×{count}: {html} ({target})"
        wide = one.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            yield f"{name} {language} {width}: {wide} px too wide"
        if ALL_PICTURES or (language, width, theme) in KEPT:
            one.picture(f"{name}-{width}-{theme}-{language}")
    for width in ZOOMED:
        one.page.set_viewport_size({"width": width, "height": 640})
        one.page.evaluate(SETTLED)
        yield from (f"{name} {language} {width}: {fault}" for fault in one.page.evaluate(REFLOW))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_page_is_for_everybody(window: OpenWindow, ground: Ground, rich: dict[str, int], language: str) -> None:
    found: list[str] = []
    windows: dict[str, Window] = {}
    for name, (user, path) in pages(rich, ground.city.id("city")).items():
        if user not in windows:
            windows[user] = window(user, language=language)
        one = windows[user]
        one.page.set_viewport_size({"width": 1366, "height": 900})
        one.open(path)
        wanted = "zh-Hans" if language == "zh" else "en"
        assert one.page.locator("html").get_attribute("lang") == wanted, path
        found += looked_at(one, name, language)
    one = windows["city-commander"]
    one.page.set_viewport_size({"width": 1366, "height": 900})
    one.open("/reports/new/")
    one.page.locator("main form button.btn-primary").first.click()
    one.page.locator(".ops-errors").wait_for()  # a form that was refused: its summary, its fields
    found += looked_at(one, "report-refused", language)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_wall_is_for_everybody(window: OpenWindow, ground: Ground, rich: dict[str, int], language: str) -> None:
    found: list[str] = []
    for incident in (None, rich["incident"]):
        name = "wall-incident" if incident else "wall-overview"
        wall = pair(
            window, ground, window(width=1920, height=1080), f"{name} {language}", incident=incident, language=language
        )
        wall.live()
        wall.page.evaluate(AXE)
        for theme in ("dark", "light"):
            wall.page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
            for impact, rule, count, html, target in json.loads(wall.page.evaluate(RUN, [])):
                found.append(f"{name} {language} {theme}: {impact} {rule} ×{count}: {html} ({target})")
    assert not found, "\n".join(found)


FORCED = """() => {
  const found = [], shown = el => el.checkVisibility() && el.getClientRects().length;
  for (const el of [...document.querySelectorAll('.ops-chip')].filter(shown)) {
    const style = getComputedStyle(el);
    const bordered = style.borderTopStyle === 'solid' && parseFloat(style.borderTopWidth) >= 1;
    if (!bordered) found.push(`no border: ${el.outerHTML}`);
    const coloured = ['ops-chip-act', 'ops-chip-soon', 'ops-chip-info'].some(name => el.classList.contains(name));
    if (coloured && ![...el.querySelectorAll('svg')].some(shown)) found.push(`no shape: ${el.outerHTML}`);
    if (!el.textContent.trim()) found.push(`no word: ${el.outerHTML}`);
  }
  const edge = el => getComputedStyle(el).borderBottomColor;
  for (const bar of document.querySelectorAll('.ops-nav, .ops-tabs')) {
    const current = bar.querySelector('[aria-current]'), other = bar.querySelector('a:not([aria-current])');
    if (current && edge(current) === edge(other)) found.push(`where one is: ${bar.className}`);
  }
  return found;
}"""


def test_forced_colours_tell_states_apart(window: OpenWindow, rich: dict[str, int]) -> None:
    one = window("city-commander")
    one.page.emulate_media(forced_colors="active")
    for path in (f"/incidents/{rich['incident']}/instructions/", f"/instructions/{rich['instruction']}/"):
        one.open(path)
        assert one.page.locator(".ops-chip").count() > 0
        assert one.page.evaluate(FORCED) == []
        one.reach(one.page.locator(".ops-nav a").first)
