"""Does the house still stand as it was drawn? Runs every guard, shows what each found, ends with 1 if any did.

Usage: python .ci/check.py [name …]
"""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
PYTHON = sys.executable
TYPED = ("actions", "queries", "states")
ROOMS = ("accounts", "incidents", "coordination", "sharing")
PRODUCTION = {
    "MUSTER_PROCESS": "command",
    "MUSTER_PLAIN_HTTP": "0",
    "MUSTER_SECRET_KEY": "a key of more than fifty letters, made for this check and for nothing else",
    "MUSTER_HOSTS": "muster.example",
    "MUSTER_ORIGINS": "https://muster.example",
}


def typed_files() -> list[str]:
    """Return what mypy reads strictly: the writes, the reads, the moves, the log and who may see what."""
    found: set[Path] = set()
    for room in ROOMS:
        for name in TYPED:
            found.update(ROOT.glob(f"{room}/**/{name}.py"))
            found.update(ROOT.glob(f"{room}/**/{name}/*.py"))
    for folder in ("coordination/events", "sharing/access"):
        found.update((ROOT / folder).rglob("*.py"))
    return sorted(str(path.relative_to(ROOT)) for path in found if "migrations" not in path.parts)


def guards() -> dict[str, tuple[list[str], dict[str, str]]]:
    """Return every guard: its name, its command, what it needs in the environment."""
    manage = [PYTHON, "manage.py"]
    return {
        "storeys": ([str(BIN / "lint-imports")], {}),
        "style": ([str(BIN / "ruff"), "check", "--output-format", "concise", "."], {}),
        "house": ([PYTHON, ".ci/house.py"], {}),
        "assets": ([PYTHON, ".ci/vendor.py", "--check"], {}),
        "translations": ([PYTHON, ".ci/messages.py", "--check"], {}),
        "migrations": ([*manage, "makemigrations", "--check", "--dry-run"], {}),
        "locks": ([PYTHON, ".ci/migrations.py"], {}),
        "deployment": ([*manage, "check", "--deploy", "--fail-level", "WARNING"], PRODUCTION),
        "description": ([PYTHON, ".ci/openapi.py"], {}),
        "operations": ([PYTHON, ".ci/operations.py"], {}),
        "types": ([str(BIN / "mypy"), "--no-error-summary", *typed_files()], {}),
    }


def main(wanted: list[str]) -> int:
    """Run the guards, or those named."""
    failed = []
    for name, (command, more) in guards().items():
        if wanted and name not in wanted:
            continue
        began = time.monotonic()
        result = subprocess.run(
            command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT), **more}, capture_output=True, text=True, check=False
        )
        good = result.returncode == 0
        print(f"{'ok  ' if good else 'FAIL'} {name:14} {time.monotonic() - began:5.1f} s", flush=True)
        if not good:
            failed.append(name)
            print((result.stdout + result.stderr).strip()[-12_000:], flush=True)
    if failed:
        print(f"\nnot passed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
