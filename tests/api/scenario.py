"""Drive one instruction from draft to closed over REST, knowing only the sign-ins and the description of the API.

``python -m tests.api.scenario var/demo/accounts.json http://127.0.0.1:8000/api/v1/schema``

Every address comes from the OpenAPI document (by operation id) or from ``allowed_actions``; nothing of Muster is
imported. Prints one line a step; ends with 1 at the first thing that is not as promised.
"""

from __future__ import annotations

import json
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.api.client import Api, City, NotAsPromisedError, Party, check, photo

LATER = (datetime.now(UTC) + timedelta(hours=3)).isoformat()
SOONER = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
ROUND = {"date", "x-request-id", "ratelimit"}


def open_incident(city: City) -> int:
    """Open the incident and let the departments respond."""
    commander = city.person("city", "commander")
    incident = commander.call(
        "incidents_open",
        {
            "type": "accident.chemical.explosion",
            "headline_zh": "化工装置爆炸",
            "headline_en": "Glycol unit explosion",
            "description": "Explosion and fire at a glycol unit.",
            "place": "Jinwan petrochemical zone",
            "grade": 3,
            "response_level": 2,
            "lead": city.id("city"),
            "commander_department": city.id("city"),
        },
        status=201,
    )
    for move in ("verify", "respond"):
        seen, _etag = commander.see("incidents_show", incident_id=incident["id"])
        if any(one["action"] == move for one in seen["allowed_actions"]):
            commander.do("incident", incident["id"], move, {})
    print(f"incident {incident['number']}")
    return int(incident["id"])


def draft_and_issue(city: City, incident: int) -> dict[str, Any]:
    """A system drafts, a person submits, another approves, the first issues to three departments."""
    officer, system = city.person("city", "duty_officer"), city.system("city")
    drafted = system.call(
        "instructions_draft",
        {
            "incident_id": incident,
            "headline_zh": "冷却相邻储罐并疏散",
            "headline_en": "Cool the tanks, clear the site",
            "text": "Cool the neighbouring tanks, clear the site, keep the road open.",
            "what": "neighbouring tanks",
            "place": "Gate 3",
            "urgency": "urgent",
            "due_at": LATER,
            "evidence": ["photo"],
            "progress_every": 1800,
            "targets": [
                {"department": city.id("fire"), "role": "lead"},
                {"department": city.id("health"), "role": "support"},
                {"department": city.id("transport"), "role": "support"},
            ],
        },
        status=201,
    )
    number = drafted["id"]
    refused = system.send("POST", f"/api/v1/instructions/{number}/submit", {}, headers={"If-Match": '"1.x"'})
    check(refused.status_code == 403, "a system may not submit", refused)
    submitted = officer.do("instruction", number, "submit")
    approver = city.person("city", "approver")
    while submitted["state"] == "in_approval":
        submitted = approver.do("instruction", number, "approve", {"remark": "Go."})
        approver = city.person("city", "head")
    stale = officer.send("POST", f"/api/v1/instructions/{number}/issue", {}, headers={"If-Match": '"1.stale"'})
    check(stale.status_code == 412, "a stale If-Match is 412", stale)
    missing = officer.send("POST", f"/api/v1/instructions/{number}/issue", {})
    check(missing.status_code == 428, "a missing If-Match is 428", missing)
    issued = officer.do("instruction", number, "issue")
    check(len(issued["assignments"]) == 3, "three departments have it")
    return issued


def part_of(instruction: dict[str, Any], department: int) -> int:
    """Return the assignment of a department."""
    return int(next(one["id"] for one in instruction["assignments"] if one["department"]["id"] == department))


def acknowledge(city: City, parts: dict[str, int]) -> None:
    """One system acknowledges naming the reader, one person does, one department declines."""
    fire = city.system("fire")
    fire.do("assignment", parts["fire"], "receive", {"version": 1})
    key = {"Idempotency-Key": str(uuid.uuid4())}
    url = f"/api/v1/assignments/{parts['fire']}/acknowledge"
    body = {"version": 1, "reader": "Zhang Wei"}
    first = fire.send("POST", url, body, headers=key)
    again = fire.send("POST", url, body, headers=key)
    check(first.status_code == 200, "the system acknowledges", first)
    check(first.content == again.content and first.status_code == again.status_code, "not the first answer", again)
    other = fire.send("POST", url, body | {"reader": "Li Na"}, headers=key)
    check(other.status_code == 422 and other.json()["code"] == "key_reused", "a key for another request", other)
    city.person("health", "duty_officer").do("assignment", parts["health"], "acknowledge", {"version": 1})
    declined = city.person("transport", "duty_officer").do(
        "assignment", parts["transport"], "decline",
        {"reason": "The road is the district's.", "suggested": city.id("jw-transport")},
    )  # fmt: skip
    check(declined["state"] == "declined", "not declined")


def reassign(city: City, parts: dict[str, int], instruction: int) -> None:
    """The issuer gives the declined part to the suggested department."""
    officer = city.person("city", "duty_officer")
    officer.do("assignment", parts["transport"], "reassign", {"department": city.id("jw-transport")})
    seen, _etag = officer.see("instructions_show", instruction_id=instruction)
    parts["jw-transport"] = part_of(seen, city.id("jw-transport"))
    city.person("jw-transport", "duty_officer").do("assignment", parts["jw-transport"], "acknowledge", {"version": 1})
    handed, _etag = officer.see("assignments_show", assignment_id=parts["transport"])
    check(handed["state"] == "cancelled", f"the decliner is free once the successor acknowledges: {handed['state']}")


def delegate(city: City, parts: dict[str, int], incident: int) -> None:
    """The lead hands a part to its brigade in the district; the child runs its own loop.

    The brigade stands below the district, not below the corps, so command brings it onto the incident first.
    """
    fire, district = city.person("fire", "duty_officer"), city.person("jw-fire", "duty_officer")
    invited = {"department": city.id("jw-fire"), "role": "support"}
    city.person("city", "commander").call("participations_invite", invited, status=201, incident_id=incident)
    child = fire.do(
        "assignment", parts["fire"], "delegate",
        {
            "headline_zh": "冷却三号罐", "headline_en": "Cool tank 3", "text": "Cool tank 3.", "what": "tank 3",
            "place": "Tank 3", "urgency": "urgent", "due_at": SOONER,
            "targets": [{"department": city.id("jw-fire"), "role": "lead"}],
        },
    )  # fmt: skip
    state = child["state"]
    if state == "draft":
        state = fire.do("instruction", child["id"], "submit")["state"]
    if state == "in_approval":
        city.person("fire", "approver").do("instruction", child["id"], "approve", {})
    issued = fire.do("instruction", child["id"], "issue")
    below = part_of(issued, city.id("jw-fire"))
    district.do("assignment", below, "acknowledge", {"version": 1})
    district.do("assignment", below, "start", {"who_goes": "Platoon 2"})
    district.do(
        "assignment", below, "feedback", {"version": 1, "percent": 100, "text": "Tank 3 is cool.", "final": True}
    )
    fire.do("assignment", below, "evaluate", {"accepted": True, "outcome": grade(fire)})


def grade(party: Party) -> str:
    """Return the first outcome grade there is."""
    return str(party.call("codes_list", table="outcome_grade")["items"][0]["code"])


def finish(city: City, parts: dict[str, int], instruction: int) -> None:
    """Progress, feedback with a photo, return for rework, acceptance; supports likewise; all closes."""
    officer, fire = city.person("city", "duty_officer"), city.person("fire", "duty_officer")
    fire.do("assignment", parts["fire"], "start", {"who_goes": "Two companies"})
    city.system("fire").do(
        "assignment",
        parts["fire"],
        "feedback",
        {"version": 1, "percent": 40, "text": "Two of five cooled.", "reader": "Zhang Wei"},
    )
    wrong = officer.send(
        "POST",
        f"/api/v1/assignments/{parts['fire']}/evaluate",
        {"accepted": True},
        headers=_match(officer, parts["fire"]),
    )
    check(wrong.status_code == 409, "a wrong move is 409", wrong)
    check(wrong.json()["state"] == "in_progress" and "allowed" in wrong.json(), "it says the state", wrong)
    for code in ("health", "jw-transport"):
        person = city.person(code, "duty_officer")
        person.do("assignment", parts[code], "start", {"who_goes": "Team 1"})
        final(person, parts[code], "Done on our side.", early=True)
        officer.do("assignment", parts[code], "evaluate", {"accepted": True, "outcome": grade(officer)})
    final(fire, parts["fire"], "All tanks cooled.")
    returned = officer.do(
        "assignment", parts["fire"], "evaluate", {"accepted": False, "reason": "Show gate 3 too.", "new_due": LATER}
    )
    check(returned["state"] == "in_progress", "returned for rework")
    final(fire, parts["fire"], "Gate 3 is clear, see the photo.")
    done = officer.do("assignment", parts["fire"], "evaluate", {"accepted": True, "outcome": grade(officer)})
    check(done["state"] == "closed", f"the lead's part closes: {done['state']}")
    seen, _etag = officer.see("instructions_show", instruction_id=instruction)
    check(seen["state"] == "closed" and seen["percent"] == 100, f"the instruction closes: {seen['state']}")


def final(party: Party, assignment: int, text: str, *, early: bool = False) -> None:
    """Hand the work in with a photo."""
    method, url = party.api.url("attachments_upload")
    upload = party.send(method, url, files={"file": ("site.png", photo(), "image/png")})
    check(upload.status_code == 201, f"{party.name}: upload", upload)
    body = {"version": 1, "percent": 100, "text": text, "final": True, "attachments": [upload.json()["id"]]}
    if early:
        body["early_reason"] = "Our part does not wait for the others."
    after = party.do("assignment", assignment, "feedback", body)
    files = after["feedback"][-1]["attachments"] or after["feedback"][0]["attachments"]
    check(files, "the photo hangs on the feedback")
    content = party.send("GET", files[0]["href"])
    check(content.status_code == 200 and content.headers["X-Content-Type-Options"] == "nosniff", "the photo", content)


def _match(party: Party, assignment: int) -> dict[str, str]:
    return {"If-Match": party.see("assignments_show", assignment_id=assignment)[1]}


def strangers_see_nothing(city: City, incident: int, instruction: int, parts: dict[str, int]) -> None:
    """A foreign object answers byte for byte like an absent one."""
    stranger = city.person("linwan", "duty_officer")
    for operation, name, foreign in (
        ("incidents_show", "incident_id", incident),
        ("instructions_show", "instruction_id", instruction),
        ("assignments_show", "assignment_id", parts["fire"]),
    ):
        same = {"X-Request-ID": "scenario-request"}
        hidden = stranger.send(*stranger.api.url(operation, **{name: foreign}), headers=same)
        absent = stranger.send(*stranger.api.url(operation, **{name: 999_999_999}), headers=same)
        check(hidden.status_code == absent.status_code == 404, "hidden is 404", hidden)
        check(hidden.content == absent.content, "hidden and absent differ", hidden)
        left = [{name: one.headers[name] for name in set(one.headers) - ROUND} for one in (hidden, absent)]
        check(left[0] == left[1], f"headers differ: {left}")
    listed = stranger.call("instructions_list")["items"]
    check(all(one["id"] != instruction for one in listed), "a stranger's list shows it")


def ledger_adds_up(city: City, parts: dict[str, int]) -> None:
    """Every second is charged to exactly one party: no gap, no overlap."""
    officer = city.person("city", "duty_officer")
    rows = officer.call("assignments_ledger", assignment_id=parts["fire"])["items"]
    check(rows, "an empty ledger")
    check(all(one["end"] == two["start"] for one, two in zip(rows, rows[1:], strict=False)), "a gap in the ledger")


def run(accounts_path: str, schema_url: str) -> int:
    """Play the whole scenario and return how many log entries it left.

    Raises `NotAsPromisedError` at the first thing that is not as promised.
    """
    api = Api(schema_url)
    city = City(api, json.loads(Path(accounts_path).read_text(encoding="utf-8")))
    try:
        return play(city)
    finally:
        city.close()


def play(city: City) -> int:
    """Open the incident and follow its instruction to the end; return the length of its stream."""
    incident = open_incident(city)
    issued = draft_and_issue(city, incident)
    parts = {code: part_of(issued, city.id(code)) for code in ("fire", "health", "transport")}
    acknowledge(city, parts)
    reassign(city, parts, issued["id"])
    delegate(city, parts, incident)
    finish(city, parts, issued["id"])
    strangers_see_nothing(city, incident, issued["id"], parts)
    ledger_adds_up(city, parts)
    entries = city.person("city", "commander").call("streams_entries", stream=f"incident:{incident}")
    check([one["seq"] for one in entries["items"]] == list(range(1, len(entries["items"]) + 1)), "a gap in the stream")
    return len(entries["items"])


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        run(sys.argv[1], sys.argv[2])
        print("as promised")
    except NotAsPromisedError as error:
        sys.exit(f"not as promised: {error}")
