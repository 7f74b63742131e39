"""Is the installation's own authority good for its one name, renewed in time, and nobody's business else?"""

from __future__ import annotations

import importlib.util
import stat
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest
from cryptography import x509
from cryptography.x509 import verification

from coordination.config.launcher.folders import REPOSITORY


@pytest.fixture
def certificates() -> ModuleType:
    """The script that the container runs."""
    spec = importlib.util.spec_from_file_location("certificates", REPOSITORY / "deploy" / "certificates.py")
    assert spec and spec.loader
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def verified(folder: Path, name: str) -> bool:
    """Whether a browser that trusts the root takes the certificate for ``name``."""
    root = x509.load_pem_x509_certificate((folder / "root.crt").read_bytes())
    site = x509.load_pem_x509_certificates((folder / "site.pem").read_bytes())[0]
    verifier = verification.PolicyBuilder().store(verification.Store([root])).build_server_verifier(x509.DNSName(name))
    try:
        verifier.verify(site, [])
    except verification.VerificationError:
        return False
    return True


def test_the_first_start_makes_an_authority_and_the_next_keeps_it(certificates: ModuleType, tmp_path: Path) -> None:
    authority, shown = tmp_path / "authority", tmp_path / "shown"
    assert "root SHA-256" in certificates.provide("muster.example", authority, shown)
    before = {path.name: path.read_bytes() for path in shown.iterdir()}
    assert certificates.provide("muster.example", authority, shown) == ""
    assert before == {path.name: path.read_bytes() for path in shown.iterdir()}
    assert verified(shown, "muster.example")
    assert not verified(shown, "other.example")
    assert b"PRIVATE KEY" not in before["root.crt"]
    assert stat.S_IMODE((authority / "muster.example.key").stat().st_mode) == 0o400
    assert stat.S_IMODE((shown / "site.pem").stat().st_mode) == 0o400


def test_the_authority_may_sign_for_its_own_name_alone(certificates: ModuleType, tmp_path: Path) -> None:
    certificates.provide("muster.example", tmp_path / "authority", tmp_path / "shown")
    root = x509.load_pem_x509_certificate((tmp_path / "shown" / "root.crt").read_bytes())
    bounds = root.extensions.get_extension_for_class(x509.NameConstraints)
    assert bounds.critical
    assert bounds.value.permitted_subtrees == [x509.DNSName("muster.example")]
    assert len(bounds.value.excluded_subtrees or []) == 2  # every address
    key, root, _made = certificates.authority_of("muster.example", tmp_path / "authority")
    certificates.write(tmp_path / "shown" / "site.pem", certificates.issue("bank.example", key, root), 0o400)
    assert not verified(tmp_path / "shown", "bank.example")


def test_an_old_certificate_and_another_name_are_renewed(
    certificates: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, shown = tmp_path / "authority", tmp_path / "shown"
    certificates.provide("muster.example", authority, shown)
    root, site = (shown / "root.crt").read_bytes(), (shown / "site.pem").read_bytes()
    now = certificates.now()
    monkeypatch.setattr(certificates, "now", lambda: now + timedelta(days=300))
    assert certificates.provide("muster.example", authority, shown) == ""
    monkeypatch.setattr(certificates, "now", lambda: now + timedelta(days=350))
    assert certificates.provide("muster.example", authority, shown)
    assert (shown / "site.pem").read_bytes() != site
    assert (shown / "root.crt").read_bytes() == root  # who trusts us goes on doing so
    monkeypatch.undo()
    assert certificates.provide("other.example", authority, shown)
    assert verified(shown, "other.example")


def test_a_host_may_be_an_address(certificates: ModuleType, tmp_path: Path) -> None:
    certificates.provide("10.1.2.3", tmp_path / "authority", tmp_path / "shown")
    site = x509.load_pem_x509_certificates((tmp_path / "shown" / "site.pem").read_bytes())[0]
    names = site.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == ["10.1.2.3"]


def test_the_citys_own_certificate_is_used_and_a_wrong_one_refused(certificates: ModuleType, tmp_path: Path) -> None:
    certificates.provide("muster.example", tmp_path / "a", tmp_path / "one")
    certificates.provide("muster.example", tmp_path / "b", tmp_path / "two")
    given = (tmp_path / "two" / "site.pem").read_bytes().strip()
    assert "in use" in certificates.provide("muster.example", tmp_path / "a", tmp_path / "one", given)
    assert certificates.provide("muster.example", tmp_path / "a", tmp_path / "one", given) == ""
    assert (tmp_path / "one" / "site.pem").read_bytes().strip() == given
    with pytest.raises(ValueError, match="private key"):
        certificates.provide("muster.example", tmp_path / "a", tmp_path / "one", b"nonsense")
    key = certificates.private(certificates.authority_of("muster.example", tmp_path / "a")[0])
    with pytest.raises(ValueError, match="another key"):
        certificates.check(key + given.partition(b"-----END PRIVATE KEY-----\n")[2])
