"""Does any reader of foreign input crash, hang or swell? ``make fuzz MINUTES=10`` (``ONLY=frames`` for one)

Each reader of `tests.fuzz.targets` runs in a process of its own for so many minutes. What it learned stays in
``var/fuzz/<name>/corpus``, so that the next run goes on from there; a crash is printed with the bytes that make it.
"""

from __future__ import annotations

import argparse
import base64
import importlib.util
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from coordination.config.launcher.folders import REPOSITORY

LOCK = Path(__file__).with_name("atheris.lock")
NAMES = ("frames", "json", "files", "names", "headers", "cursors", "words", "fields", "forms", "addresses")
SECONDS, MEGABYTES, LONGEST = 2, 768, 64 * 1024


def have_fuzzer() -> bool:
    """Whether atheris is here; it is installed where there is a wheel for this Python and machine."""
    if importlib.util.find_spec("atheris") is not None:
        return True
    install = [sys.executable, "-m", "pip", "install", "-q", "--require-hashes", "-r", str(LOCK)]
    if subprocess.run(install, check=False).returncode == 0:
        return True
    python = ".".join(map(str, sys.version_info[:2]))
    print(f"make fuzz needs atheris, and there is none for Python {python} on {os.uname().machine}.\n"
          "Use Linux on x86-64 with Python 3.11, 3.12 or 3.13, and access to the package index.")  # fmt: skip
    return False


def fuzz(name: str, minutes: float) -> bool:
    """Feed one reader for so long; return whether it stood."""
    folder = REPOSITORY / "var" / "fuzz" / name
    (folder / "corpus").mkdir(parents=True, exist_ok=True)
    _target(name, "--samples", str(folder / "corpus")).check_returncode()
    end, tried = time.monotonic() + minutes * 60, 0
    while (left := int(end - time.monotonic())) > 0:
        for old in _found(folder):
            old.unlink()
        run = _target(
            name, str(folder / "corpus"), f"-max_total_time={left}", f"-timeout={SECONDS}",
            f"-rss_limit_mb={MEGABYTES}", f"-max_len={LONGEST}", f"-artifact_prefix={folder}/", "-print_final_stats=1",
        )  # fmt: skip
        said = run.stdout + run.stderr
        tried += sum(int(one) for one in re.findall(r"number_of_executed_units:\s*(\d+)", said))
        if run.returncode and not _only_waited(name, folder):
            begins = max(said.find("Uncaught Python exception"), said.find("ERROR: libFuzzer"), 0)
            print(f"{name:10} FELL (exit {run.returncode}) after {tried} inputs\n{said[begins : begins + 4000]}")
            for path in _found(folder):
                print(f"again: {sys.executable} -m tests.fuzz.targets {name} {path}\n"
                      f"bytes: {base64.b64encode(path.read_bytes()).decode()[:4000]}")  # fmt: skip
            return False
    print(f"{name:10} stood {tried} inputs in {minutes:g} min", flush=True)
    return True


def _target(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a reader's process."""
    return subprocess.run(
        [sys.executable, "-m", "tests.fuzz.targets", *arguments], cwd=REPOSITORY, capture_output=True, text=True,
        errors="replace", check=False, env={**os.environ, "PYTHONHASHSEED": "0", "MUSTER_PLAIN_HTTP": "1"},
    )  # fmt: skip


def _found(folder: Path) -> list[Path]:
    """The inputs at which it fell."""
    return [path for path in sorted(folder.iterdir()) if path.name.split("-")[0] in ("crash", "timeout", "oom")]


def _only_waited(name: str, folder: Path) -> bool:
    """Whether all that was found took its time once and not again: it was the machine that had no time."""
    found = _found(folder)
    if not found or any(not path.name.startswith("timeout") for path in found):
        return False
    return all(_target(name, str(path), f"-timeout={SECONDS}").returncode == 0 for path in found)


def main() -> int:
    """Each reader in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", choices=[*NAMES, []])
    parser.add_argument("--minutes", type=float, default=10)
    given = parser.parse_args()
    if not have_fuzzer():
        return 69
    stood = [fuzz(name, given.minutes) for name in given.only or NAMES]
    return 0 if all(stood) else 1


if __name__ == "__main__":
    sys.exit(main())
