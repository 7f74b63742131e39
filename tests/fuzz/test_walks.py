"""Does the API answer without a fault whatever its own description lets one send, and wherever its links lead?"""

from __future__ import annotations

from typing import Any

import requests
from schemathesis.core.transport import Response

from coordination.screens.api import description
from tests import drawing
from tests.fuzz import walking
from tests.permissions.world import World

WALKS, STEPS = 22, 8


def through(world: World, who: str) -> walking.Send:
    """Send by the test's own client: no server, and everything is rolled back."""
    client = world.clients[who]

    def send(request: requests.PreparedRequest) -> Response:
        body: Any = request.body or b""
        raw = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else bytes(body)
        named = {
            name: value if isinstance(value, str) else value.decode("latin-1")
            for name, value in request.headers.items()
            if name.lower() not in ("content-type", "content-length")
        }
        kind = request.headers.get("Content-Type", "")
        kind = kind if isinstance(kind, str) else kind.decode("latin-1")
        answer = client.generic(request.method, request.path_url, raw, content_type=kind, headers=named)
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        return walking.answer_of(request, answer.status_code, dict(answer.items()), content)

    return send


def test_walks_along_the_links_meet_no_fault(world: World) -> None:
    document = description.document()
    sent = walking.walk(
        document, through(world, "centre/commander"), seed=int(drawing.seed()), walks=WALKS, steps=STEPS
    )
    assert sent > WALKS


def test_the_links_lead_from_what_is_made_to_each_thing_that_can_be_done_with_it() -> None:
    document = description.document()
    made = document["paths"]["/api/v1/instructions"]["post"]["responses"]["201"]["links"]
    shown = document["paths"]["/api/v1/instructions/{instruction_id}"]["get"]["responses"]["200"]["links"]
    assert {"instructions_show", "instructions_submit", "instructions_issue", "instructions_cancel"} <= set(made)
    assert made == shown
    issue = document["components"]["links"]["instructions_issue_by_id"]
    assert issue["parameters"] == {
        "path.instruction_id": "$response.body#/id", "header.If-Match": "$response.header.ETag",
    }  # fmt: skip
    ids = {one["operationId"] for methods in document["paths"].values() for one in methods.values()}
    assert {link["operationId"] for link in document["components"]["links"].values()} <= ids
