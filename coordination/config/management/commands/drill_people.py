"""Who acts in a rehearsal of the restore?"""

from __future__ import annotations

import json
import secrets
from typing import Any

from django.core.management.base import BaseCommand

from accounts import actions as accounts
from coordination.events import clock
from coordination.events.actor import SYSTEM


class Command(BaseCommand):
    """Make two departments, an officer and a commander, and print how they sign in. For a restored copy alone."""

    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        """Make them and print one line of JSON."""
        now, mark = clock.now(), secrets.token_hex(4)
        departments: dict[str, Any] = {}
        for name, kind in (("issuer", "command_centre"), ("executor", "bureau")):
            departments[name] = accounts.add_department(
                actor=SYSTEM, now=now, code=f"drill-{name}-{mark}", kind=kind, name_zh=f"演练{mark}",
                name_en=f"Drill {mark}", short_zh="演练", short_en="Drill", region_code="",
                parent_id=departments["issuer"].pk if departments else None,
            )  # fmt: skip
        found: dict[str, Any] = {name: row.pk for name, row in departments.items()} | {"type": "accident.fire"}
        for name, post in (("officer", "duty_officer"), ("commander", "commander")):
            password = secrets.token_urlsafe(24)
            person = accounts.add_person(
                actor=SYSTEM, now=now, username=f"drill-{post}-{mark}", name_zh="演练", name_en="Drill",
                department_id=departments["issuer"].pk,
            )  # fmt: skip
            accounts.appoint(
                actor=SYSTEM, now=now, person_id=person.pk, department_id=departments["issuer"].pk, post=post
            )
            uid, _slash, token = accounts.link_for(actor=SYSTEM, now=now, person_id=person.pk).partition("/")
            accounts.set_password(actor=SYSTEM, now=now, uid=uid, token=token, password=password)
            found[name] = {
                "user": person.username, "password": password, "department": departments["issuer"].pk, "post": post,
            }  # fmt: skip
        self.stdout.write(json.dumps(found))
