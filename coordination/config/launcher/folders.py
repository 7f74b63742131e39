"""Where does an instance keep its data, its sockets, its logs and its secrets?"""

import contextlib
import hashlib
import os
import pwd
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
SOCKET_PATH_LIMIT = 107  # bytes of sun_path, less the closing zero (Linux; macOS has 103)
PRIVATE = 0o700


class FolderProblem(RuntimeError):
    """A folder that cannot be trusted or used; the message says what to do."""


@dataclass(frozen=True)
class Instance:
    """One independent set of processes: everything it owns lies in ``folder`` and in its short ``run`` folder."""

    folder: Path

    @property
    def run(self) -> Path:
        """The short folder of sockets: socket paths may have 107 bytes, a repository's path may have more."""
        base = Path(os.environ.get("MUSTER_RUN_BASE") or tempfile.gettempdir())
        return base / f"muster-{os.getuid()}-{self.token}"

    @property
    def token(self) -> str:
        """A short name made of the folder's path."""
        return hashlib.sha256(str(self.folder.absolute()).encode()).hexdigest()[:10]

    @property
    def logs(self) -> Path:
        """Logs of every process, rotated."""
        return self.folder / "logs"

    @property
    def secrets(self) -> Path:
        """Keys made once, 0600."""
        return self.folder / "secrets.json"

    @property
    def files(self) -> Path:
        """Attachments."""
        return self.folder / "files"

    @property
    def postgres_run(self) -> Path:
        """The folder of PostgreSQL's socket: beside ``run``, because it may belong to another user."""
        return self.run.with_name(self.run.name + "-pg")

    @property
    def redis_socket(self) -> Path:
        """Redis's socket."""
        return self.run / "redis" / "s"

    @property
    def supervisor_socket(self) -> Path:
        """Supervisor's control socket."""
        return self.run / "sup"

    @property
    def redis_data(self) -> Path:
        """Redis's append-only file."""
        return self.folder / "redis"

    @property
    def postgres_data(self) -> Path:
        """PostgreSQL's data: in ``folder``, or where its own user can reach it when we are root."""
        if os.getuid() != 0:
            return self.folder / "postgres"
        if reachable(self.folder):
            return self.folder.with_name(self.folder.name + "-postgres")
        return Path("/var/lib") / f"muster-{self.token}-postgres"


def development() -> Instance:
    """Return the instance that tests and ``manage.py`` use while nobody says otherwise."""
    return Instance(Path(os.environ.get("MUSTER_DEV_FOLDER") or REPOSITORY / "var" / "dev"))


def reachable(folder: Path) -> bool:
    """Say whether any user may pass through every parent of ``folder`` (we never loosen a parent)."""
    for parent in folder.absolute().parents:
        if parent.exists() and not parent.stat().st_mode & stat.S_IXOTH:
            return False
    return True


def private(folder: Path, *, owner: int | None = None) -> Path:
    """Make ``folder`` with mode 0700 and return it; refuse a symbolic link or a folder of somebody else."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=PRIVATE)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise FolderProblem(f"{folder} is not a folder (a link is not followed); remove it")
    allowed = {os.getuid()} | ({owner} if owner is not None else set())
    if found.st_uid not in allowed:
        raise FolderProblem(f"{folder} belongs to user {found.st_uid}; remove it or choose another folder")
    if owner is not None and found.st_uid != owner:
        os.chown(folder, owner, -1)
    if stat.S_IMODE(found.st_mode) != PRIVATE:
        folder.chmod(PRIVATE)
    return folder


def check_socket_path(path: Path) -> Path:
    """Return ``path`` if a socket can have it; the kernel cuts off nothing, it refuses."""
    if len(os.fsencode(path)) > SOCKET_PATH_LIMIT:
        raise FolderProblem(f"the socket path {path} is too long; set MUSTER_RUN_BASE to a shorter folder (/tmp)")
    return path


def unprivileged() -> pwd.struct_passwd | None:
    """Return the user PostgreSQL runs as when we are root (it refuses root), None when we are not.

    Raises FolderProblem when there is no such user; ``MUSTER_POSTGRES_USER`` names another.
    """
    if os.getuid() != 0:
        return None
    name = os.environ.get("MUSTER_POSTGRES_USER", "nobody")
    try:
        return pwd.getpwnam(name)
    except KeyError as error:
        raise FolderProblem(
            f"PostgreSQL does not run as root and there is no user {name}: add one (useradd -r {name}), "
            "or start as an ordinary user"
        ) from error
