"""Are the files that pages are made of complete, unchanged, small, and without inline code?"""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "static" / "js").glob("*.js"))
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
OF_THE_WALL = {"pair.js", "wall.js", "wall-main.js"}
INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")|\sstyle=|\son[a-z]+=|<style|javascript:", re.IGNORECASE
)


def test_vendored_files_are_those_of_the_lock() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / ".ci" / "vendor.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_a_changed_vendored_file_is_noticed(tmp_path: Path) -> None:
    copy = tmp_path / "house"
    for part in ("static/vendor", "tests/vendor", ".ci"):
        subprocess.run(["mkdir", "-p", str(copy / part)], check=True)
        subprocess.run(["cp", "-r", f"{ROOT / part}/.", str(copy / part)], check=True)
    with (copy / "static/vendor/htmx-2.0.11/htmx.min.js").open("a") as file:
        file.write(";")
    (copy / "static/vendor/leaflet-1.9.4/extra.js").write_text("1")
    done = subprocess.run(
        [sys.executable, str(copy / ".ci" / "vendor.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "changed: static/vendor/htmx-2.0.11/htmx.min.js" in done.stdout
    assert "not in the lock: static/vendor/leaflet-1.9.4/extra.js" in done.stdout


def test_own_modules_are_small() -> None:
    size = sum(len(gzip.compress(path.read_bytes(), 9)) for path in MODULES if path.name not in OF_THE_WALL)
    assert 0 < size <= 20_480


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_templates_hold_no_inline_code(path: Path) -> None:
    found = INLINE.search(path.read_text())
    assert found is None, found
