"""Which Chromium do the tests drive, and how is it started?"""

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def program() -> str:
    """Return the path of a Chromium, "" where there is none."""
    named = os.environ.get("MUSTER_CHROMIUM", "")
    return named if named and os.access(named, os.X_OK) else next(filter(None, map(shutil.which, NAMES)), "")


def arguments() -> list[str]:
    """Return what it is started with: no sandbox where we are root, little memory where containers give little."""
    root = ["--no-sandbox"] if os.getuid() == 0 else []
    return [*root, "--disable-dev-shm-usage", "--disable-gpu", "--force-color-profile=srgb"]
