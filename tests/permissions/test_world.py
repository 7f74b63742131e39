"""Does the small city stand?"""

from __future__ import annotations

from tests.permissions.world import World


def test_everybody_sees_what_is_theirs(world: World) -> None:
    path = f"/api/v1/incidents/{world.ids['incident_id']}"
    seen = {
        name: client.get(path, headers=world.headers.get(name)).status_code for name, client in world.clients.items()
    }
    assert seen["anonymous"] == 401
    assert seen["expired"] == 401
    assert seen["centre/commander"] == 200
    assert seen["fire/duty_officer"] == 200
    assert seen["fire/client"] == 200
    assert {seen[name] for name in seen if name.startswith("water/")} == {404}
