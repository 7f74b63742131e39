"""What happens beside the windows: incidents and instructions made over the API by others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.api.client import City, Party

COMMANDER, APPROVER = ("city", "commander"), ("city", "approver")
LEAD, SUPPORT = "fire", "transport"


class Ground:
    """Acts of people who have no window in a test."""

    def __init__(self, city: City) -> None:
        self.city = city

    def person(self, department: str, post: str = "duty_officer") -> Party:
        """Who holds a post, signed in over the API."""
        return self.city.person(department, post)

    def close(self) -> None:
        """Let go of all connections."""
        for party in self.city.parties:
            party.http.close()

    def incident(self, headline_en: str, headline_zh: str = "乙二醇装置爆炸") -> int:
        """Open an incident that responds, led by the fire corps; return its id."""
        commander = self.person(*COMMANDER)
        made = commander.call(
            "incidents_open",
            {
                "type": "accident.chemical.explosion", "headline_zh": headline_zh, "headline_en": headline_en,
                "description": "Explosion and fire at a glycol unit.", "place": "Jinwan petrochemical zone", "grade": 3,
                "latitude": 30.7421, "longitude": 121.3312, "response_level": 2, "lead": self.city.id(LEAD),
                "commander_department": self.city.id("city"),
            },
            status=201,
        )  # fmt: skip
        for move in ("verify", "respond"):
            seen, _etag = commander.see("incidents_show", incident_id=made["id"])
            if any(one["action"] == move for one in seen["allowed_actions"]):
                commander.do("incident", made["id"], move, {})
        return int(made["id"])

    def draft(
        self,
        incident: int,
        headline_en: str,
        *,
        headline_zh: str = "冷却相邻储罐",
        to: tuple[str, ...] = (LEAD, SUPPORT),
        minutes: float = 90,
        **more: Any,
    ) -> int:
        """Draft an instruction to departments, the first of them in the lead; return its id."""
        targets = [
            {"department": self.city.id(code), "role": "support" if n else "lead"} for n, code in enumerate(to)
        ]
        drafted = self.person(*COMMANDER).call(
            "instructions_draft",
            {
                "incident_id": incident, "headline_zh": headline_zh, "headline_en": headline_en,
                "text": "Cool the neighbouring tanks and report each half hour.", "what": "Tanks T-301 to T-304",
                "place": "Gate 3", "urgency": "urgent",
                "due_at": (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat(),
                "targets": targets, **more,
            },
            status=201,
        )  # fmt: skip
        return int(drafted["id"])

    def approve(self, instruction: int) -> None:
        """Approve what was sent for approval, by as many people as must."""
        for party in (self.person(*APPROVER), self.person("city", "head")):
            if party.do("instruction", instruction, "approve", {})["state"] != "in_approval":
                return

    def issue(self, incident: int, headline_en: str, **more: Any) -> int:
        """Draft, approve and issue an instruction; return its id."""
        commander = self.person(*COMMANDER)
        number = self.draft(incident, headline_en, **more)
        if commander.do("instruction", number, "submit")["state"] == "in_approval":
            self.approve(number)
        commander.do("instruction", number, "issue")
        return number

    def parts(self, instruction: int) -> dict[int, dict[str, Any]]:
        """The assignments of an instruction as the API shows them to command, by id."""
        seen, _etag = self.person(*COMMANDER).see("instructions_show", instruction_id=instruction)
        return {one["id"]: one for one in seen["assignments"]}

    def part(self, instruction: int, code: str) -> int:
        """The id of a department's assignment."""
        return next(pk for pk, one in self.parts(instruction).items() if one["department"]["id"] == self.city.id(code))

    def acknowledge(self, instruction: int, code: str) -> None:
        """A department's duty officer acknowledges."""
        self.person(code).do("assignment", self.part(instruction, code), "acknowledge", {"version": 1})

    def decline(self, instruction: int, code: str, reason: str, suggested: str) -> None:
        """A department says that it is not theirs; once more if the message's delivery came in between."""
        party, part = self.person(code), self.part(instruction, code)
        body = {"reason": reason, "suggested": self.city.id(suggested)}
        for _try in range(5):
            etag = party.see("assignments_show", assignment_id=part)[1]
            answer = party.send("POST", f"/api/v1/assignments/{part}/decline", body, headers={"If-Match": etag})
            if answer.status_code != 412:
                break
        assert answer.status_code == 200, answer.text

    def amend(self, instruction: int) -> None:
        """A second version, approved and issued."""
        commander = self.person(*COMMANDER)
        change = {"text": "Close both roads, and the river landing.", "change_note": "The landing is new."}
        commander.do("instruction", instruction, "amend", change)
        seen, _etag = self.person(*APPROVER).see("instructions_show", instruction_id=instruction)
        if any(one["action"] == "approve" for one in seen["allowed_actions"]):
            self.approve(instruction)
        seen, _etag = commander.see("instructions_show", instruction_id=instruction)
        if any(one["action"] == "issue" for one in seen["allowed_actions"]):
            commander.do("instruction", instruction, "issue")

    def report(self, text: str) -> int:
        """Take a report in; return its id."""
        body = {"type": "accident.chemical.explosion", "channel": "hotline", "text": text, "place": "Gate 3"}
        return int(self.person(*COMMANDER).call("reports_receive", body, status=201)["id"])
