"""Is everything on a wall whole, at 1080p and 4K, in both languages, however much there is to show?"""

from __future__ import annotations

import pytest

from tests.browser.conftest import OpenWindow
from tests.browser.ground import COMMANDER, Ground
from tests.browser.pairing import pair

pytestmark = [pytest.mark.stack, pytest.mark.browser]

TO = (
    "jw-emb",
    "jw-police",
    "jw-fire",
    "jw-health",
    "jw-eco",
    "jw-transport",
    "haiqu",
    "lintang",
    "petro",
    "jd-health",
    "np-emb",
    "power",
)
# of every element that holds text: does it hold all of it, inside the screen and inside its panel?
CUT = """() => {
  const found = [];
  const shown = el => el.checkVisibility({checkOpacity: true, checkVisibilityCSS: true}) && el.getClientRects().length;
  for (const el of document.querySelectorAll('.wall *')) {
    if (el.closest('.wall-map, .visually-hidden, svg, script') || !shown(el)) continue;
    const text = [...el.childNodes].filter(n => n.nodeType === 3).map(n => n.textContent.trim()).join(' ').trim();
    if (!text) continue;
    const style = getComputedStyle(el), box = el.getBoundingClientRect();
    const range = document.createRange();
    range.selectNodeContents(el);
    const words = range.getBoundingClientRect();
    const say = why => found.push(`${why}: "${text.slice(0, 60)}" in ${el.tagName}.${el.className}`);
    if (style.textOverflow === 'ellipsis' && el.scrollWidth > el.clientWidth + 1) say('shortened');
    const more = el.scrollWidth > el.clientWidth + 1 || el.scrollHeight > el.clientHeight + 1;
    if (style.overflow !== 'visible' && more) say('cut');
    const beyond = frame => words.left < frame.left - 1 || words.right > frame.right + 1
      || words.top < frame.top - 1 || words.bottom > frame.bottom + 1;
    if (beyond({left: 0, top: 0, right: innerWidth, bottom: innerHeight})) say('outside the screen');
    for (let up = el.parentElement; up && up !== document.body; up = up.parentElement) {
      if (getComputedStyle(up).overflow === 'visible') continue;
      if (beyond(up.getBoundingClientRect())) { say('cut by ' + up.tagName + '.' + up.className); break; }
    }
  }
  const root = document.documentElement;
  if (root.scrollHeight > innerHeight + 1 || root.scrollWidth > innerWidth + 1) found.push('the page scrolls');
  return found;
}"""

# the map fills its panel, and the incident's name stands over its place
MAP = """() => {
  const map = document.querySelector('.leaflet-container');
  if (!map) return [];
  const found = [], frame = map.getBoundingClientRect();
  const lines = [...map.querySelectorAll('path:not(.leaflet-interactive)')].map(one => one.getBoundingClientRect());
  const end = Math.max(...lines.map(one => one.bottom));
  if (end < frame.bottom - 20) found.push(`the grid ends ${Math.round(frame.bottom - end)} px above the map's edge`);
  const name = map.querySelector('.leaflet-tooltip'), place = map.querySelector('path.leaflet-interactive');
  if (!name || !place) return found;
  const over = name.getBoundingClientRect(), at = place.getBoundingClientRect();
  const aside = Math.abs((over.left + over.right - at.left - at.right) / 2);
  if (aside > 5) found.push(`the name stands ${Math.round(aside)} px beside its place`);
  return found;
}"""


@pytest.fixture(scope="module")
def busy(ground: Ground) -> int:
    """An incident on which much stands out, with names as long as they may be."""
    incident = ground.incident("Explosion at the glycol unit, west plant", "滨海石化股份有限公司西厂区乙二醇装置爆炸")
    for n, headline in enumerate(("Evacuate all villages within 3 km of it", "Measure the air at all twelve points")):
        whole = ground.issue(
            incident,
            headline,
            headline_zh=("立即疏散三公里范围内全部村庄及企业职工", "十二个监测点同步开展空气质量监测")[n],
            to=TO,
        )
        for code in TO[1:5]:
            ground.decline(whole, code, "Not in our area.", "jw-cmd")
    commander = ground.person(*COMMANDER)
    for n in range(8):
        entry = {"text": f"Measuring point {n} reports: wind from the east, nothing found above the limit value."}
        commander.send("POST", f"/api/v1/incidents/{incident}/log", entry)
    return incident


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("mode", ["overview", "incident"])
def test_nothing_is_cut(window: OpenWindow, ground: Ground, busy: int, mode: str, language: str) -> None:
    incident = busy if mode == "incident" else None
    wall = window(width=1920, height=1080)
    pair(
        window, ground, wall, f"Wall {mode} {language}", incident=incident, language=language, distance="4", width="3.7"
    )
    wall.live()
    found = []
    for width, height in ((1920, 1080), (3840, 2160)):
        wall.page.set_viewport_size({"width": width, "height": height})
        wall.page.wait_for_timeout(300)  # rows are fitted to the new size after its event
        wall.picture(f"wall-{mode}-{width}-{language}", whole=False)
        found += [f"{width}: {row}" for row in [*wall.page.evaluate(CUT), *wall.page.evaluate(MAP)]]
    assert found == []
