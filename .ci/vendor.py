"""Which third-party browser files do we ship, and are they byte for byte what their authors published?

    python .ci/vendor.py             fetch every package of the lock anew, verify, strip, write files and NOTICE
    python .ci/vendor.py --check     re-hash the committed files; needs no network
    python .ci/vendor.py --accept    as the first, but writes down the hash of a package whose lock entry has none

Packages come by name and version through the npm client, from whatever registry it is configured with; the archive
must have the sha512 of the lock. `sourceMappingURL` comments are removed (the maps are not shipped, and a dangling
one breaks hashed static files). Only the standard library is used.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path, PurePosixPath
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "static" / "vendor" / "vendor.lock.json"
NOTICE = ROOT / "static" / "vendor" / "NOTICE"
SOURCE_MAP = re.compile(rb"\s*(?:/\*[#@]\s*sourceMappingURL=[^*]*\*/|//[#@]\s*sourceMappingURL=[^\n]*)\s*$")


def sha512(data: bytes) -> str:
    """The hash as the npm registry writes it: `sha512-` and base64."""
    return "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()


def folder(package: dict[str, Any]) -> Path:
    """Where the package's files live; packages for tests alone never reach `static/`."""
    base = ROOT / ("tests" if package.get("tests_only") else "static") / "vendor"
    return base / f"{package['name'].split('.')[0]}-{package['version']}"


def fetch(package: dict[str, Any], into: Path) -> Path:
    """The published archive of one package, by the npm client."""
    done = subprocess.run(
        ["npm", "pack", f"{package['name']}@{package['version']}", "--json", "--pack-destination", str(into)],
        check=True,
        capture_output=True,
        text=True,
        cwd=into,
    )
    return into / str(json.loads(done.stdout)[0]["filename"]).replace("@", "").replace("/", "-")


def strip(data: bytes, name: str) -> bytes:
    """The file without its source map comment; other kinds of file stay as published."""
    return SOURCE_MAP.sub(b"\n", data) if name.endswith((".js", ".css")) else data


def unpack(package: dict[str, Any], archive: Path) -> None:
    """Write the named members below `folder(package)` and note their hashes in the lock entry."""
    target = folder(package)
    with tarfile.open(archive) as tar:
        for name, entry in sorted(package["files"].items()):
            member = tar.extractfile(f"package/{entry['from']}")
            if member is None:
                raise SystemExit(f"{package['name']}: no member {entry['from']}")
            path = target / PurePosixPath(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            published = member.read()
            data = strip(published, name)
            path.write_bytes(data)
            entry["sha512"] = sha512(data)
            if data != published:
                entry["patch"] = "sourceMappingURL removed"


def update(lock: dict[str, Any], accept: bool) -> None:
    """Fetch, verify and write every package of the lock, then the lock itself and NOTICE."""
    for package in lock["packages"]:
        with tempfile.TemporaryDirectory() as tmp:
            archive = fetch(package, Path(tmp))
            found = sha512(archive.read_bytes())
            if not package.get("sha512") and accept:
                package["sha512"] = found
            if package.get("sha512") != found:
                raise SystemExit(f"{package['name']} {package['version']}: archive has {found}, not what the lock says")
            unpack(package, archive)
        print(f"{package['name']} {package['version']}: {len(package['files'])} files")
    LOCK.write_text(json.dumps(lock, indent=2) + "\n")
    NOTICE.write_text(notice(lock))


def notice(lock: dict[str, Any]) -> str:
    """The text that names every shipped package, its licence and its changes."""
    lines = ["Muster serves these third-party files; each folder holds the full licence text.", ""]
    for package in lock["packages"]:
        if not package.get("tests_only"):
            changed = sum("patch" in entry for entry in package["files"].values())
            note = f"; sourceMappingURL removed from {changed}" if changed else ""
            lines.append(f"{package['name']} {package['version']}: {package['licence']}, {package['by']}{note}")
    return "\n".join(lines) + "\n"


def check(lock: dict[str, Any]) -> list[str]:
    """What is wrong with the committed files: changed, missing or unlisted ones."""
    faults = []
    for package in lock["packages"]:
        base = folder(package)
        listed = {base / PurePosixPath(name): entry["sha512"] for name, entry in package["files"].items()}
        found = {path for path in base.rglob("*") if path.is_file()}
        faults += [f"missing: {path.relative_to(ROOT)}" for path in listed.keys() - found]
        faults += [f"not in the lock: {path.relative_to(ROOT)}" for path in found - listed.keys()]
        faults += [
            f"changed: {path.relative_to(ROOT)}"
            for path in sorted(listed.keys() & found)
            if sha512(path.read_bytes()) != listed[path]
        ]
    known = {folder(package) for package in lock["packages"]}
    for base in (ROOT / "static" / "vendor", ROOT / "tests" / "vendor"):
        faults += [f"not in the lock: {p.relative_to(ROOT)}" for p in base.glob("*") if p.is_dir() and p not in known]
    if NOTICE.read_text() != notice(lock):
        faults.append("NOTICE does not match the lock")
    return faults


def main() -> int:
    """Run from the command line; 1 when a check fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="re-hash the committed files, offline")
    parser.add_argument("--accept", action="store_true", help="write down hashes of packages that have none yet")
    options = parser.parse_args()
    lock = json.loads(LOCK.read_text())
    if not options.check:
        update(lock, options.accept)
        return 0
    faults = check(lock)
    print("\n".join(faults) or f"{len(lock['packages'])} vendored packages match the lock")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
