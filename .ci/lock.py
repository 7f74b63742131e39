"""Which exact packages are installed? Works out the locks from pyproject.toml: hashes, every Python, no index named.

Usage: python .ci/lock.py
"""

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
UV = "uv==0.13.8"
COMMON = ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url",
          "--no-emit-find-links", "--no-header", "--quiet", "--upgrade"]  # fmt: skip


def main() -> int:
    """Write requirements.lock (runtime) and requirements-test.lock (runtime and tests)."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        subprocess.run([f"{folder}/bin/pip", "install", "--quiet", "--only-binary", ":all:", UV], check=True)
        for arguments in (
            ["pyproject.toml", "-o", "requirements.lock"],
            ["pyproject.toml", "--group", "test", "-c", "requirements.lock", "-o", "requirements-test.lock"],
        ):
            subprocess.run(
                [f"{folder}/bin/uv", "pip", "compile", *COMMON, *arguments], check=True, cwd=ROOT, env=os.environ
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
