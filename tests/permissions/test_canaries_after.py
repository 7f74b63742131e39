"""Does any answer hold a value that is not theirs where the grant stands, and what it stands on has changed?

Retired, raised to confidential, an exercise, broken glass, an ended agreement: every address about data is asked by
several kinds of actor, then those that hand out most: pages, map, one record, each format of file, who may see it and
why, who read it, and the catalogue as a document.
"""

from __future__ import annotations

import io
import random
import zipfile
from dataclasses import replace
from typing import Any

import pytest

from coordination.events import clock
from sharing.catalogue import actions as catalogue
from tests import drawing
from tests.permissions import lent_after
from tests.permissions import operations as ops
from tests.permissions.asking import Answer, ask, reading
from tests.permissions.lent_after import PURPOSE, STATES, After, value
from tests.permissions.world import POSTS, World

READS = [one for one in ops.operations() if one.method == "GET"]
ABOUT = ("records", "dataset", "data", "grant", "transfer", "share", "export", "access-log", "explain", "audit",
         "agreement", "break-glass", "rule")  # fmt: skip
CODES = ("centre", "fire", "firej", "health", "water")
FORMATS = ("csv", "xlsx", "json", "geojson")


@pytest.fixture(params=STATES)
def after(request: pytest.FixtureRequest, world: World) -> After:
    """The dataset in one of the states."""
    return STATES[request.param](world)


def plain(answer: Answer) -> bytes:
    """All that an answer says: body, headers, and what is packed into a file."""
    said = answer.body + repr(answer.headers).encode()
    if answer.body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(answer.body)) as packed:
            said += b"".join(packed.read(name) for name in packed.namelist())
    return said


def _kinds(key: str, some: int) -> list[str]:
    return random.Random(f"{drawing.seed()} {key}").sample([*POSTS, "client", "reader", "display"], some)


def test_no_reading_address_shows_what_is_not_open(world: World, after: After) -> None:
    about, leaks, asked = after.about(world), {}, 0
    for operation in READS:
        closely = any(word in operation.route for word in ABOUT)
        if not (drawing.whole() or closely):
            continue
        for code in CODES:
            for kind in _kinds(f"{after.tag} {code} {operation.key}", 3 if drawing.whole() and closely else 1):
                answer = ask(operation, about, _known(f"{code}/{kind}", world))
                asked += 1
                assert answer.status < 500, (operation.key, code, kind, answer.body[:500])
                if found := after.forbidden(code, kind, plain(answer)):
                    leaks[operation.key, code, kind] = found
    assert leaks == {}
    assert asked > 100


def _known(principal: str, world: World) -> str:
    """Departments without machines of their own are asked for by their duty officer."""
    return principal if principal in world.clients else f"{principal.partition('/')[0]}/duty_officer"


def addresses(after: After) -> list[tuple[str, dict[str, Any]]]:
    """What hands out most of a dataset, or speaks of it at all."""
    page, one = f"/data/{after.dataset_id}/", f"catalogue.dataset:{after.dataset_id}"
    api = f"/api/v1/datasets/{after.dataset_id}"
    return [
        (page, {}), (f"{page}records/", {}), (f"{page}records/", {"show": "map", "size": "25"}),
        (f"{page}records/", {"sort": "-secret"}), (f"{page}records/", {"as_of": 1}),
        (f"{page}records/{after.ids['record']}/", {}), (api, {}), (f"{api}/records", {"limit": 50}),
        (f"{api}/records", {"as_of": 1}), (f"{api}/transfers", {}),
        *((f"{page}records/download/", {"format": form, "purpose": PURPOSE}) for form in FORMATS),
        *((f"{api}/records/export", {"format": form}) for form in FORMATS),
        ("/data/", {"q": f"Entry {after.tag}"}),
        ("/data/explain/", {"object": one}), ("/api/v1/explain", {"object": one}), ("/api/v1/datasets/export", {}),
        ("/data/sharing/", {}), ("/data/sharing/export/", {}), ("/data/requests/", {}), ("/data/agreements/", {}),
        ("/data/break-glass/", {}), ("/data/access-log/", {}), ("/api/v1/access-log", {}), ("/audit/", {}),
    ]  # fmt: skip


def _askers(after: After, code: str) -> list[str]:
    """Every kind with ``MUSTER_CELLS=all``; else one by the seed, and whoever it is open to."""
    every = ["duty_officer", "commander", "data_steward", "auditor", "client"]
    chance = random.Random(f"{drawing.seed()} {after.tag} {code} most")
    drawn = every if drawing.whole() else chance.sample(every, 1)
    named = [place.partition("/")[2] or "duty_officer" for place in after.open_to if place.partition("/")[0] == code]
    return [kind for kind in every if kind in {*drawn, *named}]


def test_nor_what_hands_out_most(world: World, after: After) -> None:
    about, leaks, shown = after.about(world), {}, set()
    for code in CODES:
        for kind in _askers(after, code):
            who = f"{code}/{kind}"
            if who not in world.clients:
                continue
            headers = {who: world.headers.get(who, {}) | {"Purpose": PURPOSE}}
            for path, query in addresses(after):
                answer = reading(replace(about, headers=headers), who, path, query)
                assert answer.status < 500, (path, query, who, answer.body[:500])
                if found := after.forbidden(code, kind, plain(answer)):
                    leaks[path, repr(query), who] = found
                if value(after.tag, "secret", 1).encode() in plain(answer):
                    shown.add((code if code in after.open_to else who, path, query.get("format", "")))
    assert leaks == {}
    _really_open(after, {place for place, _path, _form in shown})
    if after.state == "broken glass":
        files = {form for place, _path, form in shown if place == "fire/commander"}
        assert files == {""}, "what an emergency opens does not leave as a file"


def _really_open(after: After, places: set[str]) -> None:
    assert places == after.open_to, "whom it is open to is shown it, or the rest proves nothing"


def test_a_search_by_its_title_is_answered_as_by_nothing_where_the_entry_is_hidden(world: World) -> None:
    after = STATES["hidden parent"](world)
    for path in ("/data/", "/search/", "/api/v1/datasets"):
        found = reading(after.about(world), "fire/data_steward", path, {"q": "zq7hidtitle1"})
        nothing = reading(after.about(world), "fire/data_steward", path, {"q": "zq7hidnixes1"})
        assert found.status == nothing.status
        assert len(found.body) == len(nothing.body), path


def test_a_tag_known_from_before_confirms_nothing_after_a_revocation(world: World) -> None:
    """With a grant the list is confirmed (304); once it is taken back, the same tag is worth nothing to anybody."""
    after = lent_after.retired(world)
    path, who = f"/api/v1/datasets/{after.dataset_id}/records", "fire/duty_officer"
    before = reading(world, who, path, {})
    assert (before.status, value("ret", "secret", 1).encode() in before.body) == (200, True)
    tag = {"If-None-Match": before.headers["ETag"]}
    knowing = replace(world, headers={one: world.headers.get(one, {}) | tag for one in world.clients})
    assert reading(knowing, who, path, {}).status == 304
    assert reading(knowing, "centre/duty_officer", path, {}).status == 200, "a tag is of the grants that opened it"
    catalogue.revoke_grant(
        actor=world.actor("centre/data_steward"), now=clock.now(), grant_id=after.ids["grant_id"], why="over"
    )
    for tags in (tag, {"If-None-Match": "*"}):
        knowing = replace(world, headers={one: world.headers.get(one, {}) | tags for one in world.clients})
        answer = reading(knowing, who, path, {})
        assert answer.status == 403
        assert after.forbidden("water", "duty_officer", plain(answer)) == set()
        assert answer.headers.get("ETag", "") != before.headers["ETag"]
