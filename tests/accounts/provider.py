"""A small identity provider on loopback: OpenID Connect's code flow with PKCE, signed with RSA, honest unless told."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "muster", "a secret of the test's own provider"


class Provider:
    """The provider; set ``subject``, ``claims``, ``header``, ``sign`` … to have it lie."""

    def __init__(self, certificate: str = "") -> None:
        self.key, self.other = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _n in "12")
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.issuer = f"{'https' if certificate else 'http'}://127.0.0.1:{self.server.server_port}"
        if certificate:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(certificate)
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.honest()
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[dict[str, str]] = []
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def honest(self) -> None:
        """Say nothing but the truth from now on."""
        self.subject = "p-1"
        self.claims: dict[str, Any] = {}
        self.without: tuple[str, ...] = ()
        self.algorithm, self.signed_by, self.kid = "RS256", self.key, "one"
        self.published: dict[str, Any] = {}
        self.answer_with: bytes | None = None

    def stop(self) -> None:
        """Be away."""
        self.server.shutdown()
        self.server.server_close()

    def about(self) -> dict[str, Any]:
        """What it publishes."""
        return {
            "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post"], **self.published,
        }  # fmt: skip

    def keys(self) -> dict[str, Any]:
        """Its public keys."""
        found = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [{**found, "kid": "one", "use": "sig", "alg": "RS256"}]}

    def authorize(self, asked: dict[str, str]) -> str:
        """Where the browser goes back to, once the person pressed the button here."""
        self.asked.append(asked)
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state'], 'iss': self.issuer})}"

    def token(self, sent: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """The tokens for a code: once, to the client that asked, with its verifier."""
        asked = self.codes.pop(sent.get("code", ""), None)
        digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        right = asked and asked.get("code_challenge") == challenge and asked["redirect_uri"] == sent["redirect_uri"]
        if not asked or not right or (sent.get("client_id"), sent.get("client_secret")) != (CLIENT, SECRET):
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "unused", "token_type": "Bearer", "id_token": self.id_token(asked)}

    def id_token(self, asked: dict[str, str]) -> str:
        """Who it says that this is."""
        now = int(time.time())
        claims = {
            "iss": self.issuer, "sub": self.subject, "aud": CLIENT, "iat": now, "exp": now + 300,
            "nonce": asked["nonce"], **({"auth_time": now} if "max_age" in asked else {}), **self.claims,
        }  # fmt: skip
        claims = {name: value for name, value in claims.items() if name not in self.without}
        key: Any = None if self.algorithm == "none" else SECRET if self.algorithm == "HS256" else self.signed_by
        return jwt.encode(claims, key, algorithm=self.algorithm, headers={"kid": self.kid})


def certificate(folder: Path) -> Path:
    """A key and a certificate for 127.0.0.1 that nobody has signed but itself."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "identity")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "provider.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


def _handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
            if parts.path == "/authorize":
                where = provider.authorize(asked)
                link = where.replace("&", "&amp;")
                return self._send(f'<h1>City identity</h1><p><a href="{link}">It is me</a>', where)
            found = {"/.well-known/openid-configuration": provider.about, "/keys": provider.keys}.get(parts.path)
            return self._send(found() if found else {}, status=200 if found else 404)

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
            status, said = provider.token({name: values[0] for name, values in parse_qs(sent).items()})
            self._send(said, status=status)

        def _send(self, said: Any, where: str = "", status: int = 200) -> None:
            body = said.encode() if isinstance(said, str) else json.dumps(said).encode()
            if provider.answer_with is not None and not isinstance(said, str):
                body = provider.answer_with
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if isinstance(said, str) else "application/json")
            self.send_header("Content-Length", str(len(body)))
            if where:
                self.send_header("X-Back", where)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    return Handler
