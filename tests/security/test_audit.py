"""S41: do the locks pin everything by hash, is the bill of materials whole, and is no audit taken for a clean one?"""

from __future__ import annotations

import importlib.util
import json
from types import ModuleType
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from coordination.config.launcher.folders import REPOSITORY


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", REPOSITORY / ".ci" / "audit.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-test.lock"])
def test_everything_in_a_lock_is_pinned_by_hash_and_stands_in_the_bill(audit: ModuleType, lock: str) -> None:
    """S41: name, version, address and hashes of each package, in CycloneDX 1.6."""
    text = (REPOSITORY / lock).read_text()
    named = audit.components(REPOSITORY / lock)
    assert len(named) == sum(1 for line in text.splitlines() if line[:1].isalnum() and "==" in line)
    assert all(hashes and all(len(one) == 64 for one in hashes) for _name, _version, hashes in named)
    bill = audit.bill(REPOSITORY / lock)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert {(one["name"], one["version"]) for one in bill["components"]} == {(n, v) for n, v, _h in named}
    assert all(one["purl"].startswith("pkg:pypi/") and one["hashes"] for one in bill["components"])
    assert "://" not in json.dumps(bill["components"])  # no index is named
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill)) is None


CLEAN: dict[str, Any] = {"name": "a", "version": "1", "vulns": []}


@pytest.mark.parametrize(
    ("judged", "code", "said"),
    [
        ([CLEAN], 0, "no known holes in 1 packages"),
        ([CLEAN, {"name": "b", "skip_reason": "Dependency not found on PyPI"}], 75, "NOT AUDITED"),
        ([], 75, "NOT AUDITED"),
        ([{"name": "b", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"], "aliases": ["CVE-1"]}]},
          {"name": "c", "skip_reason": "x"}], 1, "b 2: PYSEC-1 (CVE-1); mended in 3"),
    ],
)  # fmt: skip
def test_what_could_not_be_asked_is_not_called_clean(
    audit: ModuleType, judged: list[dict[str, Any]], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit.verdict("requirements.lock", judged) == code
    assert said in capsys.readouterr().out
