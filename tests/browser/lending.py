"""What is lent beside the windows: records delivered, requests made and answered, a glass broken, over the API?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.api.client import Party
from tests.browser.ground import Ground

OWNER, OTHER = "emb", "jw-emb"
"""Whose data it is, and who asks for it beside the windows."""
PLACES = [
    {"number": "K1", "name": "North tank farm", "place": [121.33, 30.74]},
    {"number": "K2", "name": "Cold store by the canal", "place": [121.35, 30.76]},
    {"number": "K3", "name": "Solvent depot", "place": [121.31, 30.73]},
]


class Lending:
    """The catalogue of the demo city, and acts on it of people who have no window in a test."""

    def __init__(self, ground: Ground) -> None:
        self.ground, self.steward = ground, ground.person(OWNER, "data_steward")
        after, self.ids = "", {}
        while True:
            found = self.got(self.steward, f"/api/v1/datasets?{after}")
            self.ids |= {one["code"]: int(one["id"]) for one in found["items"]}
            if not found.get("next"):
                break
            after = found["next"].partition("?")[2]

    def got(self, party: Party, path: str) -> dict[str, Any]:
        """What an address answers."""
        answer = party.send("GET", path)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def post(self, party: Party, path: str, body: Any = None, *, see: str = "", status: int = 201) -> dict[str, Any]:
        """Do an act; ``see`` is the address whose state it goes by."""
        headers = {"If-Match": party.send("GET", see).headers["ETag"]} if see else {}
        answer = party.send("POST", path, body if body is not None else {}, headers=headers)
        assert answer.status_code in (status, 200), answer.text
        return dict(answer.json())

    def deliver(self, code: str, records: list[dict[str, Any]]) -> int:
        """Bring a dataset of the owner these records; return its id."""
        pk = self.ids[code]
        self.post(self.steward, f"/api/v1/datasets/{pk}/transfers", {"mode": "whole", "records": records})
        return pk

    def ask(self, code: str, fields: list[str], purpose: str, *, by: str = OTHER, post: str = "duty_officer") -> int:
        """Ask for a dataset; return the request's id."""
        until = (datetime.now(UTC) + timedelta(days=30)).isoformat()
        body = {"dataset_id": self.ids[code], "fields": dict.fromkeys(fields, "full"), "purpose": purpose,
                "valid_to": until}  # fmt: skip
        return int(self.post(self.ground.person(by, post), "/api/v1/share-requests", body)["id"])

    def answer(self, request: int, act: str, body: Any = None, *, post: str = "data_steward") -> dict[str, Any]:
        """Screen, grant or refuse a request as the owner."""
        here = f"/api/v1/share-requests/{request}"
        return self.post(self.ground.person(OWNER, post), f"{here}/{act}", body, see=here)

    def granted(self, code: str, fields: list[str], purpose: str, **by: str) -> int:
        """Ask and grant; return the request's id."""
        number = self.ask(code, fields, purpose, **by)
        self.answer(number, "screen")
        self.answer(number, "grant")
        return number

    def break_glass(self, code: str, reason: str, *, by: str, post: str) -> int:
        """Break the glass over a dataset; return its id."""
        known = self.ground.city.accounts["people"]
        word = next(one["password"] for one in known if one["department"] == by and one["post"] == post)
        body = {"dataset_id": self.ids[code], "reason": reason, "password": word}
        return int(self.post(self.ground.person(by, post), "/api/v1/break-glass", body)["id"])
