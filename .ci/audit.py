"""Does anything in the locks have a known hole, and what are we made of? Writes the bill of materials to var/.

Usage: python .ci/audit.py [--sbom]    (--sbom: the bill of materials alone, which needs no network)

The holes are asked of PyPI's database of advisories, by pip-audit, for exactly what the locks name. Where no such
database can be reached, that is said and the audit ends with 75: nothing was found out, which is not "nothing found".
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

ROOT = Path(__file__).resolve().parents[1]
LOCKS = {"requirements.lock": "muster-sbom.cdx.json", "requirements-test.lock": "muster-test-sbom.cdx.json"}
UNKNOWN = 75  # EX_TEMPFAIL: ask again where the network lets us
NAMED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)(?: *; *([^\\]*))?", re.M)


def components(lock: Path) -> list[tuple[str, str, list[str]]]:
    """Return name, version and hashes of everything a lock names."""
    found: list[tuple[str, str, list[str]]] = []
    for line in lock.read_text(encoding="utf-8").splitlines():
        named = NAMED.match(line)
        if named:
            found.append((named[1].lower().replace("_", "-"), named[2].strip(), []))
        elif found and "--hash=sha256:" in line:
            found[-1][2].append(line.split("--hash=sha256:")[1].split()[0])
    return found


def bill(lock: Path) -> dict[str, Any]:
    """Return the CycloneDX bill of materials of a lock: each package with its address and the hashes that may come."""
    bom = Bom()
    bom.metadata.component = Component(name="muster", type=ComponentType.APPLICATION, bom_ref="muster")
    warnings.filterwarnings("ignore", message="The Component this BOM is describing")  # locks name no edges
    bom.metadata.timestamp = datetime.now(UTC)
    for name, version, hashes in components(lock):
        if not hashes:
            raise SystemExit(f"{lock.name}: {name} has no hash")
        bom.components.add(
            Component(
                name=name, version=version, type=ComponentType.LIBRARY, bom_ref=f"{name}@{version}",
                purl=PackageURL("pypi", name=name, version=version),
                hashes=[HashType(alg=HashAlgorithm.SHA_256, content=one) for one in hashes],
            )
        )  # fmt: skip
    found: dict[str, Any] = json.loads(JsonV1Dot6(bom).output_as_string())
    found["metadata"]["properties"] = [{"name": "lock:sha256", "value": hashlib.sha256(lock.read_bytes()).hexdigest()}]
    return found


def write() -> None:
    """Write a bill for each lock."""
    (ROOT / "var").mkdir(exist_ok=True)
    for lock, name in LOCKS.items():
        made = bill(ROOT / lock)
        (ROOT / "var" / name).write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
        print(f"var/{name}: {len(made['components'])} packages of {lock}")


def audit(lock: str) -> int:
    """Ask for known holes: 0 none, 1 some, 75 the database could not be asked about everything."""
    command = [sys.executable, "-m", "pip_audit", "-r", str(ROOT / lock), "--require-hashes", "--disable-pip",
               "--format", "json", "--progress-spinner", "off",
               "--timeout", os.environ.get("MUSTER_AUDIT_SECONDS", "15")]  # fmt: skip
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    try:
        judged = json.loads(result.stdout)["dependencies"]
    except (ValueError, KeyError):
        print(f"{lock}: NOT AUDITED: no database of advisories can be reached from here")
        print(result.stderr.strip()[-300:])
        return UNKNOWN
    return verdict(lock, judged)


def verdict(lock: str, judged: list[dict[str, Any]]) -> int:
    """Say what was found in what pip-audit said of each package."""
    holes = [(one["name"], one.get("version"), hole) for one in judged for hole in one.get("vulns", ())]
    for name, version, hole in holes:
        mended = ", ".join(hole.get("fix_versions", ())) or "no version yet"
        print(f"{lock}: {name} {version}: {hole['id']} ({', '.join(hole.get('aliases', ()))}); mended in {mended}")
    unknown = [one["name"] for one in judged if "skip_reason" in one]
    if holes:
        return 1
    if unknown or not judged:
        print(f"{lock}: NOT AUDITED: the index that is reached knows no advisories of {len(unknown)} packages: "
              f"{', '.join(unknown[:8])}{' …' if len(unknown) > 8 else ''}")
        return UNKNOWN
    print(f"{lock}: no known holes in {len(judged)} packages")
    return 0


def main(arguments: list[str]) -> int:
    """Write the bills; unless asked for them alone, audit too."""
    write()
    if "--sbom" in arguments:
        return 0
    return max((audit(lock) for lock in LOCKS), key=(0, UNKNOWN, 1).index)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
