"""How is a part of the log handed to somebody who must be able to prove it?"""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from coordination.config import patience
from coordination.events import clock
from coordination.events.sealing import anchoring, anchors, bundle


class Command(BaseCommand):
    """Write a bundle of the log: sealed lines, their seals, the anchors above them. `verify_log --bundle` proves it."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What goes into it."""
        parser.add_argument("file", type=Path, help="the bundle to write; must not be there")
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--incident", type=int, help="everything about this incident")
        which.add_argument("--stream", help="this chain only (incident:5, department:3, system)")
        parser.add_argument("--from", dest="begin", help="from this moment on (ISO 8601)")
        parser.add_argument("--to", dest="end", help="until before this moment")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write it."""
        begin, end = _moment(options["begin"]), _moment(options["end"])
        if options["incident"] is not None:
            asked = bundle.Asked.of_incident(options["incident"], begin, end)
        else:
            asked = bundle.Asked((options["stream"],) if options["stream"] else None, begin, end)
        path: Path = options["file"]
        if path.exists():
            raise CommandError(f"{path} is there already")
        patience.install(None)  # it takes as long as it takes
        try:
            key = anchoring.key()
            if key is None:
                raise CommandError("there is no key to sign it with (MUSTER_ANCHOR_KEY)")
            count = bundle.export(path, asked, key, clock.now())
        except (anchors.BadKey, bundle.NoBundle, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{path}: {count} lines of the log")


def _moment(said: str | None) -> datetime | None:
    if said is None:
        return None
    try:
        found = parse_datetime(said)
        if found is None and (day := parse_date(said)) is not None:
            found = datetime(day.year, day.month, day.day)
    except ValueError:
        found = None
    if found is None:
        raise CommandError(f"{said} is no moment: 2026-11-20T14:00:00+08:00")
    return found if timezone.is_aware(found) else timezone.make_aware(found)
