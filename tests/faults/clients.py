"""Who works while processes die? Crews that drive their own orders through the REST API, each command under an id."""

from __future__ import annotations

import random
import threading
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urljoin

import httpx

from tests.api.client import Api, City, Party
from tests.faults.history import Command, History

PATIENCE = 8.0
"""Seconds a client waits for one answer."""
PERSISTENCE = 40.0
"""Seconds a client repeats a command that got no clear answer; then it is left as it is."""
GIVES_UP = 0.3
"""Share of unclear answers after which a client never asks again."""
PACE = 4.0
"""The incident's clocks run so much faster than the story's."""


@dataclass(frozen=True)
class Crew:
    """Who gives orders to whom."""

    issuer: str
    targets: tuple[str, ...]
    invite: tuple[str, ...] = ()


LEFT = 45.0
"""Seconds after which an order that was left lying is cancelled: its ladders have climbed, and would for ever."""

CREWS = (
    Crew("city", ("fire", "health")),
    Crew("city", ("transport", "eco")),
    Crew("jinwan", ("jw-fire", "jw-health"), ("jinwan", "jw-fire", "jw-health")),
    Crew("city", ("police", "water")),
)


def open_incident(city: City, number: int, crew: Crew) -> int:
    """Open an incident whose clocks run in seconds; before the first fault."""
    commander = city.person("city", "commander")
    incident = commander.call(
        "incidents_open",
        {
            "type": "accident.chemical.explosion", "headline_zh": f"演练事故{number}",
            "headline_en": f"Fault run {number}", "description": "Work goes on while processes die.",
            "place": f"Site {number}", "grade": 3, "response_level": 2, "lead": city.id("city"),
            "commander_department": city.id("city"), "policy_set": "story", "pace": PACE,
        },
        status=201,
    )  # fmt: skip
    for code in crew.invite:
        commander.call(
            "participations_invite", {"department": city.id(code), "role": "support"}, status=201,
            incident_id=incident["id"],
        )  # fmt: skip
    for move in ("verify", "respond"):
        seen, _etag = commander.see("incidents_show", incident_id=incident["id"])
        if any(one["action"] == move for one in seen["allowed_actions"]):
            commander.do("incident", incident["id"], move, {})
    return int(incident["id"])


class Client(threading.Thread):
    """One crew at work until it is told to stop; what it does is decided by its seed."""

    def __init__(self, api: Api, city: City, history: History, crew: Crew, name: str, incident: int, seed: str) -> None:
        super().__init__(name=name, daemon=True)
        self.api, self.city, self.history, self.crew, self.incident = api, city, history, crew, incident
        self.random = random.Random(seed)
        self.stop = threading.Event()
        self.crash: BaseException | None = None
        self.cases = 0
        self.shown: tuple[str, str, int, dict[str, Any], str] | None = None
        self.left: list[tuple[float, int]] = []

    def run(self) -> None:
        """Case after case."""
        try:
            while not self.stop.is_set():
                self.case()
                self.cases += 1
        except BaseException as error:  # a client that ends early must be seen
            self.crash = error
            raise

    # --- one command, one id

    def send(
        self, party: Party, subject: str, action: str, about: int | None, url: str, body: dict[str, Any],
        *, match: str = "",
    ) -> dict[str, Any] | None:  # fmt: skip
        """Send a command until it is answered clearly; None when it was refused or nobody knows."""
        key = str(uuid.UUID(int=self.random.getrandbits(128), version=4))
        body = {name: value.replace("{key}", key) if isinstance(value, str) else value for name, value in body.items()}
        command = self.history.invoke(
            client=self.name, who=party.name, key=key, subject=subject, action=action, about=about, url=url, body=body,
        )  # fmt: skip
        headers = {"Idempotency-Key": key, **({"If-Match": match} if match else {})}
        end = time.monotonic() + PERSISTENCE
        while True:
            answer = self._once(party, command, headers)
            if answer is not None and answer.status_code in (200, 201):
                made = answer.json()
                command.made = made.get("id")
                self.history.end(command, "ok", answer.status_code)
                if "allowed_actions" in made:
                    self.shown = (party.name, subject, int(made["id"]), made, answer.headers["ETag"])
                return dict(made)
            if answer is not None and _refused(answer):
                self.history.end(command, "fail", answer.status_code)
                return None
            unclear = answer is None or answer.status_code >= 500
            if time.monotonic() > end or (unclear and self.random.random() < GIVES_UP) or self.stop.is_set():
                return None
            time.sleep(0.2 + self.random.random() * 0.6)

    def _once(self, party: Party, command: Command, headers: dict[str, str]) -> httpx.Response | None:
        began = time.monotonic()
        try:
            answer = party.http.post(urljoin(self.api.base, command.url), json=command.body, headers=headers,
                                     timeout=PATIENCE)  # fmt: skip
        except httpx.HTTPError as error:
            self.history.answered(command, type(error).__name__)
            return None
        self.history.times.append(time.monotonic() - began)
        said = str(answer.status_code)
        if answer.status_code >= 400:
            said += f" {_code(answer)}"
        self.history.answered(command, said)
        if answer.status_code >= 500 and answer.status_code != 503:
            self.history.breach("an answer of 500", f"{command.line()}: {answer.text[:500]}")
        return answer

    def look(self, party: Party, kind: str, number: int) -> tuple[dict[str, Any], str] | None:
        """Read a thing and its ETag, again and again while the server is away."""
        end = time.monotonic() + PERSISTENCE
        while time.monotonic() < end and not self.stop.is_set():
            try:
                answer = party.http.get(urljoin(self.api.base, f"/api/v1/{kind}s/{number}"), timeout=PATIENCE)
                if answer.status_code == 200:
                    return answer.json(), answer.headers["ETag"]
                if answer.status_code >= 500 and answer.status_code != 503:
                    self.history.breach("an answer of 500", f"GET {kind} {number}: {answer.text[:500]}")
            except httpx.HTTPError:
                pass
            time.sleep(0.2 + self.random.random() * 0.3)
        return None

    def move(
        self, party: Party, kind: str, number: int, action: str, body: dict[str, Any] | None = None
    ) -> dict[str, Any] | None:
        """Make a move if it is offered now, by what the answer to one's own last move showed or by a look."""
        seen = self._known(party, kind, number) or self.look(party, kind, number)
        if seen is None:
            return None
        shown, etag = seen
        offered = next((one for one in shown["allowed_actions"] if one["action"] == action), None)
        if offered is None:
            return None
        match = etag if offered["if_match"] else ""
        return self.send(party, kind, action, number, offered["href"], body or {}, match=match)

    def _known(self, party: Party, kind: str, number: int) -> tuple[dict[str, Any], str] | None:
        """What the same party was shown of the same thing just now, once."""
        shown, self.shown = self.shown, None
        return shown[3:] if shown and shown[:3] == (party.name, kind, number) else None

    # --- what a crew does

    def officer(self, code: str) -> Party:
        """The duty officer of a department."""
        return self.city.person(code, "duty_officer")

    def case(self) -> None:
        """One order from draft to closed, some of it left lying on the way so that its clocks run out."""
        issuer = self.officer(self.crew.issuer)
        self.tidy(issuer)
        self.log(issuer)
        due = (datetime.now(UTC) + timedelta(seconds=self.random.choice((12, 40, 3600, 3600)))).isoformat()
        drafted = self.send(
            issuer, "instruction", "draft", None, "/api/v1/instructions",
            {
                "incident_id": self.incident, "headline_zh": "冷却储罐", "headline_en": "Cool the tanks",
                "text": "Cool the tanks. {key}", "what": "tank {key}", "place": "Gate 3", "due_at": due,
                "urgency": self.random.choice(("immediate", "urgent", "routine")), "evidence": ["text"],
                "progress_every": 60,
                "targets": [
                    {"department": self.city.id(code), "role": "support" if index else "lead"}
                    for index, code in enumerate(self.crew.targets)
                ],
            },
        )  # fmt: skip
        if drafted is None:
            return
        number = int(drafted["id"])
        self.left.append((time.monotonic(), number))
        self.move(issuer, "instruction", number, "submit")
        if self.leaves(0.05):
            return
        for post in ("approver", "head"):
            self.move(self.city.person(self.crew.issuer, post), "instruction", number, "approve", {"remark": "Go."})
        if self.leaves(0.05):
            return
        self.move(issuer, "instruction", number, "issue")
        seen = self._known(issuer, "instruction", number) or self.look(issuer, "instruction", number)
        parts = {one["department"]["id"]: int(one["id"]) for one in (seen[0]["assignments"] if seen else ())}
        for code in self.crew.targets[::-1]:
            if self.city.id(code) in parts:
                self.part(code, issuer, parts[self.city.id(code)])

    def tidy(self, issuer: Party) -> None:
        """Cancel what has lain for long; what came to its end takes no cancelling."""
        for since, number in list(self.left):
            if time.monotonic() - since > LEFT:
                self.left.remove((since, number))
                self.move(issuer, "instruction", number, "cancel", {"reason": "Over."})

    def part(self, code: str, issuer: Party, number: int) -> None:
        """A department's part: acknowledged late or never, worked, handed in, returned, accepted."""
        officer = self.officer(code)
        if self.leaves(0.1):
            return
        self.wait(self.random.choice((0, 0, 1, 6)))
        if self.random.random() < 0.15:
            self.move(officer, "assignment", number, "decline", {"reason": "Not ours."})
            self.wait(self.random.choice((0, 3)))
            self.move(issuer, "assignment", number, "overrule", {"reason": "It is yours."})
        self.move(officer, "assignment", number, "acknowledge", {"version": 1})
        if self.leaves(0.05):
            return
        self.move(officer, "assignment", number, "start", {"who_goes": "Team 1"})
        for percent in (20, 40, 60, 80):
            self.report(officer, number, percent)
            self.log(officer)
        self.report(officer, number, 100)
        judged = self.random.random()
        if judged < 0.25:
            self.move(
                issuer, "assignment", number, "evaluate", {"accepted": False, "reason": "Again.", "remark": "{key}"}
            )
            self.report(officer, number, 100)
        if judged < 0.9:
            self.move(
                issuer, "assignment", number, "evaluate", {"accepted": True, "outcome": self.grade(), "remark": "{key}"}
            )

    def report(self, officer: Party, number: int, percent: int) -> None:
        """Feedback; the last one is final and early, since it waits for nobody."""
        body: dict[str, Any] = {"version": 1, "percent": percent, "text": f"{percent} % {{key}}"}
        if percent == 100:
            body |= {"final": True, "early_reason": "Our part waits for nobody."}
        self.move(officer, "assignment", number, "feedback", body)

    def log(self, party: Party) -> None:
        """Three lines in the log."""
        for said in ("Seen on site.", "Told by radio.", "The wind has turned."):
            self.send(party, "log", "log", None, f"/api/v1/incidents/{self.incident}/log", {"text": said + " {key}"})

    def grade(self) -> str:
        """The first outcome grade, read before the first fault."""
        return _grades[self.api.base]

    def leaves(self, share: float) -> bool:
        """Whether the crew turns to something else here and lets the clocks run out."""
        return self.stop.is_set() or self.random.random() < share

    def wait(self, seconds: float) -> None:
        """Do nothing for a while."""
        self.stop.wait(seconds)


_grades: dict[str, str] = {}
_CLEAR = frozenset(range(400, 500)) - {408, 425, 429}


def _code(answer: httpx.Response) -> str:
    try:
        return str(answer.json().get("code", ""))
    except ValueError:
        return ""


def _refused(answer: httpx.Response) -> bool:
    """Whether this answer says for good that nothing was done."""
    return answer.status_code in _CLEAR and _code(answer) != "running"


def prepare(api: Api, city: City) -> None:
    """Sign everybody in before the first fault."""
    for crew in CREWS:
        for post in ("duty_officer", "approver", "head"):
            city.person(crew.issuer, post)
        for code in crew.targets:
            city.person(code, "duty_officer")
    items = city.person("city", "duty_officer").call("codes_list", table="outcome_grade")["items"]
    _grades[api.base] = str(items[0]["code"])
