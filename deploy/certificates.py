"""By which certificate is this system known, and who vouches for it?

Makes, on the first start, a certificate authority of this installation's own, good for its one name and nothing
else, and from it the proxy's certificate; renews that in time and hands the new one to the running proxy. Where the
city has a certificate of its own (MUSTER_CERTIFICATE_FILE: key and chain as PEM), that one is used.

``python deploy/certificates.py`` stays and looks every hour; ``--once`` ends after the first look.
"""

import os
import socket
import sys
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ROOT_LIFE = timedelta(days=3650)
SITE_LIFE = timedelta(days=397)  # no browser takes a longer one
RENEW = timedelta(days=60)
LOOK_SECONDS = 3600.0
EVERYTHING = (x509.IPAddress(ip_network("0.0.0.0/0")), x509.IPAddress(ip_network("::/0")))


def main(arguments: list[str]) -> int:
    """Look, and go on looking."""
    host = os.environ.get("MUSTER_HOST", "localhost")
    authority, shown = Path(os.environ["MUSTER_AUTHORITY"]), Path(os.environ["MUSTER_CERTIFICATES"])
    control = Path(os.environ.get("MUSTER_PROXY_CONTROL", "/nowhere"))
    while True:
        try:
            renewed = provide(host, authority, shown, given())
        except (OSError, ValueError) as error:
            print(f"certificates: {error}", file=sys.stderr, flush=True)
            return 1
        if renewed:
            print(f"certificates: {host}: {renewed}", flush=True)
            hand_over(control, shown / "site.pem")
        if "--once" in arguments:
            return 0
        time.sleep(LOOK_SECONDS)


def given() -> bytes:
    """The certificate that the city has of its own, key and chain; empty: none."""
    path = os.environ.get("MUSTER_CERTIFICATE_FILE", "")
    return Path(path).read_bytes().strip() if path else b""


def provide(host: str, authority: Path, shown: Path, own: bytes = b"") -> str:
    """Put root.crt and site.pem into ``shown`` where they are missing or old; say what was made, "" when nothing was.

    Raises ValueError where ``own`` is no key with its certificate.
    """
    key, root, made = authority_of(host, authority)
    public = root.public_bytes(serialization.Encoding.PEM)
    if not same(shown / "root.crt", public):
        write(shown / "root.crt", public, 0o444)
    if own:
        check(own)
        if same(shown / "site.pem", own + b"\n"):
            return ""
        write(shown / "site.pem", own + b"\n", 0o400)
        return "the given certificate is in use"
    if not made and usable(shown / "site.pem", host, root):
        return ""
    write(shown / "site.pem", issue(host, key, root), 0o400)
    return f"new certificate; root SHA-256 {fingerprint(root)}"


def fingerprint(certificate: x509.Certificate) -> str:
    """The fingerprint as devices show it."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def authority_of(host: str, folder: Path) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate, bool]:
    """Return the authority's key and certificate, and whether they were made just now. One for each name."""
    name = host.replace(":", "_")
    key_path, root_path = folder / f"{name}.key", folder / f"{name}.crt"
    if root_path.exists():
        key = serialization.load_pem_private_key(key_path.read_bytes(), None)
        root = x509.load_pem_x509_certificate(root_path.read_bytes())
        if isinstance(key, ec.EllipticCurvePrivateKey) and root.not_valid_after_utc - now() > SITE_LIFE:
            return key, root, False
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Muster"),
        x509.NameAttribute(NameOID.COMMON_NAME, f"Muster root {host}"[:64]),
    ])  # fmt: skip
    root = (
        x509.CertificateBuilder()
        .subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() - timedelta(hours=1)).not_valid_after(now() + ROOT_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage(signs=True), critical=True)
        .add_extension(bounds(host), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    write(key_path, private(key), 0o400)
    write(root_path, root.public_bytes(serialization.Encoding.PEM), 0o444)
    return key, root, True


def issue(host: str, key: ec.EllipticCurvePrivateKey, root: x509.Certificate) -> bytes:
    """Return a new certificate for ``host`` with its key and the authority's certificate, as PEM."""
    own = ec.generate_private_key(ec.SECP256R1())
    site = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:64])])).issuer_name(root.subject)
        .public_key(own.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now() - timedelta(hours=1)).not_valid_after(now() + SITE_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([called(host)]), critical=False)
        .add_extension(usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = serialization.Encoding.PEM
    return private(own) + site.public_bytes(pem) + root.public_bytes(pem)


def called(host: str) -> x509.GeneralName:
    """The host's name, or its address."""
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def bounds(host: str) -> x509.NameConstraints:
    """What the authority may sign for: this name, so that nobody who trusts it trusts it with more."""
    name = called(host)
    if isinstance(name, x509.IPAddress):
        return x509.NameConstraints([x509.IPAddress(ip_network(host)), x509.DNSName("muster.invalid")], None)
    return x509.NameConstraints([name], list(EVERYTHING))


def usage(*, signs: bool) -> x509.KeyUsage:
    """What a key is for: signing certificates, or serving."""
    return x509.KeyUsage(
        digital_signature=not signs, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=signs, crl_sign=signs, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def usable(path: Path, host: str, root: x509.Certificate) -> bool:
    """Whether the certificate there is for ``host``, of this root, and good for a while."""
    try:
        site = x509.load_pem_x509_certificate(path.read_bytes())
        names = site.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        site.verify_directly_issued_by(root)
    except Exception:  # whatever is wrong with it, another is made
        return False
    return called(host) in list(names) and site.not_valid_after_utc - now() > RENEW


def check(pem: bytes) -> None:
    """Raise ValueError unless ``pem`` holds a private key and, first of its certificates, the one of that key."""
    try:
        key = serialization.load_pem_private_key(pem, None)
        site = x509.load_pem_x509_certificate(pem)
    except (ValueError, TypeError) as error:
        raise ValueError("the given certificate must be a PEM file: private key without password, chain") from error
    if key.public_key() != site.public_key():
        raise ValueError("the given certificate belongs to another key")


def private(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The key as PEM."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def same(path: Path, content: bytes) -> bool:
    """Whether the file holds this."""
    return path.exists() and path.read_bytes() == content


def write(path: Path, content: bytes, mode: int) -> None:
    """Put the file there whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def hand_over(control: Path, site: Path) -> None:
    """Give the running proxy the new certificate; one that does not run reads it when it starts."""
    if not control.exists():
        return
    try:
        said = ask(control, f"set ssl cert /certificates/site.pem <<\n{site.read_text()}\n")
        said += ask(control, "commit ssl cert /certificates/site.pem\n")
        print(f"certificates: the proxy says {said.strip()!r}", flush=True)
    except OSError as error:
        print(f"certificates: the proxy was not told ({error}); restart it", file=sys.stderr, flush=True)


def ask(control: Path, command: str) -> str:
    """Return what the proxy answers to a command."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(10)
        line.connect(str(control))
        line.sendall(command.encode())
        found = b""
        while piece := line.recv(4096):
            found += piece
    return found.decode(errors="replace")


def now() -> datetime:
    """The time."""
    return datetime.now(UTC)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
