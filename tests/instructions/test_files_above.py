"""Does a file stay with those who may read its class, also where a department above its owner asks?"""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from coordination.events.refused import NotFound
from incidents import actions, queries
from incidents.models import Attachment
from sharing import access
from tests.instructions.world import World

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("level", "open_above"), [(2, True), (3, False)])
def test_a_file_is_read_above_its_department_up_to_the_ceiling_there(
    world: World, settings: Any, tmp_path: Any, level: int, open_above: bool
) -> None:
    settings.MEDIA_ROOT = tmp_path
    fire, above = world.who("fire"), world.who("city.observer")
    file = actions.attach(actor=fire, now=world.now, file=SimpleUploadedFile("a.txt", b"names"))
    actions.add_log(
        actor=fire, now=world.now, incident_id=world.incident.pk, text="x", classification=level,
        attachment_ids=[file.pk],
    )
    row = Attachment.everything.get(pk=file.pk)
    for who, sees in ((fire, True), (above, open_above)):
        assert access.decide(who, "view", row, at=world.now).seen is sees
        assert access.scope(who, Attachment, at=world.now).filter(pk=file.pk).exists() is sees
    if not open_above:
        with pytest.raises(NotFound):
            queries.attachment_file(actor=above, attachment_id=file.pk, now=world.now)
