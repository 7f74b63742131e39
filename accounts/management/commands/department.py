"""How does the first department come about, and any other that none stands above?"""

from __future__ import annotations

import re
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import actions
from coordination.events import clock
from coordination.events.actor import SYSTEM
from coordination.events.refused import Refused

SLUG = re.compile(r"[A-Za-z0-9_-]{1,40}")
LONGEST = {"name_zh": 80, "name_en": 120, "short_zh": 6, "short_en": 14, "region": 12}


class Command(BaseCommand):
    """Make a department without one above it; those below it are made by its administrators, on its page."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Its code, and what it is called."""
        parser.add_argument("code", help="short and for good: city")
        parser.add_argument("--kind", default="command_centre", help="command_centre, bureau, district, ministry, …")
        parser.add_argument("--name-zh", required=True)
        parser.add_argument("--name-en", required=True)
        parser.add_argument("--short-zh", default="", help="where there is little room; else its name's beginning")
        parser.add_argument("--short-en", default="")
        parser.add_argument("--region", default="", help="code of its region (GB/T 2260): 310000")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it; print its code."""
        for name, most in LONGEST.items():
            if len(options[name]) > most:
                raise CommandError(f"--{name.replace('_', '-')} has at most {most} characters.")
        if not SLUG.fullmatch(options["code"]):
            raise CommandError("A code has letters, digits, - and _, at most 40.")
        try:
            made = actions.add_department(
                actor=SYSTEM, now=clock.now(), code=options["code"], kind=options["kind"],
                name_zh=options["name_zh"], name_en=options["name_en"],
                short_zh=options["short_zh"] or options["name_zh"][:6],
                short_en=options["short_en"] or options["name_en"][:14],
                region_code=options["region"],
            )
        except Refused as refused:
            raise CommandError(str(refused.message)) from None
        self.stdout.write(made.code)
