"""Can whoever does not know a version's code find it by trying?"""

from __future__ import annotations

import pytest

from coordination.instructions.actions.acknowledging import WRONG_CODES, VoiceCodeSpent
from tests.instructions.world import World

pytestmark = pytest.mark.django_db


def test_after_five_wrong_codes_not_even_the_right_one_counts(world: World) -> None:
    order = world.issued()
    fire, police = world.on(order, "fire"), world.on(order, "police")
    call = {"speaker": "Wang", "number": "13900000000", "spoken_at": world.now, "version": 1}
    right = order.versions.get(n=1).voice_code
    wrong = "0000" if right != "0000" else "1111"
    for _n in range(3):  # without a code: kept, and no guess
        assert world.act("acknowledge_for", fire, "centre", **call).state == "issued"
    for _n in range(WRONG_CODES):
        assert world.act("acknowledge_for", fire, "centre", voice_code=wrong, **call).state == "issued"
    with pytest.raises(VoiceCodeSpent):
        world.act("acknowledge_for", fire, "centre.commander", voice_code=right, **call)
    assert world.act("acknowledge_for", fire, "centre", **call).state == "issued"
    assert world.act("acknowledge_for", police, "centre", voice_code=right, **call).state == "acknowledged"
    assert world.act("acknowledge", fire, "fire", version=1).state == "acknowledged"


def test_a_later_version_has_a_code_of_its_own(world: World) -> None:
    order = world.issued()
    fire = world.on(order, "fire")
    call = {"speaker": "Wang", "number": "13900000000", "spoken_at": world.now}
    for _n in range(WRONG_CODES):
        world.act("acknowledge_for", fire, "centre", voice_code="xxxx", version=1, **call)
    world.act("amend", order, "centre", change_note="Wind", place="Unit 5")
    world.act("approve", order, "centre.approver")
    world.act("issue", order, "centre")
    right = order.versions.get(n=2).voice_code
    assert world.act("acknowledge_for", fire, "centre", voice_code=right, version=2, **call).state == "acknowledged"
