"""Is there a Chromium for the tests that drive one? Looks, installs where the system allows it, else says so."""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def found() -> str:
    """Return the path of a Chromium, "" when there is none."""
    named = os.environ.get("MUSTER_CHROMIUM", "")
    return named if named and os.access(named, os.X_OK) else next(filter(None, map(shutil.which, NAMES)), "")


def install() -> bool:
    """Try the system's package manager, which needs root (or sudo without a password)."""
    if not shutil.which("apt-get"):
        return False
    prefix = [] if os.getuid() == 0 else ["sudo", "-n"]
    if prefix and not shutil.which("sudo"):
        return False
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    packages = ["chromium", "fonts-noto-cjk"]
    for command in (["apt-get", "-qq", "update"], ["apt-get", "-qq", "-y", "install", "--no-install-recommends", *packages]):
        result = subprocess.run([*prefix, *command], env=environment, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            print(result.stderr.strip()[-400:], file=sys.stderr)
            return False
    return True


def main() -> int:
    """Always 0: the tests' summary names what was left out for want of a browser."""
    if found():
        return 0
    print("no Chromium; trying the system's package manager", file=sys.stderr)
    if not install() or not found():
        print("Chromium could not be installed: the tests that drive a browser will be named as left out.\n"
              "Install it yourself (apt-get install chromium fonts-noto-cjk) or set MUSTER_CHROMIUM.", file=sys.stderr)  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
