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
SCRIPTS = ROOT / "static" / "js"
ENTRY = re.compile(r"""<script src="\{% static "js/([\w-]+\.js)" %\}""")
IMPORT = re.compile(r"""(?:^import (?:.* from )?|\bimport\()"\./([\w-]+\.js)\"""", re.MULTILINE)
MOST = 20_480
"""Bytes of Muster's own scripts, compressed, that any page may load."""
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


def entries(page: Path) -> set[str]:
    """The own scripts that a page names, with those of the page that it extends."""
    text = page.read_text()
    above = re.match(r"""\{% extends "([^"]+)" %\}""", text)
    return set(ENTRY.findall(text)) | (entries(ROOT / "templates" / above[1]) if above else set())


def bundle(page: Path) -> set[Path]:
    """Every own script that a browser loads for a page: those it names, and what they import, to the last."""
    found: set[Path] = set()
    waiting = [SCRIPTS / name for name in entries(page)]
    while waiting:
        script = waiting.pop()
        if script not in found:
            found.add(script)
            waiting += [SCRIPTS / name for name in IMPORT.findall(script.read_text())]
    if SCRIPTS / "worker.js" in found:
        found.add(ROOT / "templates" / "offline" / "sw.js")
    return found


def test_the_bundles_are_those_one_thinks() -> None:
    def loaded(page: str) -> set[str]:
        return {path.name for path in bundle(ROOT / "templates" / page)}

    every = loaded("base.html")
    assert every == {
        "acts.js", "boot.js", "clock.js", "countdown.js", "drafts.js", "frame.js", "keys.js", "live.js",
        "main.js", "regions.js", "store.js", "sw.js", "theme.js", "words.js", "worker.js",
    }  # fmt: skip
    assert loaded("desk/page.html") == every | {"alerts.js"}
    assert loaded("instructions/page.html") == every | {"photos.js"}
    assert loaded("room/map.html") == every | {"map.js"}
    assert loaded("wall/pair.html") == {"pair.js"}
    assert {"wall.js", "map.js", "live.js", "sw.js"} <= loaded("wall/wall.html")
    assert {path.name for page in TEMPLATES for path in bundle(page)} == {path.name for path in MODULES} | {"sw.js"}


@pytest.mark.parametrize("page", [page for page in TEMPLATES if entries(page)], ids=lambda page: page.stem)
def test_no_page_loads_much_of_our_own_script(page: Path) -> None:
    assert 0 < sum(len(gzip.compress(path.read_bytes(), 9)) for path in bundle(page)) <= MOST


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_templates_hold_no_inline_code(path: Path) -> None:
    """S1, S13: templates hold no inline code."""
    found = INLINE.search(path.read_text())
    assert found is None, found
