"""Where does an instance keep its data, its sockets, its logs and its secrets?"""

import contextlib
import hashlib
import os
import pwd
import shlex
import shutil
import stat
import tempfile
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from coordination.config.launcher.words import Refusal, noted
from coordination.config.launcher.words import gettext as _

REPOSITORY = Path(__file__).resolve().parents[3]
SOCKET_PATH_LIMIT = 107  # bytes of sun_path, less the closing zero (Linux; macOS has 103)
PRIVATE = 0o700


class FolderProblem(Refusal):
    """A folder, key, port or setting that cannot be trusted or used."""


@dataclass(frozen=True)
class Instance:
    """One independent set of processes: everything it owns lies in ``folder`` and in its short ``run`` folder."""

    folder: Path

    @property
    def run(self) -> Path:
        """The short folder of sockets: socket paths may have 107 bytes, a repository's path may have more."""
        return run_base() / f"muster-{os.getuid()}-{self.token}"

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
    def ballast(self) -> Path:
        """Room kept aside for the hour when the disk is full."""
        return self.folder / "ballast"

    @property
    def last_refusal(self) -> Path:
        """What the last start that was refused said."""
        return self.folder / "last-refusal.json"

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


def run_base() -> Path:
    """Where the short folders of sockets are made."""
    return Path(os.environ.get("MUSTER_RUN_BASE") or tempfile.gettempdir())


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
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise FolderProblem(_("%s is not a folder.") % error.filename, move_aside(error.filename)) from error
    except PermissionError as error:
        raise FolderProblem(
            _("%s cannot be made: this user may not write there.") % folder, _("choose another folder with --folder")
        ) from error
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=PRIVATE)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise FolderProblem(_("%s is not a folder (a link is not followed).") % folder, move_aside(folder))
    allowed = {os.getuid()} | ({owner} if owner is not None else set())
    if found.st_uid not in allowed:
        raise FolderProblem(
            _("%(folder)s belongs to another user (%(user)s).") % {"folder": folder, "user": name_of(found.st_uid)},
            _of_another(folder, found.st_uid, owner),
        )
    if owner is not None and found.st_uid != owner:
        os.chown(folder, owner, -1)
    if stat.S_IMODE(found.st_mode) != PRIVATE:
        folder.chmod(PRIVATE)
    return folder


def name_of(user: int) -> str:
    """Return the name of a user by number, the number where it has none."""
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


def _of_another(folder: Path, user: int, owner: int | None) -> str:
    """Say what to do about a folder of ``user``: a folder of sockets is moved away, never one that holds data."""
    if folder.parent == run_base():
        return move_aside(folder)
    if owner is not None:
        return f"--user {name_of(user)}"
    return _("start it as that user, or choose another folder with --folder")


def emptied(folder: Path) -> Path:
    """Remove whatever lies in a private folder of sockets that nobody uses, and return it."""
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    return folder


def quoted(path: Path | str) -> str:
    """Return a path as a shell takes it."""
    return shlex.quote(str(path))


def move_aside(path: Path | str) -> str:
    """Return the command that moves away what is in the way, to a name that nothing moved earlier has."""
    names = (f"{path}.old{'' if n == 1 else f'-{n}'}" for n in count(1))
    return f"mv {quoted(path)} {quoted(next(name for name in names if not os.path.lexists(name)))}"


def check_socket_path(path: Path) -> Path:
    """Return ``path`` if a socket can have it; the kernel cuts off nothing, it refuses."""
    if len(os.fsencode(path)) > SOCKET_PATH_LIMIT:
        raise FolderProblem(
            _("The path of the socket %s is too long: a socket's may have 107 bytes.") % path,
            "export MUSTER_RUN_BASE=/tmp",
        )
    return path


def unprivileged() -> pwd.struct_passwd | None:
    """Return the user PostgreSQL runs as when we are root (it refuses root), None when we are not.

    Raises FolderProblem when there is no such user; ``MUSTER_POSTGRES_USER`` (``--user``) names another.
    """
    if os.getuid() != 0:
        return None
    name = os.environ.get("MUSTER_POSTGRES_USER", "nobody")
    try:
        found = pwd.getpwnam(name)
    except KeyError as error:
        raise FolderProblem(
            _("PostgreSQL does not run as root, and there is no user %s to run it.") % name,
            f"useradd --system {quoted(name)}",
        ) from error
    if found.pw_uid == 0:
        raise FolderProblem(
            _("PostgreSQL does not run as root, and %s is root by another name.") % name, "--user nobody"
        )
    return found


def ourselves() -> pwd.struct_passwd:
    """Return the user we are: PostgreSQL lets in by name, so that a number without a name cannot start it."""
    try:
        return pwd.getpwuid(os.getuid())
    except KeyError as error:
        number = os.getuid()
        line = f"muster:x:{number}:{os.getgid()}::/:/usr/sbin/nologin"
        raise FolderProblem(
            _("User %s has no name on this machine, and PostgreSQL lets in by name.") % number,
            noted(f"echo {quoted(line)} >> /etc/passwd", _("as root")),
        ) from error
