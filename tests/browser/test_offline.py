"""Is nothing that was typed or sent lost when the line or the window goes?"""

from __future__ import annotations

import pytest

from tests.browser.conftest import OpenWindow
from tests.browser.ground import Ground
from tests.browser.window import patience

# every address that the service worker keeps
KEPT = """async () => {
  const stores = await Promise.all((await caches.keys()).map(name => caches.open(name)));
  return (await Promise.all(stores.map(one => one.keys()))).flat().map(one => new URL(one.url).pathname);
}"""
# how many drafts and unsent acts the device keeps
TYPED = """() => new Promise((found, lost) => {
  const opened = indexedDB.open("muster");
  opened.onerror = lost;
  opened.onsuccess = () => {
    const base = opened.result, names = [...base.objectStoreNames];
    if (!names.length) { base.close(); return found(0); }
    const asked = names.map((name) => new Promise((on) => {
      const count = base.transaction(name).objectStore(name).count();
      count.onsuccess = () => on(count.result);
    }));
    Promise.all(asked).then((all) => { base.close(); found(all.reduce((a, b) => a + b, 0)); });
  };
})"""
pytestmark = [pytest.mark.stack, pytest.mark.browser]


def test_an_act_without_a_line_is_kept_and_sent_later(window: OpenWindow, ground: Ground) -> None:
    number = ground.issue(ground.incident("Storm over the harbour"), "Watch the wind")
    address = f"/instructions/{number}/"
    command, lead = window("city-commander").open(address).live(), window("fire-duty1").open(address).live()
    lead.tap("Acknowledge: received, ours")
    command.sees("1 of 2 acknowledged")
    lead.unfold("act-start").get_by_label("Who goes").fill("Weather car")
    lead.context.set_offline(True)
    lead.page.get_by_role("button", name="Start", exact=True).click()
    lead.sees("Kept on this device, not sent. It goes out", seconds=10)
    lead.stale(12 * patience())
    lead.context.set_offline(False)
    command.sees("goes: Weather car", seconds=20 * patience())
    lead.page.locator("#ops-unsent").wait_for(state="hidden")
    lead.page.locator("#ops-stale").wait_for(state="hidden")
    assert lead.stayed()


def test_a_draft_survives_its_window(window: OpenWindow, ground: Ground) -> None:
    compose = f"/incidents/{ground.incident('Fog on the motorway')}/instructions/new"
    command = window("city-commander").open(compose)
    command.page.fill("[name=text]", "Half a sentence about the")
    command.sees("Draft kept on this device.", seconds=10)
    command.page.close()
    again = window(beside=command).open(compose)
    again.sees("restored from this device", seconds=10)
    assert again.page.locator("[name=text]").input_value() == "Half a sentence about the"


def test_signing_out_leaves_nothing_on_the_device_with_and_without_a_line(window: OpenWindow, ground: Ground) -> None:
    compose = f"/incidents/{ground.incident('Ice on the bridge')}/instructions/new"
    for line in (False, True):
        one = window("city-commander").open(compose)
        one.page.fill("[name=text]", "Half a sentence about the")
        one.sees("Draft kept on this device.", seconds=10)
        assert one.page.evaluate(TYPED) == 1
        one.page.on("dialog", lambda asked: asked.accept())
        one.context.set_offline(not line)
        with one.page.expect_request("**/sign-out/"):
            one.page.locator("form[data-sign-out]").first.evaluate("form => form.requestSubmit()")
        one.context.set_offline(False)
        one.page.goto(f"{one.base}/sign-in/")
        assert one.page.evaluate(TYPED) == 0


@pytest.mark.parametrize(("language", "words"), [("en", "No connection to Muster"), ("zh", "连接不上 Muster")])
def test_without_a_line_a_page_says_what_to_do(window: OpenWindow, language: str, words: str) -> None:
    one = window("fire-duty1", language=language).open("/desk/")
    one.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    one.context.set_offline(True)
    one.page.goto(f"{one.base}/incidents/")
    one.page.get_by_role("heading", name=words).wait_for()
    assert one.page.locator("li").count() >= 3  # what to do
    assert one.page.evaluate("getComputedStyle(document.querySelector('.ops-panel')).borderTopStyle") == "solid"
    kept = one.page.evaluate(KEPT)
    assert {path for path in kept if not path.startswith("/static/")} == {"/offline/"}
    one.context.set_offline(False)
    one.page.locator("#incident-rows").wait_for(timeout=20_000 * patience())
    assert one.page.url.endswith("/incidents/")
