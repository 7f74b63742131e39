"""Is the log, or a bundle of it, the one that was written?"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from psycopg2 import Error

from coordination.config import patience
from coordination.events.sealing import anchoring, anchors, bundle, proof
from coordination.events.sealing.verify import verify

NOT_PROVEN = 2


class Command(BaseCommand):
    """Name what was changed: content, gap, fork, anchor, unsealed.

    Ends with 0 (proven), 1 (something was changed) or 2 (nothing was found changed, but not all could be proven).
    """

    help = __doc__ or ""
    requires_system_checks = ()  # a bundle is proven where there is no database

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What is verified, and against what."""
        parser.add_argument("--stream", help="this chain only (incident:5, department:3, system, access-log)")
        parser.add_argument("--since-anchor", action="store_true", help="believe the newest anchor, read what followed")
        parser.add_argument("--anchors", type=Path, metavar="FILE", help="compare with the anchors that a witness kept")
        parser.add_argument("--bundle", type=Path, metavar="FILE", help="what export_log wrote; needs no database")
        parser.add_argument("--key", type=Path, metavar="FILE", help="public keys, one a line; without: our own")
        parser.add_argument("--show-key", action="store_true", help="print the public key, for who verifies elsewhere")

    def handle(self, *args: Any, **options: Any) -> None:
        """Verify, say what was found, end with the code."""
        try:
            keys = self._keys(options["key"])
            if options["show_key"]:
                self.stdout.write("\n".join(anchors.raw(key).hex() for key in keys))
                return
            report = self._bundle(options["bundle"], keys) if options["bundle"] else self._log(keys, options)
        except (anchors.BadKey, bundle.NoBundle, OSError, DatabaseError, Error) as error:
            raise CommandError(str(error).strip(), returncode=NOT_PROVEN) from error
        for found in report.findings:
            self.stdout.write(str(found))
        more = sum(report.counts.values()) - len(report.findings)
        if more:
            self.stdout.write(f"and {more} more")
        word = {0: "proven", 1: "CHANGED", NOT_PROVEN: "not all is proven"}[report.exit]
        fresh = f", {report.fresh} too young to be sealed" if report.fresh else ""
        self.stdout.write(f"{word}: {report.entries} entries in {len(report.heads)} chains{fresh}")
        self.stdout.flush()
        if report.exit:
            sys.exit(report.exit)

    def _keys(self, path: Path | None) -> list[Ed25519PublicKey]:
        if path is None:
            return anchoring.public_keys()
        return [anchors.public(line, str(path)) for line in path.read_text().split()]

    def _bundle(self, path: Path, keys: list[Ed25519PublicKey]) -> proof.Report:
        if not keys:
            raise CommandError("a bundle is proven by a key: --key FILE", returncode=NOT_PROVEN)
        return bundle.verify(path, keys)

    def _log(self, keys: list[Ed25519PublicKey], options: dict[str, Any]) -> proof.Report:
        patience.install(None)  # the log is read whole: that takes as long as it takes
        connection.ensure_connection()
        witness = _witnessed(options["anchors"]) if options["anchors"] else ()
        if options["anchors"] and next(_witnessed(options["anchors"]), None) is None:
            raise CommandError(f"{options['anchors']} holds no anchor", returncode=NOT_PROVEN)
        report = verify(
            connection.connection, stream=options["stream"], since_anchor=options["since_anchor"], keys=keys,
            witness=witness,
        )  # fmt: skip
        nothing = not report.entries and not report.findings  # of a chain that is gone, anchors still tell
        if options["stream"] and nothing and not (options["since_anchor"] and _is_there(options["stream"])):
            raise CommandError(f"there is no chain {options['stream']}", returncode=NOT_PROVEN)
        return report


def _is_there(stream: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM events_sealhead WHERE stream = %s)", [stream])
        found: bool = cursor.fetchone()[0]
    return found


def _witnessed(path: Path) -> Iterator[anchors.Signed]:
    """The anchors of a witness's file. A line that a power cut tore is passed over: its anchor was written again."""
    with path.open("rb") as file:
        for line in file:
            try:
                yield anchors.read(orjson.loads(line))
            except (ValueError, KeyError, TypeError):
                continue
