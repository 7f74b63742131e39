"""Can everybody use every page on which data are found, asked for, given, watched and audited?"""

from __future__ import annotations

import pytest

from tests.browser.conftest import OpenWindow
from tests.browser.ground import Ground
from tests.browser.lending import OTHER, OWNER, PLACES, Lending
from tests.browser.test_everyone import looked_at
from tests.browser.window import Window

pytestmark = [pytest.mark.stack, pytest.mark.browser]

STEWARD, STRANGER, HOLDER = f"{OWNER}-data-steward", "water-head", f"{OTHER}-head"
OPEN = ["number", "name", "place", "sector", "staff"]


@pytest.fixture(scope="module")
def lent(ground: Ground) -> dict[str, int]:
    """Something of everything: records, requests open, screened and answered, grants, a glass, an incident."""
    lending = Lending(ground)
    secret = lending.deliver(
        "hazardous-stores",
        [one | {"substance": "Ethylene glycol", "quantity": 1200.5, "contact_phone": "13800001234"} for one in PLACES],
    )
    plain = lending.deliver(
        "key-enterprises", [one | {"sector": "chemical", "staff": 120, "risk": "red"} for one in PLACES]
    )
    granted = lending.granted("key-enterprises", OPEN, "Fire plan of the port")
    request = lending.ask("key-enterprises", OPEN, "Evacuation round the canal", by="jw-fire")
    strict = lending.ask("hazardous-stores", ["number", "name", "place"], "Fire plan of the port", by="fire")
    glass = lending.break_glass(
        "hazardous-stores", "The plant beside it burns: what is stored there?", by="jw-health", post="head"
    )
    answered = lending.got(lending.steward, f"/api/v1/share-requests/{granted}")
    found = lending.got(lending.steward, f"/api/v1/grants?dataset_id={plain}")["items"]
    grant = next(one["id"] for one in found if one["purpose"] == "Fire plan of the port")
    record = lending.got(lending.steward, f"/api/v1/datasets/{plain}/records")["items"][0]["id"]
    return {
        "secret": secret, "plain": plain, "granted": granted, "request": request, "strict": strict, "glass": glass,
        "agreement": int(answered["agreement_id"]), "grant": int(grant), "record": int(record),
        "incident": ground.incident("Explosion at the glycol unit of a plant", "某石化企业乙二醇装置爆炸"),
    }  # fmt: skip


def pages(ids: dict[str, int]) -> dict[str, tuple[str, str]]:
    """Every page: who opens it, and where it is."""
    plain, secret = f"/data/{ids['plain']}/", f"/data/{ids['secret']}/"
    steward = {
        "catalogue": "/data/", "requests": "/data/requests/", "requests-asked": "/data/requests/?side=asked",
        "requests-answered": "/data/requests/?state=answered", "request-decide": f"/data/requests/{ids['request']}/",
        "request-strict": f"/data/requests/{ids['strict']}/", "request-granted": f"/data/requests/{ids['granted']}/",
        "agreements": "/data/agreements/", "agreement": f"/data/agreements/{ids['agreement']}/",
        "sharing": "/data/sharing/", "sharing-received": "/data/sharing/?side=received",
        "grant": f"/data/sharing/{ids['grant']}/", "access-log": "/data/access-log/",
        "access-log-others": "/data/access-log/?show=others", "glasses": "/data/break-glass/",
        "glass-judge": f"/data/break-glass/{ids['glass']}/", "explain": "/data/explain/",
        "explain-answer": f"/data/explain/?object=catalogue.dataset:{ids['secret']}&who=user:fire-duty1",
        "dataset-steward": plain, "dataset-steward-strict": secret, "records-own": f"{plain}records/",
        "deliver": f"{plain}deliver/", "give": f"{plain}give/", "offer": f"{plain}offer/",
        "rules-new": f"{secret}rules/new/",
    }  # fmt: skip
    found = {name: (STEWARD, path) for name, path in steward.items()}
    found |= {
        "dataset-stranger": (STRANGER, plain), "dataset-stranger-strict": (STRANGER, secret),
        "no-records": (STRANGER, f"{plain}records/"), "request-new": (STRANGER, f"{plain}request/"),
        "request-new-strict": (STRANGER, f"{secret}request/"),
        "glass-new": (STRANGER, f"/data/break-glass/new/?dataset={ids['secret']}"),
        "glass-new-any": (STRANGER, "/data/break-glass/new/"), "requests-none": (STRANGER, "/data/requests/"),
        "agreements-none": (STRANGER, "/data/agreements/"),
        "dataset-holder": (HOLDER, plain), "records": (HOLDER, f"{plain}records/"),
        "records-nothing": (HOLDER, f"{plain}records/?f-sector=nothing"),
        "records-map": (HOLDER, f"{plain}records/?show=map"),
        "record": (HOLDER, f"{plain}records/{ids['record']}/"),
        "download-refused": (HOLDER, f"{plain}records/download/?format=pdf"),
        "grant-held": (HOLDER, f"/data/sharing/{ids['grant']}/"),
        "glass-strip": ("jw-health-head", secret),
        "glass-own": ("jw-health-head", f"/data/break-glass/{ids['glass']}/"),
        "glass-records": ("jw-health-head", f"{secret}records/"),
        "audit": ("city-auditor", "/audit/"), "audit-nothing": ("city-auditor", "/audit/?act=zzzz"),
        "incident-data": ("city-commander", f"/incidents/{ids['incident']}/data/"),
        "proposed-posts": ("city-administrator", "/departments/2/"),
    }  # fmt: skip
    return found


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_page_of_data_is_for_everybody(window: OpenWindow, lent: dict[str, int], language: str) -> None:
    found: list[str] = []
    windows: dict[str, Window] = {}
    for name, (user, path) in pages(lent).items():
        if user not in windows:
            windows[user] = window(user, language=language)
        one = windows[user]
        one.page.set_viewport_size({"width": 1366, "height": 900})
        one.open(path)
        found += looked_at(one, name, language)
    assert not found, "\n".join(found)
